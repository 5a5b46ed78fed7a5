import type { Outage } from './outage.ts';
import type { Slowdown } from './slowdown.ts';

/** The results of one run of one attack. */
export interface Finding {
  readonly attack: string;
  readonly shape: string;
  readonly slowdown: Slowdown;
  readonly outage: Outage | undefined;
  /** Bytes of the process whose memory grew most. */
  readonly memory: { readonly before: number; readonly peak: number; readonly after: number };
  /** How the first process ended that did; undefined: all are alive. */
  readonly ended: string | undefined;
  /** Whether every process said after the attack that it is ready. */
  readonly ready: boolean;
}

/** Issue 10: what an honest client must not notice. */
const MAX_P99_RATIO = 3;
const MAX_OUTAGE_MS = 1_000;
const MAX_MEMORY_RATIO = 1.2;

export interface VerdictOptions {
  /** Latencies are measured and not judged: on a machine that others use, they say little. */
  readonly ignoresLatency?: boolean;
  /** How long an honest client may be refused or not answered, milliseconds. */
  readonly maxOutageMs?: number;
}

/** The failures of a run; none when it passed. */
export function findFaults(
  { slowdown, outage, memory, ended, ready }: Finding,
  { ignoresLatency = false, maxOutageMs = MAX_OUTAGE_MS }: VerdictOptions = {},
): string[] {
  const faults: string[] = [];
  if (ended !== undefined) faults.push(`a process ended (${ended})`);
  if (!ignoresLatency && !(slowdown.p99 <= MAX_P99_RATIO)) faults.push(`p99 of ${slowdown.p99.toFixed(1)} times quiet`);
  if (outage !== undefined && outage.ms > maxOutageMs)
    faults.push(`${outage.kind} not served for ${formatSeconds(outage.ms)}`);
  if (ended === undefined && memory.after > memory.before * MAX_MEMORY_RATIO) faults.push('memory not given back');
  if (!ready) faults.push('not ready afterwards');
  return faults;
}

export function formatSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
