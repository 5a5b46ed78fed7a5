import {
  answerHealth,
  Closing,
  type Config,
  Health,
  JsonServer,
  type Logger,
  openBroker,
  openDatabase,
  type RunningService,
  requireRedis,
  sendJson,
  serverIdentity,
} from '@messagebox/shared';
import { Realtime } from './realtime.js';

const DEFAULT_PORT = 8081;

/** Builds the realtime service from its configuration, and listens. */
export async function start(config: Config, log: Logger): Promise<RunningService> {
  requireRedis(config);
  const closing = new Closing(log, config.shutdownGraceMs);
  const health = new Health();
  try {
    const identity = serverIdentity(config);
    const store = openDatabase(config, log, health, closing);
    const { broker, memory } = await openBroker(config, log, health, closing);
    const realtime = new Realtime({ config, log, store, identity, broker, memory });
    closing.add('socket.io', () => realtime.close());

    const server = new JsonServer((request, response) => {
      const path = request.url?.split('?')[0] ?? '/';
      if (answerHealth(path, response, health)) return;
      sendJson(response, 404, {
        status: 'error',
        code: 'ERR_NOT_FOUND',
        description: 'There is nothing here but /socket.io/ and /health/.',
      });
    });
    if (config.websockets) realtime.attach(server.http);
    closing.add('listener', () => server.close(config.shutdownGraceMs / 2));
    closing.add('sockets', () => realtime.drain());
    closing.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    log.info(
      {
        url,
        identityKey: identity.authenticator.identityKey,
        secp256k1: identity.curve,
        database: store.dialect,
        events: broker.kind,
        websockets: config.websockets,
      },
      'listening',
    );
    return { url, close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}
