import {
  Closing,
  type Config,
  Health,
  JsonServer,
  type Logger,
  liveNamespaces,
  openBroker,
  openDatabase,
  type RunningService,
  requireRedis,
  serverIdentity,
  socketIoPublisher,
} from '@messagebox/shared';
import { Server } from 'socket.io';
import { createApi } from './app.js';
import { purgeClaimsRegularly } from './purge-claims.js';

const DEFAULT_PORT = 8080;

/** Builds the api from its configuration, and listens. */
export async function start(config: Config, log: Logger): Promise<RunningService> {
  requireRedis(config);
  const closing = new Closing(log, config.shutdownGraceMs);
  const health = new Health();
  try {
    const identity = serverIdentity(config);
    const store = openDatabase(config, log, health, closing);
    const { broker } = await openBroker(config, log, health, closing);
    // Publishes like a realtime instance, and holds no sockets.
    const io = new Server(broker.adapter === undefined ? {} : { adapter: broker.adapter });
    const events = socketIoPublisher({
      io,
      namespaces: liveNamespaces(config.routingPrefix),
      maxBodyBytes: config.limits.liveBody,
      log,
    });

    const server = new JsonServer(createApi({ config, log, store, identity, events, health }));
    closing.add('claims', purgeClaimsRegularly(store, log));
    closing.add('listener', () => server.close(config.shutdownGraceMs / 2));
    closing.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    log.info(
      {
        url,
        identityKey: identity.authenticator.identityKey,
        secp256k1: identity.curve,
        database: store.dialect,
        events: broker.kind,
      },
      'listening',
    );
    return { url, close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}
