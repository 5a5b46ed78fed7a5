import { deployScaled } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { describeEveryDeployment } from './suites/index.js';

describeScaled('two api, two realtime and two overlay processes', () => {
  describeEveryDeployment((env) => deployScaled(env, { overlays: 2 }));
});
