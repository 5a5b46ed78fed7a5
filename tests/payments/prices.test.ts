import { deployStandalone } from '../acceptance/deployments.js';
import { exemptionSuite, pricesSuite } from './prices-suite.js';

describe('prices, one process with its embedded database', () => {
  pricesSuite(deployStandalone);
});

describe('exempt senders, one process with its embedded database', () => {
  exemptionSuite(deployStandalone);
});
