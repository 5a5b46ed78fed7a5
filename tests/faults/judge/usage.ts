import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds. Linux only; elsewhere nothing is known and nothing is judged. */
export interface Usage {
  readonly pid: number;
  /** Resident memory. */
  readonly bytes: number;
  /** Open files and connections. */
  readonly handles: number;
}

/** A process that was started a few seconds ago still grows by itself: this finds what runs away, not what creeps. */
const MAX_MEMORY_RATIO = 1.5;
const MEMORY_SLACK_BYTES = 96 * 1_048_576;
const HANDLES_SLACK = 60;

export function readUsage(pid: number): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const bytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
    return { pid, bytes, handles: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** What has grown beyond the slack; undefined: nothing, or another process has taken the place. */
export function describeGrowth(label: string, before: Usage | undefined, after: Usage | undefined): string | undefined {
  if (before === undefined || after === undefined || before.pid !== after.pid) return undefined;
  if (after.bytes > before.bytes * MAX_MEMORY_RATIO + MEMORY_SLACK_BYTES) {
    return `memory of ${label} grew from ${formatMegabytes(before.bytes)} to ${formatMegabytes(after.bytes)}`;
  }
  if (after.handles > before.handles + HANDLES_SLACK) {
    return `handles of ${label} grew from ${before.handles} to ${after.handles}`;
  }
  return undefined;
}

const formatMegabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`;
