import { openPayments } from '@messagebox/payments';
import {
  answerHealth,
  type Config,
  type Foundation,
  JsonServer,
  type Logger,
  limitedLines,
  openFoundation,
  type RunningService,
  sendJson,
} from '@messagebox/shared';
import { openMoney } from '@messagebox/wallet';
import { openPush } from './push/index.js';
import { Realtime } from './realtime.js';
import { joinRegistry } from './sockets/instance-registry.js';

const DEFAULT_PORT = 8081;

/** With Redis and an internal port, instances pass requests of each other's connections on. */
function joinOthers(
  { config, redis, internal, closing, log }: Foundation,
  realtime: Realtime,
  server: JsonServer,
): void {
  if (redis === undefined || internal === undefined || config.redis === undefined) return;
  const registry = joinRegistry(redis, config.redis.prefix, internal.url, log);
  closing.add('registry', () => registry.leave());
  realtime.share(server, internal.server, registry);
}

/** Builds the realtime service from its configuration, and listens. */
export async function start(config: Config, log: Logger): Promise<RunningService> {
  const foundation = await openFoundation(config, log, { service: 'realtime' });
  const { closing, health, identity } = foundation;
  try {
    const push = await openPush(foundation);
    const payments = openPayments({ ...foundation, money: openMoney(foundation) });
    const realtime = new Realtime({ ...foundation, push, payments });
    closing.add('socket.io', () => realtime.close());

    const server = new JsonServer(
      (request, response) => {
        const path = request.url?.split('?')[0] ?? '/';
        if (answerHealth(path, response, health)) return;
        const description = 'There is nothing here but /socket.io/ and /health/.';
        limitedLines(log).write('info', { status: 404, code: 'ERR_NOT_FOUND' }, 'request refused');
        sendJson(response, 404, { status: 'error', code: 'ERR_NOT_FOUND', description });
      },
      log,
      { onLimit: foundation.limitsHit.count, requestBounds: config.limits.requestShape },
    );
    if (config.websockets) {
      realtime.attach(server);
      joinOthers(foundation, realtime, server);
    }
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
