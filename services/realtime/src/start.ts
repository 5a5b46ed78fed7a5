import type { IncomingMessage, ServerResponse } from 'node:http';
import { createPaymentService, createPaymentWarmUp } from '@messagebox/payments';
import {
  answerHealth,
  type Config,
  createPublicServer,
  getRateLimitedLog,
  type JsonServer,
  type Logger,
  logListening,
  type RunningService,
  type ServiceContext,
  sendJson,
  startService,
} from '@messagebox/shared';
import { createBsvServices } from '@messagebox/wallet';
import { startPush } from './push/index.js';
import { Realtime } from './realtime.js';
import { joinRegistry } from './sockets/instance-registry.js';

const DEFAULT_PORT = 8081;

/** Starts the realtime service. */
export function start(config: Config, log: Logger): Promise<RunningService> {
  return startService(config, log, { service: 'realtime' }, async (context) => {
    const { shutdown, health } = context;
    const push = await startPush(context);
    const bsv = createBsvServices(context);
    const payments = createPaymentService({ ...context, bsv });
    const warmUpPayments = createPaymentWarmUp({ ...context, bsv });
    const realtime = new Realtime({ ...context, push, payments });
    shutdown.add('socket.io', () => realtime.close());

    const server = createPublicServer(context, (request, response) => answerRequest(context, request, response));
    if (config.websockets) {
      realtime.attach(server);
      joinOtherInstances(context, realtime, server);
    }
    shutdown.add('listener', () => server.close(config.shutdownGraceMs / 2));
    shutdown.add('sockets', () => realtime.drain());
    shutdown.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    logListening(context, url, { websockets: config.websockets });
    warmUpPayments();
    return url;
  });
}

/** Answers the requests that are not for socket.io. */
function answerRequest({ health, log }: ServiceContext, request: IncomingMessage, response: ServerResponse): void {
  const path = request.url?.split('?')[0] ?? '/';
  if (answerHealth(path, response, health)) return;
  const description = 'This port serves only /socket.io/, /health and /ready.';
  getRateLimitedLog(log).write('info', { status: 404, code: 'ERR_NOT_FOUND' }, 'request refused');
  sendJson(response, 404, { status: 'error', code: 'ERR_NOT_FOUND', description });
}

/** Lets instances forward requests of each other's connections. This needs Redis and an internal port. */
function joinOtherInstances(
  { config, redis, internal, shutdown, log }: ServiceContext,
  realtime: Realtime,
  server: JsonServer,
): void {
  if (redis === undefined || internal === undefined || config.redis === undefined) return;
  const registry = joinRegistry(redis, config.redis.prefix, internal.url, log);
  shutdown.add('registry', () => registry.leave());
  realtime.joinInstances(server, internal.server, registry);
}
