import { deployScaled, useDeployment } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { exchangeSuite } from './exchange-suite.js';
import { describeInBrowser } from './support/describe-in-browser.js';
import { openSingleOrigin, type SingleOrigin } from './support/single-origin.js';

describeScaled('the console of scaled services', () => {
  describeInBrowser('behind one address', (browser) => {
    // So that an instance can pass on what belongs to another one.
    const internal = { INTERNAL_PORT: '0', INTERNAL_HOST: '127.0.0.1', INTERNAL_ADDRESS: '127.0.0.1' };
    const deployment = useDeployment(() => deployScaled(internal));
    let origin: SingleOrigin | undefined;
    beforeAll(async () => {
      origin = await openSingleOrigin(deployment());
    });
    afterAll(() => origin?.close());
    exchangeSuite(browser, () => origin?.url ?? '');
  });
});
