import { type Finding, faultsOf, type Strictness } from './verdict.ts';

/** The findings in the form of Jest's results, as far as CI reads it. */
export function asJestResults(findings: readonly Finding[], strictness: Strictness): object {
  const assertionResults = findings.map((finding) => {
    const faults = faultsOf(finding, strictness);
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
