import type { Deployment } from '../acceptance/deployments.js';
import { duplicatesSuite } from '../acceptance/suites/duplicates.js';
import { httpSuite } from '../acceptance/suites/http.js';
import { httpSurfaceSuite } from '../acceptance/suites/http-surface.js';
import { listingSuite } from '../acceptance/suites/listing.js';
import { liveSuite } from '../acceptance/suites/live.js';
import { namesAndBodiesSuite } from '../acceptance/suites/names-and-bodies.js';
import { permissionsSuite } from '../acceptance/suites/permissions.js';
import { roomsSuite } from '../acceptance/suites/rooms.js';

/**
 * What every deployment does alike, but for what takes a start with other variables.
 *
 * @param upgrades whether clients may upgrade to a websocket
 */
export function everySuite(at: () => Deployment, upgrades = true): void {
  httpSuite(at);
  liveSuite(at, upgrades);
  namesAndBodiesSuite(at);
  listingSuite(at);
  duplicatesSuite(at);
  roomsSuite(at);
  permissionsSuite(at);
  httpSurfaceSuite(at);
}
