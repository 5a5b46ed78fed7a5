import { type Clients, registryClients, strictClients } from '../clients.js';
import { type Deploy, type Deployment, deployed } from '../deployments.js';
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
import { todaysClientsSuite } from './todays-clients.js';

/** What every deployment does alike, whatever it is made of, for the clients of the registry. */
export function everyDeployment(deploy: Deploy): void {
  describe('as it comes', () => {
    const at = deployed(() => deploy());
    messageSuites(at, registryClients);
    permissionTablesSuite(at);
    httpSurfaceSuite(at);
    hostAdvertisementsSuite(at);
    paymentsSuite(at);
  });
  pushSuite(deploy);
  adminFeesSuite(deploy);
  routingPrefixSuite(deploy);
}

/** The same for the strict clients, but for what needs a wallet with money or a browser. */
export function everyDeploymentStrictly(deploy: Deploy): void {
  describe('as it comes', () => {
    const at = deployed(() => deploy());
    messageSuites(at, strictClients);
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
export function messageSuites(at: () => Deployment, clients: Clients, upgrades = true): void {
  httpSuite(at, clients);
  liveSuite(at, upgrades, clients);
  namesAndBodiesSuite(at, clients);
  listingSuite(at, clients);
  duplicatesSuite(at, clients);
  roomsSuite(at, clients);
  permissionsSuite(at, clients);
}
