import type { AdmittanceInstructions, STEAK } from '@bsv/sdk';
import type { SqlRunner } from '@messagebox/store';
import { type Outpoint, toOutpointKey } from '@messagebox/transactions';
import type { OverlayLookup } from '../lookups/overlay-lookup.js';
import type { OverlayStorage } from '../storage/overlay-storage.js';
import type { OverlayTopic } from '../topics/token-topic.js';
import { evictTransaction } from './evict-transaction.js';
import { planChanges, type TopicPlan } from './plan-changes.js';
import { removeOutput } from './remove-output.js';
import type { Submission } from './submission.js';
import type { TopicScope } from './topic-scope.js';

export interface TopicsAndLookups {
  readonly topics: Readonly<Record<string, OverlayTopic>>;
  readonly lookups: Readonly<Record<string, OverlayLookup>>;
}

/**
 * Applies a transaction to topics and their lookup services, within the given database transaction: removes the outputs
 * that it spends and admits those of its outputs that belong to a topic. A transaction that changes nothing leaves no row.
 *
 * Reads everything before it writes anything. A concurrent write in between causes a unique-key error or a
 * {@link LostRaceError}; the caller then starts over.
 *
 * @throws {RuleError} `ERR_DOUBLE_SPEND`
 */
export async function applyTransaction(
  submission: Submission,
  names: readonly string[],
  registry: TopicsAndLookups,
  storage: OverlayStorage,
  runner: SqlRunner,
): Promise<STEAK> {
  const scope: TopicScope = { storage, runner, lookups: Object.values(registry.lookups) };
  const plans: [string, TopicPlan][] = [];
  // All submissions take the topics in the same order, so that two of them don't deadlock.
  for (const name of [...names].sort()) {
    const topic = registry.topics[name];
    if (topic !== undefined) plans.push([name, await planChanges(submission, name, topic, storage)]);
  }
  const steak: STEAK = {};
  for (const [name, plan] of plans) steak[name] = await applyPlan(submission, name, plan, scope);
  return steak;
}

async function applyPlan(
  submission: Submission,
  topic: string,
  plan: TopicPlan,
  scope: TopicScope,
): Promise<AdmittanceInstructions> {
  const { storage } = scope;
  const { parsed, beef, score, submitter } = submission;
  const { txid, inputs, proof } = parsed.subject;
  if (plan.kind === 'nothing') return { outputsToAdmit: [], coinsToRetain: [], coinsRemoved: [] };
  if (plan.kind === 'duplicate') {
    if (plan.nowProven && proof !== undefined) {
      await storage.markProven(txid, beef);
      for (const lookup of scope.lookups) await lookup.prove(scope.runner, txid, proof.blockHeight);
    }
    return { outputsToAdmit: [], coinsToRetain: [] };
  }
  const { losers, held, heldUntilLoser, newSpends, outputsToAdmit, spentTokens } = plan;
  for (const loser of losers) await evictTransaction(loser, topic, scope);
  // The eviction restores outputs that the losers had spent, which can push others of the same identity out.
  const nowHeld = losers.length === 0 ? undefined : await storage.outputs.filterHeld(topic, inputs);
  const isHeld = (index: number, input: Outpoint) => nowHeld?.has(toOutpointKey(input)) ?? held.has(index);
  await storage.applied.claim(txid, topic, proof !== undefined, score);
  const spends = newSpends.flatMap((index) => {
    const input = inputs[index];
    return input === undefined ? [] : [{ ...input, index, admitted: held.has(index) || heldUntilLoser.has(index) }];
  });
  await storage.spends.insert(topic, txid, spends);
  for (const [index, input] of inputs.entries()) if (isHeld(index, input)) await removeOutput(topic, input, scope);
  const admitted = outputsToAdmit.map((outputIndex) => ({ txid, outputIndex, score }));
  for (const output of admitted) await storage.outputs.insert(topic, output);
  if (admitted.length > 0) await storage.beefs.insert(txid, beef, proof === undefined ? submitter : undefined);
  await storage.assertNoRace(
    topic,
    admitted,
    spends.filter((spend) => !isHeld(spend.index, spend)),
  );
  const removed = await updateLookups(submission, topic, outputsToAdmit, spentTokens, scope);
  return {
    outputsToAdmit: outputsToAdmit.filter((index) => !removed.has(index)),
    coinsToRetain: [],
    coinsRemoved: [...held, ...heldUntilLoser].sort((a, b) => a - b),
  };
}

/** @returns the transaction's own outputs that were removed again because a lookup service has no room for them */
async function updateLookups(
  { parsed, admittedAt, isOwn }: Submission,
  topic: string,
  admitted: readonly number[],
  spent: readonly Uint8Array[],
  scope: TopicScope,
): Promise<Set<number>> {
  const removed = new Set<number>();
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
        if (output.txid === txid) removed.add(output.outputIndex);
      }
    }
  }
  return removed;
}
