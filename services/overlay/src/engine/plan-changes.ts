import { RuleError } from '@messagebox/messages';
import { type BeefTransaction, parseBeef, toOutpointKey } from '@messagebox/transactions';
import type { OverlayStorage } from '../storage/overlay-storage.js';
import type { Spend } from '../storage/spend-store.js';
import { findTokens, type OverlayTopic } from '../topics/token-topic.js';
import type { Submission } from './submission.js';

/** The changes that a transaction makes to a topic. */
export type TopicPlan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'duplicate'; readonly nowProven: boolean }
  | {
      readonly kind: 'apply';
      /** Transactions in no block that spend the same outputs as this proven one. */
      readonly losers: readonly string[];
      /** Inputs whose outputs the topic holds. */
      readonly held: ReadonlySet<number>;
      /** Inputs whose outputs the topic held until a loser spent them. */
      readonly heldUntilLoser: ReadonlySet<number>;
      /** Inputs whose spends are not stored yet. */
      readonly newSpends: readonly number[];
      readonly outputsToAdmit: number[];
      /** Scripts of the topic's tokens that the transaction spends, as far as they are known. */
      readonly spentTokens: readonly Uint8Array[];
    };

/** The txid in the input of a coinbase. All coinbases share it, and it refers to no output. */
const COINBASE_TXID = '00'.repeat(32);

/**
 * Finds out what a transaction changes in a topic, and writes nothing.
 *
 * @throws {RuleError} `ERR_DOUBLE_SPEND`
 */
export async function planChanges(
  { parsed: { subject }, sources, unmined }: Submission,
  name: string,
  topic: OverlayTopic,
  storage: OverlayStorage,
): Promise<TopicPlan> {
  const { txid, proof } = subject;
  const applied = await storage.applied.find(txid, name);
  if (applied !== undefined) {
    return { kind: 'duplicate', nowProven: proof !== undefined && (!applied.proven || unmined.has(txid)) };
  }

  const inputs = [...subject.inputs.entries()].filter(([, input]) => input.txid !== COINBASE_TXID);
  const outpoints = inputs.map(([, input]) => input);
  const spends = await storage.spends.find(name, outpoints);
  const losers = await findLosers(subject, name, spends, unmined, storage);
  const heldOutputs = await storage.outputs.filterHeld(name, outpoints);
  const held = new Set<number>();
  const heldUntilLoser = new Set<number>();
  for (const [index, input] of inputs) {
    if (heldOutputs.has(toOutpointKey(input))) held.add(index);
    else if (spends.get(toOutpointKey(input))?.admitted === true) heldUntilLoser.add(index);
  }
  // An output that arrives after its spender is spent already.
  const spent = await storage.spends.findOfTransaction(txid, name);
  const outputsToAdmit = findTokens(subject, topic).filter((index) => !spent.has(index));
  // Spent tokens that the topic does not hold count too: a host that has not heard of the revocation may send them later.
  const spentTokens: Uint8Array[] = [];
  for (const [index, input] of inputs) {
    const script = sources.get(input.txid)?.outputs[input.outputIndex]?.script;
    if (script !== undefined && topic.isToken(script)) spentTokens.push(script);
    else if (script === undefined && held.has(index)) {
      const beef = await storage.beefs.find(input.txid);
      const kept = beef && parseBeef(beef).subject.outputs[input.outputIndex]?.script;
      if (kept !== undefined) spentTokens.push(kept);
    }
  }
  const isRelevant = outputsToAdmit.length + held.size + heldUntilLoser.size + losers.length + spentTokens.length > 0;
  if (!isRelevant) return { kind: 'nothing' };
  const newSpends = inputs.flatMap(([index, input]) =>
    spends.get(toOutpointKey(input))?.spentBy === txid ? [] : [index],
  );
  return { kind: 'apply', losers, held, heldUntilLoser, newSpends, outputsToAdmit, spentTokens };
}

/**
 * Finds the rivals that a proven transaction replaces. Only one of two transactions that spend the same output can be in
 * a block, and that one is valid.
 */
async function findLosers(
  { txid, proof }: BeefTransaction,
  topic: string,
  spends: ReadonlyMap<string, Spend>,
  unmined: ReadonlySet<string>,
  storage: OverlayStorage,
): Promise<string[]> {
  const rivals = [...new Set([...spends.values()].map(({ spentBy }) => spentBy))].filter((rival) => rival !== txid);
  for (const rival of rivals) {
    const isMined = !unmined.has(rival) && (await storage.applied.find(rival, topic))?.proven === true;
    if (proof === undefined || isMined) {
      throw new RuleError('ERR_DOUBLE_SPEND', `Transaction ${rival} spends the same output.`, 409);
    }
  }
  return rivals;
}
