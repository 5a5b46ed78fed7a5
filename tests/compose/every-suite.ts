import { type Clients, registryClients } from '../acceptance/clients.js';
import type { Deployment } from '../acceptance/deployments.js';
import { httpSurfaceSuite } from '../acceptance/suites/http-surface.js';
import { describeMessageSuites } from '../acceptance/suites/index.js';

/**
 * The behaviour that all deployments share, without the suites that need other variables at the start.
 *
 * @param upgrades whether clients may upgrade to a websocket
 * @param clients whose clients act
 */
export function describeEverySuite(at: () => Deployment, upgrades = true, clients: Clients = registryClients): void {
  describeMessageSuites(at, clients, upgrades);
  httpSurfaceSuite(at);
}
