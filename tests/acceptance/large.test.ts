import { strictClients } from './clients.js';
import { deployScaled, deployStandalone, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { largeBodiesSuite, largePaymentsSuite } from './suites/large.js';

describe('one process', () => {
  const at = useDeployment(() => deployStandalone());
  largeBodiesSuite(at);
  describe('strictly', () => largeBodiesSuite(at, strictClients));
  largePaymentsSuite(at);
});

describeScaled('on a database server', () => {
  const at = useDeployment(() => deployScaled({}, { overlays: 1 }));
  largeBodiesSuite(at);
  describe('strictly', () => largeBodiesSuite(at, strictClients));
  largePaymentsSuite(at);
});
