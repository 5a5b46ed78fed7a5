import type { Output } from '@bsv/overlay';
import type { AdmittanceInstructions, STEAK } from '@bsv/sdk';
import { RuleError, type SqlRunner } from '@messagebox/shared';
import { type BeefTransaction, type Outpoint, outpointKey } from '@messagebox/wallet';
import type { OverlayLookup } from '../lookups/overlay-lookup.js';
import type { OverlayTopic } from '../topics/token-topic.js';
import { evictTransaction } from './evict-transaction.js';
import type { OverlayStorage, Spend } from './overlay-storage.js';
import { removeOutput } from './remove-output.js';

/** A verified transaction and when it came. */
export interface Submission {
  readonly transaction: BeefTransaction;
  /** What verifies it, and nothing else. */
  readonly beef: Uint8Array;
  /** Milliseconds since 1970: of being admitted here, by which other hosts learn of it. */
  readonly score: number;
  /** Milliseconds since 1970: of being admitted anywhere, which tells newer from older advertisements. */
  readonly admittedAt: number;
}

export interface TopicParts {
  readonly topics: Readonly<Record<string, OverlayTopic>>;
  readonly lookups: Readonly<Record<string, OverlayLookup>>;
}

/** What a coinbase "spends": one outpoint for all of them, which is no output. */
const NOTHING = '00'.repeat(32);

/** Within a database transaction. */
export interface Scope {
  readonly storage: OverlayStorage;
  readonly runner: SqlRunner;
  readonly lookups: readonly OverlayLookup[];
}

/** What a topic will do with a transaction. */
type Plan =
  | { readonly kind: 'duplicate'; readonly nowProven: boolean }
  | {
      readonly kind: 'apply';
      /** Unproven transactions that spend the same outputs as this proven one. */
      readonly losers: readonly string[];
      /** Outputs that the topic holds, by the index of the input that spends them. */
      readonly coins: ReadonlyMap<number, Output>;
      /** Inputs whose outputs the topic held until a loser spent them. */
      readonly coinsOfLosers: readonly number[];
      /** Inputs whose spending is to be written down. */
      readonly newSpends: readonly number[];
      readonly instructions: AdmittanceInstructions;
    };

/**
 * What a transaction does to topics: what it spends leaves them, what they admit enters them, and the lookup services
 * learn of both, within the given database transaction. A transaction that changes nothing leaves no row behind.
 *
 * All is looked at before anything is written. What another process writes in between shows as a unique key, on which
 * the caller begins anew.
 *
 * @throws {RuleError} `ERR_DOUBLE_SPEND`
 */
export async function applyTransaction(
  submission: Submission,
  names: readonly string[],
  parts: TopicParts,
  storage: OverlayStorage,
  runner: SqlRunner,
): Promise<STEAK> {
  const scope: Scope = { storage, runner, lookups: Object.values(parts.lookups) };
  const plans: [string, Plan][] = [];
  // In one order for everybody, so that two submissions to the same topics don't deadlock.
  for (const name of [...names].sort()) {
    const topic = parts.topics[name];
    if (topic !== undefined) plans.push([name, await plan(submission, name, topic, storage)]);
  }
  const steak: STEAK = {};
  for (const [name, planned] of plans) steak[name] = await carryOut(submission, name, planned, scope);
  return steak;
}

async function plan(
  { transaction }: Submission,
  name: string,
  topic: OverlayTopic,
  storage: OverlayStorage,
): Promise<Plan> {
  const { txid, outputs, proof } = transaction;
  const applied = await storage.findApplied(txid, name);
  if (applied !== undefined) return { kind: 'duplicate', nowProven: proof !== undefined && !applied.proven };

  const inputs = [...transaction.inputs.entries()].filter(([, input]) => input.txid !== NOTHING);
  const outpoints = inputs.map(([, input]) => input);
  const spends = await storage.findSpends(name, outpoints);
  const losers = await losersAgainst(transaction, name, spends, storage);
  const held = await storage.findOutputs(name, outpoints);
  const coins = new Map<number, Output>();
  const coinsOfLosers: number[] = [];
  for (const [index, input] of inputs) {
    const coin = held.get(outpointKey(input));
    if (coin !== undefined) coins.set(index, coin);
    else if (spends.get(outpointKey(input))?.admitted === true) coinsOfLosers.push(index);
  }
  const instructions = topic.admit(transaction, [...coins.keys()]);
  // An output that came after its spender has been spent already.
  const spent = await storage.spentOutputsOf(txid, name);
  const outputsToAdmit = instructions.outputsToAdmit.filter((index) => index in outputs && !spent.has(index));
  const newSpends = inputs.flatMap(([index, input]) =>
    spends.get(outpointKey(input))?.spentBy === txid ? [] : [index],
  );
  return { kind: 'apply', losers, coins, coinsOfLosers, newSpends, instructions: { ...instructions, outputsToAdmit } };
}

