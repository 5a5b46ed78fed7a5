import { scaled } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { everyDeployment } from './suites/index.js';

describeScaled('two api and two realtime processes', () => {
  everyDeployment((env) => scaled(env));
});
