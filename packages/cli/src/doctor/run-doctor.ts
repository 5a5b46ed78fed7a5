import { type Check, type CheckResult, fail, notApplicable } from './check.js';
import { checks } from './checks/index.js';
import type { DoctorOptions } from './context.js';
import { createDoctorContext } from './create-context.js';
import { NotApplicableError, ProbeError } from './errors.js';
import { TimeLimitError, withTimeLimit } from './time-limit.js';

/** A check with its result. */
export interface DoctorResult extends CheckResult {
  readonly name: string;
}

/** Steps that a check may wait for one after the other. Each of them has its own limit; this is the last resort. */
const MAX_STEPS = 6;

/**
 * Runs all checks at the same time.
 *
 * @param onDone called as checks end, with how many are left
 * @returns the results in the order of the list of checks
 */
export async function runDoctor(options: DoctorOptions, onDone?: (left: number) => void): Promise<DoctorResult[]> {
  const context = createDoctorContext(options);
  let left = checks.length;
  return await Promise.all(
    checks.map(async (check): Promise<DoctorResult> => {
      const result = await runCheck(check, () => check.run(context), options.limitMs);
      left -= 1;
      onDone?.(left);
      return { name: check.name, ...result };
    }),
  );
}

async function runCheck(
  { name }: Check,
  run: () => Promise<CheckResult> | CheckResult,
  limitMs: number,
): Promise<CheckResult> {
  try {
    return await withTimeLimit(MAX_STEPS * limitMs, async () => run());
  } catch (error) {
    if (error instanceof NotApplicableError) return notApplicable(error.message);
    if (error instanceof ProbeError) return fail(error.seen, error.advice);
    if (error instanceof TimeLimitError)
      return fail(error.message, 'Is it overloaded, or does a firewall drop packets?');
    const reason = error instanceof Error ? error.message : String(error);
    return fail(`the check of ${name} itself failed: ${reason}`, 'Please report it.');
  }
}