/** Of two transactions that spend the same output only one can be in a block, and that one is the valid one. */
async function losersAgainst(
  { txid, proof }: BeefTransaction,
  topic: string,
  spends: ReadonlyMap<string, Spend>,
  storage: OverlayStorage,
): Promise<string[]> {
  const rivals = [...new Set([...spends.values()].map(({ spentBy }) => spentBy))].filter((rival) => rival !== txid);
  for (const rival of rivals) {
    if (proof === undefined || (await storage.findApplied(rival, topic))?.proven === true) {
      throw new RuleError('ERR_DOUBLE_SPEND', `Transaction ${rival} spends the same output.`, 409);
    }
  }
  return rivals;
}

async function carryOut(
  submission: Submission,
  topic: string,
  planned: Plan,
  scope: Scope,
): Promise<AdmittanceInstructions> {
  const { storage, runner, lookups } = scope;
  const { transaction, beef, score, admittedAt } = submission;
  const { txid, inputs, outputs, proof } = transaction;
  if (planned.kind === 'duplicate') {
    if (planned.nowProven) await storage.markProven(txid, beef);
    return { outputsToAdmit: [], coinsToRetain: [] };
  }
  const { losers, coins, coinsOfLosers, newSpends, instructions } = planned;
  const retained = [...coins].filter(([index]) => instructions.coinsToRetain.includes(index));
  const removed = [...coins].filter(([index]) => !instructions.coinsToRetain.includes(index));
  const steak: AdmittanceInstructions = {
    outputsToAdmit: instructions.outputsToAdmit,
    coinsToRetain: retained.map(([index]) => index),
    coinsRemoved: [...removed.map(([index]) => index), ...coinsOfLosers].sort((a, b) => a - b),
  };
  if (steak.outputsToAdmit.length + coins.size + coinsOfLosers.length + losers.length === 0) return steak;

  for (const loser of losers) await evictTransaction(loser, topic, scope);
  await storage.claimApplied(txid, topic, proof !== undefined);
  const spends = newSpends.flatMap((index) => {
    const input = inputs[index];
    return input === undefined ? [] : [{ ...input, admitted: coins.has(index) || coinsOfLosers.includes(index) }];
  });
  await storage.insertSpends(topic, txid, spends);
  for (const [, coin] of removed) await removeOutput(coin, scope);
  for (const [, coin] of retained) {
    await storage.markUTXOAsSpent(coin.txid, coin.outputIndex, topic);
    for (const lookup of lookups) await lookup.removed(runner, coin, topic);
  }
  const outputsConsumed = retained.map(([, { txid: from, outputIndex }]) => ({ txid: from, outputIndex }));
  const admitted: Outpoint[] = [];
  for (const outputIndex of steak.outputsToAdmit) {
    const output = outputs[outputIndex];
    if (output === undefined) continue;
    await storage.insertOutput({
      txid,
      outputIndex,
      outputScript: [...output.script],
      satoshis: output.satoshis,
      topic,
      spent: false,
      outputsConsumed,
      consumedBy: [],
      score,
      ...(proof === undefined ? {} : { blockHeight: proof.blockHeight }),
    });
    for (const lookup of lookups) {
      await lookup.admitted(runner, { txid, outputIndex, topic, script: output.script, admittedAt });
    }
    admitted.push({ txid, outputIndex });
  }
  if (admitted.length > 0) await storage.insertBeef(txid, beef);
  for (const [, coin] of retained) {
    await storage.updateConsumedBy(coin.txid, coin.outputIndex, topic, [...coin.consumedBy, ...admitted]);
  }
  return steak;
}
