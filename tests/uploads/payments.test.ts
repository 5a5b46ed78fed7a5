import { deployScaled, deployStandalone } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { uploadedPaymentsSuite } from './payments-suite.js';

uploadedPaymentsSuite('one process', deployStandalone);
describeScaled('several processes', () => {
  uploadedPaymentsSuite('with an overlay', (env) => deployScaled(env, { overlays: 1 }));
});
