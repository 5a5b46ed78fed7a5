import { type Deploy, deployed } from '../deployments.js';
import { adminFeesSuite } from './admin-fees.js';
import { duplicatesSuite } from './duplicates.js';
import { hostAdvertisementsSuite } from './host-advertisements.js';
import { httpSuite } from './http.js';
import { httpSurfaceSuite } from './http-surface.js';
import { listingSuite } from './listing.js';
import { liveSuite } from './live.js';
import { namesAndBodiesSuite } from './names-and-bodies.js';
import { paymentsSuite } from './payments.js';
import { permissionTablesSuite } from './permission-tables.js';
import { permissionsSuite } from './permissions.js';
import { pushSuite } from './push.js';

import { roomsSuite } from './rooms.js';
import { routingPrefixSuite } from './routing-prefix.js';

/** What every deployment does alike, whatever it is made of. */
export function everyDeployment(deploy: Deploy): void {
  describe('as it comes', () => {
    const at = deployed(() => deploy());
    httpSuite(at);
    liveSuite(at);
    namesAndBodiesSuite(at);
    listingSuite(at);
    duplicatesSuite(at);
    roomsSuite(at);
    permissionsSuite(at);
    permissionTablesSuite(at);
    httpSurfaceSuite(at);
    hostAdvertisementsSuite(at);
    paymentsSuite(at);
  });
  pushSuite(deploy);
  adminFeesSuite(deploy);
  routingPrefixSuite(deploy);
}
