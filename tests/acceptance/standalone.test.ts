import { deployStandalone } from './deployments.js';
import { describeEveryDeployment } from './suites/index.js';

describe('one process with its embedded database', () => {
  describeEveryDeployment(deployStandalone);
});
