import { standalone } from './deployments.js';
import { everyDeployment } from './suites/index.js';

describe('one process with its embedded database', () => {
  everyDeployment(standalone);
});
