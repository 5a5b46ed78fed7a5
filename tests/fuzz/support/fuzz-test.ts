import fc from 'fast-check';

/** The seed of ordinary runs, which are the same each time. */
const FIXED_SEED = 20_261_130;
/** How long a longer run may take beyond its time, for the last case. Milliseconds. */
const GRACE_MS = 120_000;

/**
 * A test of a property. An ordinary run checks `cases` cases, which are always the same. `npm run test:fuzz` checks other ones
 * for as long as it is told to. A failure shows the seed and the smallest counterexample that was found.
 *
 * @param check throws, or rejects, for an input that shows a fault
 */
export function fuzzTest<Input>(
  title: string,
  cases: number,
  inputs: fc.Arbitrary<Input>,
  check: (input: Input) => void | Promise<void>,
): void {
  const seconds = Number(process.env['FUZZ_SECONDS'] ?? 0);
  const seed = Number(process.env['FUZZ_SEED'] ?? FIXED_SEED);
  const path = process.env['FUZZ_PATH'];
  const property = fc.asyncProperty(inputs, async (input) => {
    await check(input);
  });
  const extent =
    seconds > 0
      ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1_000, markInterruptAsFailure: false }
      : { numRuns: cases };
  const replay = path === undefined ? {} : { path };
  test(title, () => fc.assert(property, { seed, ...replay, ...extent }), seconds * 1_000 + GRACE_MS);
}
