import type { Outpoint } from '@messagebox/wallet';
import type { Scope } from './apply-transaction.js';

/**
 * Takes an output out of a topic, and out of the lookup services that find it.
 *
 * @throws {LostRaceError} when it is not there
 */
export async function removeOutput(topic: string, output: Outpoint, scope: Scope): Promise<void> {
  await scope.storage.deleteOutput(topic, output);
  for (const lookup of scope.lookups) {
    if (lookup.description.topic === topic) await lookup.remove(scope.runner, output);
  }
}
