/**
 * `describe` for suites that need something a machine may not have. Where it is missing, says so loudly, and is a
 * failure in CI: a suite that silently didn't run looks just like one that passed.
 *
 * @param isRequired whether its absence is a failure
 */
export function describeWhen(
  available: boolean,
  name: string,
  need: string,
  suite: () => void,
  isRequired = Boolean(process.env['CI']),
): void {
  describe(name, () => {
    if (available) return suite();
    test(`needs ${need}`, () => {
      if (isRequired) throw new Error(`"${name}" could not run: it needs ${need}.`);
      process.stderr.write(`\n!!! NOT TESTED: "${name}". It needs ${need}.\n\n`);
    });
  });
}
