import {
  type Config,
  JsonServer,
  type Logger,
  openFoundation,
  openOverlayJobs,
  type RunningService,
} from '@messagebox/shared';
import { openMoney } from '@messagebox/wallet';
import { Overlay } from './overlay.js';

const DEFAULT_PORT = 8082;

/** Builds the overlay from its configuration, listens, and works. */
export async function start(config: Config, log: Logger): Promise<RunningService> {
  const foundation = await openFoundation(config, log, { service: 'overlay' });
  const { closing, health, identity } = foundation;
  try {
    const money = openMoney(foundation);
    const jobs = openOverlayJobs(foundation);
    const overlay = new Overlay({ ...foundation, money, jobs });
    closing.add('overlay', () => overlay.close());
    closing.add('jobs', () => jobs.close());
    const server = new JsonServer(overlay.app(), log, {
      onLimit: foundation.limitsHit.count,
      requestBounds: config.limits.requestShape,
    });
    closing.add('listener', () => server.close(config.shutdownGraceMs / 2));
    closing.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    await overlay.start();
    log.info({ url, identityKey: identity.authenticator.identityKey, ...foundation.facts }, 'listening');
    return { url, close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}
