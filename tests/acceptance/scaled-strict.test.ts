import { scaled } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { everyDeploymentStrictly } from './suites/index.js';

describeScaled('two api and two realtime processes, for clients as strict as today`s', () => {
  everyDeploymentStrictly((env) => scaled(env));
});
