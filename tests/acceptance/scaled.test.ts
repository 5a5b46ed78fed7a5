import { scaled } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { everyDeployment } from './suites/index.js';

describeScaled('two api, two realtime and two overlay processes', () => {
  everyDeployment((env) => scaled(env, { overlays: 2 }));
});
