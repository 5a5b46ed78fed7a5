import {
  type Config,
  createServiceContext,
  JsonServer,
  type Logger,
  openOverlayJobQueue,
  type RunningService,
} from '@messagebox/shared';
import { createBsvServices } from '@messagebox/wallet';
import { Overlay } from './overlay.js';

const DEFAULT_PORT = 8082;

/** Creates the overlay from its configuration, starts its server and then its worker. */
export async function start(config: Config, log: Logger): Promise<RunningService> {
  const foundation = await createServiceContext(config, log, { service: 'overlay' });
  const { shutdown, health, identity } = foundation;
  try {
    const bsv = createBsvServices(foundation);
    const jobs = openOverlayJobQueue(foundation);
    const overlay = new Overlay({ ...foundation, bsv, jobs });
    shutdown.add('overlay', () => overlay.close());
    shutdown.add('jobs', () => jobs.close());
    const server = new JsonServer(overlay.createApp(), log, {
      onLimit: foundation.limitsHit.count,
      requestBounds: config.limits.requestShape,
    });
    shutdown.add('listener', () => server.close(config.shutdownGraceMs / 2));
    shutdown.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    await overlay.start();
    const { facts } = foundation;
    const { identityKey } = identity.authenticator;
    await foundation.reporter.markStarted();
    log.info({ url, identityKey, ...facts }, 'listening');
    return { url, identityKey, facts, close: () => shutdown.close() };
  } catch (error) {
    await shutdown.close();
    throw error;
  }
}
