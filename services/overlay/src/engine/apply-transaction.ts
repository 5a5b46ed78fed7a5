import type { AdmittanceInstructions, STEAK } from '@bsv/sdk';
import { RuleError, type SqlRunner } from '@messagebox/shared';
import { type BeefTransaction, type Outpoint, outpointKey, type ParsedBeef, parseBeef } from '@messagebox/wallet';
import type { OverlayLookup } from '../lookups/overlay-lookup.js';
import { type OverlayTopic, tokensOf } from '../topics/token-topic.js';
import { evictTransaction } from './evict-transaction.js';
import type { OverlayStorage, Spend } from './overlay-storage.js';
import { removeOutput } from './remove-output.js';

/** A verified transaction and when it came. */
export interface Submission {
  readonly parsed: ParsedBeef;
  /**
   * What came along, needed or not, by id. A transaction with a merkle path needs no ancestors, and these are not
   * verified; but what it spends is what their ids stand for.
   */
  readonly sources: ParsedBeef['transactions'];
  /** Of itself and those that spend the same, what is kept as in a block and is in none any more. */
  readonly unmined: ReadonlySet<string>;
  /** What verifies it, and nothing else. */
  readonly beef: Uint8Array;
  /** Milliseconds since 1970: of being admitted here, by which other hosts learn of it. */
  readonly score: number;
  /** It is this server's own, by this process's word. */
  readonly isOwn: boolean;
  /** Who is charged with its bytes while it is in no block; undefined: nobody. */
  readonly submitter: Buffer | undefined;
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
      /** Inputs whose spending is to be written down. */
      readonly newSpends: readonly number[];
      readonly outputsToAdmit: number[];
      /** Scripts of the topic's tokens that it spends, as far as they are known. */
      readonly spentTokens: readonly Uint8Array[];
    };

