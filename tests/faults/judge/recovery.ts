import type { Evidence } from './evidence.ts';

/** How long after the fault's end things worked again, milliseconds; infinite: not until the trial was over. */
export interface Recovery {
  /** Until a send over HTTP, one live, and a push to each listener that is not cut by the harness have succeeded. */
  readonly ms: number;
  /** What took longest. */
  readonly slowest: string;
  /** Until the last message that was sent before the fault's end was pushed; 0: before that. */
  readonly caughtUpMs: number;
}

/**
 * Measures the recovery. What is begun after the fault's end counts, not what was waiting for it.
 *
 * The registry's client waits up to 5 s by itself before it connects again, so its listener has no part in this.
 */
export function measureRecovery({ sent, devices, fault }: Evidence): Recovery {
  const after = sent.filter(({ at }) => at >= fault.until);
  const firstAck = (way: string) =>
    earliest(
      after.flatMap(({ acknowledgedBy, acknowledgedAt }) =>
        acknowledgedBy === way && acknowledgedAt !== undefined ? [acknowledgedAt] : [],
      ),
    );
  const sentAfter = new Set(after.map(({ messageId }) => messageId));
  const firsts = new Map<string, number>([
    ['HTTP', firstAck('HTTP')],
    ['live', firstAck('live')],
  ]);
  let lastOfBefore = fault.until;
  for (const { label, isCut, connections } of devices) {
    if (isCut) continue;
    const pushes = connections.flatMap((connection) => connection.pushes);
    if (label !== REGISTRY_LABEL) {
      firsts.set(
        `push, ${label}`,
        earliest(pushes.flatMap(({ messageId, at }) => (sentAfter.has(messageId) ? [at] : []))),
      );
    }
    for (const { messageId, at } of pushes) if (!sentAfter.has(messageId)) lastOfBefore = Math.max(lastOfBefore, at);
  }
  const [slowest, at] = [...firsts].reduce((a, b) => (b[1] > a[1] ? b : a));
  return { ms: Math.max(0, at - fault.until), slowest, caughtUpMs: lastOfBefore - fault.until };
}

export const REGISTRY_LABEL = 'MessageBoxClient';

const earliest = (times: readonly number[]): number => Math.min(Number.POSITIVE_INFINITY, ...times);
