import { deployScaled } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { exemptionSuite, pricesSuite } from './prices-suite.js';

describeScaled('prices, two api and two realtime processes', () => {
  pricesSuite((env) => deployScaled(env, { overlays: 1 }));
});

describeScaled('exempt senders, two api and two realtime processes', () => {
  exemptionSuite((env) => deployScaled(env, { overlays: 1 }));
});
