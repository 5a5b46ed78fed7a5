import path from 'node:path';

/**
 * A Jest reporter for output that is not a terminal: after each suite it prints how many of how many are done, how many
 * failed, and which ones run. On a terminal, Jest's own reporter shows this.
 */
export default class ProgressReporter {
  #running = new Set();

  constructor(globalConfig) {
    this.rootDir = globalConfig.rootDir;
    this.isShown = !process.stderr.isTTY;
  }

  onTestFileStart(test) {
    this.#running.add(path.relative(this.rootDir, test.path));
  }

  onTestFileResult(
    test,
    _result,
    { numFailedTestSuites, numPassedTestSuites, numPendingTestSuites, numTotalTestSuites },
  ) {
    this.#running.delete(path.relative(this.rootDir, test.path));
    if (!this.isShown || numTotalTestSuites === 1) return;
    const done = numFailedTestSuites + numPassedTestSuites + numPendingTestSuites;
    const running = [...this.#running].join(', ') || 'none';
    const failed = numFailedTestSuites > 0 ? `, ${numFailedTestSuites} failed` : '';
    process.stderr.write(`     ${done} of ${numTotalTestSuites} suites done${failed}; running: ${running}\n`);
  }
}
