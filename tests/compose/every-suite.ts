import { type Clients, registryClients } from '../acceptance/clients.js';
import type { Deployment } from '../acceptance/deployments.js';
import { httpSurfaceSuite } from '../acceptance/suites/http-surface.js';
import { messageSuites } from '../acceptance/suites/index.js';

/**
 * What every deployment does alike, but for what takes a start with other variables.
 *
 * @param upgrades whether clients may upgrade to a websocket
 * @param clients whose clients act
 */
export function everySuite(at: () => Deployment, upgrades = true, clients: Clients = registryClients): void {
  messageSuites(at, clients, upgrades);
  httpSurfaceSuite(at);
}
