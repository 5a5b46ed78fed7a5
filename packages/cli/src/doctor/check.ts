import type { DoctorContext } from './context.js';

export type Verdict = 'ok' | 'warn' | 'fail' | 'not applicable';

/** What a check has found. */
export interface CheckResult {
  readonly verdict: Verdict;
  /** What was seen, as a short text without a secret. */
  readonly seen: string;
  /** What to do. Only for `warn` and `fail`. */
  readonly advice?: string | undefined;
}

/** Compares one part of the configuration with reality. */
export interface Check {
  /** Unique, such as `database schema`. */
  readonly name: string;
  /** Never changes anything that outlives it. @param context what the configuration says, and shared probes */
  run(context: DoctorContext): Promise<CheckResult> | CheckResult;
}

export const ok = (seen: string): CheckResult => ({ verdict: 'ok', seen });
export const warn = (seen: string, advice: string): CheckResult => ({ verdict: 'warn', seen, advice });
export const fail = (seen: string, advice: string): CheckResult => ({ verdict: 'fail', seen, advice });
export const notApplicable = (why: string): CheckResult => ({ verdict: 'not applicable', seen: why });
