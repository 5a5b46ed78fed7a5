import { deployStandalone } from './deployments.js';
import { describeEveryDeploymentStrictly } from './suites/index.js';

describe('one process with its embedded database, for clients as strict as today`s', () => {
  describeEveryDeploymentStrictly(deployStandalone);
});
