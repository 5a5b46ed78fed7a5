import {
  answerHealth,
  type Config,
  JsonServer,
  type Logger,
  openFoundation,
  type RunningService,
  sendJson,
} from '@messagebox/shared';
import { Realtime } from './realtime.js';

const DEFAULT_PORT = 8081;

/** Builds the realtime service from its configuration, and listens. */
export async function start(config: Config, log: Logger): Promise<RunningService> {
  const foundation = await openFoundation(config, log, { service: 'realtime' });
  const { closing, health, identity } = foundation;
  try {
    const realtime = new Realtime(foundation);
    closing.add('socket.io', () => realtime.close());

    const server = new JsonServer((request, response) => {
      const path = request.url?.split('?')[0] ?? '/';
      if (answerHealth(path, response, health)) return;
      const description = 'There is nothing here but /socket.io/ and /health/.';
      sendJson(response, 404, { status: 'error', code: 'ERR_NOT_FOUND', description });
    });
    if (config.websockets) realtime.attach(server.http);
    closing.add('listener', () => server.close(config.shutdownGraceMs / 2));
    closing.add('sockets', () => realtime.drain());
    closing.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    const { identityKey } = identity.authenticator;
    log.info({ url, identityKey, ...foundation.facts, websockets: config.websockets }, 'listening');
    return { url, close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}
