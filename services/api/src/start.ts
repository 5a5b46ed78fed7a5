import { finishPaymentsRegularly, openPayments } from '@messagebox/payments';
import {
  type Config,
  JsonServer,
  type Logger,
  liveNamespaces,
  openFoundation,
  openOverlayJobs,
  PushOutbox,
  pushNotes,
  type RunningService,
  sendPushHints,
  socketIoPublisher,
  tendOutbox,
} from '@messagebox/shared';
import { openMoney } from '@messagebox/wallet';
import { Server } from 'socket.io';
import { createApi } from './app.js';
import { purgeExpiredRegularly } from './purge-expired.js';

const DEFAULT_PORT = 8080;

/** Builds the api from its configuration, and listens. */
export async function start(config: Config, log: Logger): Promise<RunningService> {
  const foundation = await openFoundation(config, log, { service: 'api' });
  const { closing, health, identity, broker, metrics } = foundation;
  try {
    // Publishes like a realtime instance, and holds no sockets.
    const io = new Server(broker.adapter === undefined ? {} : { adapter: broker.adapter });
    const events = socketIoPublisher({
      io,
      namespaces: liveNamespaces(config.routingPrefix),
      maxBodyBytes: config.limits.liveBody,
      log,
      metrics,
    });
    const outbox = config.push && new PushOutbox(foundation.sql);
    const push = outbox && pushNotes(outbox, sendPushHints(io));
    if (outbox !== undefined) closing.add('outbox', tendOutbox({ outbox, metrics, log }));
    const jobs = openOverlayJobs(foundation);
    closing.add('jobs', () => jobs.close());
    const payments = openPayments({ ...foundation, money: openMoney(foundation) });
    finishPaymentsRegularly({ ...foundation, events, push, payments });
    const server = new JsonServer(createApi({ ...foundation, events, push, jobs, payments }), log, {
      onLimit: foundation.limitsHit.count,
      requestBounds: config.limits.requestShape,
    });
    closing.add('purge', purgeExpiredRegularly(foundation));
    closing.add('listener', () => server.close(config.shutdownGraceMs / 2));
    closing.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    log.info({ url, identityKey: identity.authenticator.identityKey, ...foundation.facts }, 'listening');
    return { url, close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}
