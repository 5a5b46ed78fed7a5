import type { MessageCounts } from './count-messages.ts';
import type { Recovery } from './recovery.ts';

/** The results of one trial. */
export interface Finding {
  readonly fault: string;
  readonly does: string;
  readonly counts: MessageCounts;
  readonly recovery: Recovery;
  /** Processes that ended although no fault ended them. */
  readonly ended: readonly string[];
  /** Memory or handles that grew. */
  readonly grown: readonly string[];
  /** Instances that do not say that they are ready. */
  readonly unready: readonly string[];
  /** What the server did that it must never do, such as an event with a wrong signature. */
  readonly violations: readonly string[];
  /** Who missed what, for people. */
  readonly missed: readonly string[];
  /** Why sends failed, with the number of attempts: for people. */
  readonly failures: ReadonlyMap<string, number>;
}

/** A trial without results. */
export interface Unfinished {
  readonly fault: string;
  readonly does: string;
  /** Why it was not run on this machine. */
  readonly skipped?: string;
  /** Why it could not be finished. */
  readonly broken?: string;
}

export type Outcome = Finding | Unfinished;

export const isFinding = (outcome: Outcome): outcome is Finding => 'counts' in outcome;

const MAX_RECOVERY_MS = 5_000;

export interface VerdictOptions {
  /** The time of a recovery is measured and not judged: on a machine that others use, it says little. */
  readonly ignoresRecovery?: boolean;
}

/** The criteria that a trial fails; none when it passed or was not run. */
export function findProblems(outcome: Outcome, { ignoresRecovery = false }: VerdictOptions = {}): string[] {
  if (!isFinding(outcome)) return outcome.broken === undefined ? [] : [outcome.broken];
  const { counts, recovery, ended, grown, unready, violations } = outcome;
  const problems: string[] = [];
  const count = (number: number, what: string) => {
    if (number > 0) problems.push(`${number} ${what}`);
  };
  count(counts.lost, 'acknowledged and lost');
  count(counts.twice, 'stored twice');
  count(counts.misdelivered, 'misdelivered');
  count(counts.missedStayed, 'missed live on connections that stayed');
  count(counts.missedReconnected, 'missed live after reconnecting');
  count(counts.repeated, 'repeated on one connection');
  count(counts.sent - counts.acknowledged, 'never acknowledged');
  const maxRecoveryMs = ignoresRecovery ? Number.MAX_VALUE : MAX_RECOVERY_MS;
  if (recovery.ms > maxRecoveryMs) problems.push(`${recovery.slowest} recovered ${formatRecovery(recovery.ms)}`);
  problems.push(...ended.map((what) => `ended: ${what}`));
  problems.push(...grown);
  problems.push(...unready.map((what) => `not ready: ${what}`));
  problems.push(...new Set(violations));
  return problems;
}

const formatRecovery = (ms: number): string => (Number.isFinite(ms) ? `after ${formatSeconds(ms)}` : 'never');

export function formatSeconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1_000).toFixed(1)} s` : 'never';
}
