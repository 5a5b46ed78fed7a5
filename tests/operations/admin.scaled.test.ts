import { deployScaled } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { adminSuite } from './admin-suite.js';

describeScaled('operators of scaled services', () => {
  adminSuite((env) => deployScaled(env, { overlays: 1 }), ['api', 'api', 'overlay', 'realtime', 'realtime']);
});
