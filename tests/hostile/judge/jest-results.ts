import { type Finding, findFaults, type VerdictOptions } from './verdict.ts';

/** The findings in the form of Jest's results, as far as CI reads it. */
export function toJestResults(findings: readonly Finding[], strictness: VerdictOptions): object {
  const assertionResults = findings.map((finding) => {
    const faults = findFaults(finding, strictness);
    return {
      fullName: `${finding.attack}, ${finding.shape}`,
      status: faults.length === 0 ? 'passed' : 'failed',
      failureMessages: faults,
    };
  });
  const numFailedTests = assertionResults.filter(({ status }) => status === 'failed').length;
  const status = numFailedTests === 0 ? 'passed' : 'failed';
  return {
    numPassedTests: findings.length - numFailedTests,
    numFailedTests,
    numRuntimeErrorTestSuites: 0,
    testResults: [{ name: 'hostile clients', status, message: '', assertionResults }],
  };
}
