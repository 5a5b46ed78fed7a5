import { findProblems, isFinding, type Outcome, type VerdictOptions } from './verdict.ts';

/** The outcomes in the form of Jest's results, as far as CI reads it. A fault that was not run counts for nothing. */
export function toJestResults(outcomes: readonly Outcome[], options: VerdictOptions = {}): object {
  const assertionResults = outcomes
    .filter((outcome) => isFinding(outcome) || outcome.broken !== undefined)
    .map((outcome) => {
      const problems = findProblems(outcome, options);
      return {
        fullName: `${outcome.fault}: ${outcome.does}`,
        status: problems.length === 0 ? 'passed' : 'failed',
        failureMessages: isFinding(outcome) ? [...problems, ...outcome.missed] : problems,
      };
    });
  const numFailedTests = assertionResults.filter(({ status }) => status === 'failed').length;
  return {
    numPassedTests: assertionResults.length - numFailedTests,
    numFailedTests,
    numRuntimeErrorTestSuites: 0,
    testResults: [
      { name: 'faults', status: numFailedTests === 0 ? 'passed' : 'failed', message: '', assertionResults },
    ],
  };
}
