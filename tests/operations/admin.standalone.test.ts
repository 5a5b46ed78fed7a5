import { deployStandalone } from '../acceptance/deployments.js';
import { adminSuite } from './admin-suite.js';

describe('operators of standalone', () => {
  adminSuite(deployStandalone, ['standalone']);
});