/**
 * What a transaction does to topics: what it spends leaves them, what they admit enters them, and the lookup services
 * learn of both, within the given database transaction. A transaction that changes nothing leaves no row behind.
 *
 * All is looked at before anything is written. What another process writes in between shows as a unique key or as a
 * {@link LostRaceError}, on which the caller begins anew.
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
  { parsed: { subject }, sources, unmined }: Submission,
  name: string,
  topic: OverlayTopic,
  storage: OverlayStorage,
): Promise<Plan> {
  const { txid, proof } = subject;
  const applied = await storage.findApplied(txid, name);
  if (applied !== undefined) {
    return { kind: 'duplicate', nowProven: proof !== undefined && (!applied.proven || unmined.has(txid)) };
  }

  const inputs = [...subject.inputs.entries()].filter(([, input]) => input.txid !== NOTHING);
  const outpoints = inputs.map(([, input]) => input);
  const spends = await storage.findSpends(name, outpoints);
  const losers = await losersAgainst(subject, name, spends, unmined, storage);
  const heldOutputs = await storage.heldAmong(name, outpoints);
  const held = new Set<number>();
  const heldUntilLoser = new Set<number>();
  for (const [index, input] of inputs) {
    if (heldOutputs.has(outpointKey(input))) held.add(index);
    else if (spends.get(outpointKey(input))?.admitted === true) heldUntilLoser.add(index);
  }
  // An output that came after its spender has been spent already.
  const spent = await storage.spentOutputsOf(txid, name);
  const outputsToAdmit = tokensOf(subject, topic).filter((index) => !spent.has(index));
  // What it revokes may come later, from a host that has not heard of it.
  const spentTokens: Uint8Array[] = [];
  for (const [index, input] of inputs) {
    const script = sources.get(input.txid)?.outputs[input.outputIndex]?.script;
    if (script !== undefined && topic.isToken(script)) spentTokens.push(script);
    else if (script === undefined && held.has(index)) {
      const beef = await storage.findBeef(input.txid);
      const kept = beef && parseBeef(beef).subject.outputs[input.outputIndex]?.script;
      if (kept !== undefined) spentTokens.push(kept);
    }
  }
  const isSomething = outputsToAdmit.length + held.size + heldUntilLoser.size + losers.length + spentTokens.length > 0;
  if (!isSomething) return { kind: 'nothing' };
  const newSpends = inputs.flatMap(([index, input]) =>
    spends.get(outpointKey(input))?.spentBy === txid ? [] : [index],
  );
  return { kind: 'apply', losers, held, heldUntilLoser, newSpends, outputsToAdmit, spentTokens };
}

/** Of two transactions that spend the same output only one can be in a block, and that one is the valid one. */
async function losersAgainst(
  { txid, proof }: BeefTransaction,
  topic: string,
  spends: ReadonlyMap<string, Spend>,
  unmined: ReadonlySet<string>,
  storage: OverlayStorage,
): Promise<string[]> {
  const rivals = [...new Set([...spends.values()].map(({ spentBy }) => spentBy))].filter((rival) => rival !== txid);
  for (const rival of rivals) {
    const isMined = !unmined.has(rival) && (await storage.findApplied(rival, topic))?.proven === true;
    if (proof === undefined || isMined) {
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
  const { storage } = scope;
  const { parsed, beef, score, submitter } = submission;
  const { txid, inputs, proof } = parsed.subject;
  if (planned.kind === 'nothing') return { outputsToAdmit: [], coinsToRetain: [], coinsRemoved: [] };
  if (planned.kind === 'duplicate') {
    if (planned.nowProven && proof !== undefined) {
      await storage.markProven(txid, beef);
      for (const lookup of scope.lookups) await lookup.prove(scope.runner, txid, proof.blockHeight);
    }
    return { outputsToAdmit: [], coinsToRetain: [] };
  }
  const { losers, held, heldUntilLoser, newSpends, outputsToAdmit, spentTokens } = planned;
  for (const loser of losers) await evictTransaction(loser, topic, scope);
  // What a loser had spent may be back, and what then was too much of one identity gone.
  const nowHeld = losers.length === 0 ? undefined : await storage.heldAmong(topic, inputs);
  const isHeld = (index: number, input: Outpoint) => nowHeld?.has(outpointKey(input)) ?? held.has(index);
  await storage.claimApplied(txid, topic, proof !== undefined, score);
  const spends = newSpends.flatMap((index) => {
    const input = inputs[index];
    return input === undefined ? [] : [{ ...input, index, admitted: held.has(index) || heldUntilLoser.has(index) }];
  });
  await storage.insertSpends(topic, txid, spends);
  for (const [index, input] of inputs.entries()) if (isHeld(index, input)) await removeOutput(topic, input, scope);
  const admitted = outputsToAdmit.map((outputIndex) => ({ txid, outputIndex, score }));
  for (const output of admitted) await storage.insertOutput(topic, output);
  if (admitted.length > 0) await storage.insertBeef(txid, beef, proof === undefined ? submitter : undefined);
  await storage.assertNoRace(
    topic,
    admitted,
    spends.filter((spend) => !isHeld(spend.index, spend)),
  );
  const gone = await tellLookups(submission, topic, outputsToAdmit, spentTokens, scope);
  return {
    outputsToAdmit: outputsToAdmit.filter((index) => !gone.has(index)),
    coinsToRetain: [],
    coinsRemoved: [...held, ...heldUntilLoser].sort((a, b) => a - b),
  };
}

/** @returns its own outputs for which there was no room */
async function tellLookups(
  { parsed, admittedAt, isOwn }: Submission,
  topic: string,
  admitted: readonly number[],
  spent: readonly Uint8Array[],
  scope: Scope,
): Promise<Set<number>> {
  const gone = new Set<number>();
  const { txid, outputs, proof } = parsed.subject;
  const height = proof?.blockHeight;
  for (const lookup of scope.lookups.filter(({ description }) => description.topic === topic)) {
    for (const script of spent) await lookup.revoke(scope.runner, script, txid);
    for (const [nth, outputIndex] of admitted.entries()) {
      const script = outputs[outputIndex]?.script;
      if (script === undefined) continue;
      const surplus: readonly Outpoint[] = await lookup.add(scope.runner, {
        txid,
        outputIndex,
        script,
        admittedAt,
        height,
        nth,
        spent,
        isOwn,
      });
      for (const output of surplus) {
        await removeOutput(topic, output, scope);
        if (output.txid === txid) gone.add(output.outputIndex);
      }
    }
  }
  return gone;
}
