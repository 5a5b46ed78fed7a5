import { type Clients, registryClients, strictClients } from '../clients.js';
import { type Deploy, type Deployment, useDeployment } from '../deployments.js';
import { adminFeesSuite } from './admin-fees.js';
import { duplicatesSuite } from './duplicates.js';
import { expirySuite } from './expiry.js';
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
import { serverInfoSuite } from './server-info.js';
import { todaysClientsSuite } from './todays-clients.js';

/** The behaviour that all deployments share, for the clients of the registry. */
export function describeEveryDeployment(deploy: Deploy): void {
  describe('as it comes', () => {
    const at = useDeployment(() => deploy());
    describeMessageSuites(at, registryClients);
    permissionTablesSuite(at);
    httpSurfaceSuite(at);
    serverInfoSuite(at);
    hostAdvertisementsSuite(at);
    paymentsSuite(at);
  });
  pushSuite(deploy);
  adminFeesSuite(deploy);
  routingPrefixSuite(deploy);
}

/** The same for the strict clients, but for what needs a wallet with money or a browser. */
export function describeEveryDeploymentStrictly(deploy: Deploy): void {
  describe('as it comes', () => {
    const at = useDeployment(() => deploy());
    describeMessageSuites(at, strictClients);
    permissionTablesSuite(at, strictClients);
    todaysClientsSuite(at);
  });
  pushSuite(deploy, strictClients);
  adminFeesSuite(deploy, strictClients);
  routingPrefixSuite(deploy, strictClients);
}

/**
 * Messages and permissions, by whichever clients.
 *
 * @param upgrades whether clients may upgrade to a websocket
 */
export function describeMessageSuites(at: () => Deployment, clients: Clients, upgrades = true): void {
  httpSuite(at, clients);
  liveSuite(at, upgrades, clients);
  namesAndBodiesSuite(at, clients);
  listingSuite(at, clients);
  expirySuite(at, clients);
  duplicatesSuite(at, clients);
  roomsSuite(at, clients);
  permissionsSuite(at, clients);
}
