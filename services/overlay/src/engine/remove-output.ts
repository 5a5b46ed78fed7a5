import type { Outpoint } from '@messagebox/transactions';
import type { TopicScope } from './topic-scope.js';

/**
 * Removes an output from a topic and from its lookup services.
 *
 * @throws {LostRaceError} when the topic does not hold the output
 */
export async function removeOutput(topic: string, output: Outpoint, scope: TopicScope): Promise<void> {
  await scope.storage.deleteOutput(topic, output);
  for (const lookup of scope.lookups) {
    if (lookup.description.topic === topic) await lookup.remove(scope.runner, output);
  }
}
