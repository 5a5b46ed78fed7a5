import { deployScaled } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { describeEveryDeploymentStrictly } from './suites/index.js';

describeScaled('two api and two realtime processes, for clients as strict as today`s', () => {
  describeEveryDeploymentStrictly((env) => deployScaled(env));
});
