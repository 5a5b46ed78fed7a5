import { standalone } from './deployments.js';
import { everyDeploymentStrictly } from './suites/index.js';

describe('one process with its embedded database, for clients as strict as today`s', () => {
  everyDeploymentStrictly(standalone);
});
