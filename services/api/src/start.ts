import { createPushOutboxWriter, listLiveNamespaces } from '@messagebox/messages';
import {
  createPaymentService,
  createPaymentWarmUp,
  createPricePayments,
  startPaymentRecovery,
} from '@messagebox/payments';
import {
  type Config,
  createPublicServer,
  createPushWakeupSender,
  createSocketIoPublisher,
  type Logger,
  logListening,
  openOverlayJobQueue,
  type RunningService,
  startOutboxPruning,
  startService,
  startStatsHistory,
} from '@messagebox/shared';
import { PushOutbox } from '@messagebox/store';
import { openUploads } from '@messagebox/uploads';
import { createBsvServices } from '@messagebox/wallet';
import { Server } from 'socket.io';
import { createApi } from './app.js';
import { startExpiryPurge } from './start-expiry-purge.js';

const DEFAULT_PORT = 8080;

/** Starts the api service. */
export function start(config: Config, log: Logger): Promise<RunningService> {
  return startService(config, log, { service: 'api' }, async (context) => {
    const { shutdown, health, broker, metrics, tracer } = context;
    // This server holds no sockets. It publishes room events to the realtime instances.
    const io = new Server(broker.adapter === undefined ? {} : { adapter: broker.adapter });
    const events = createSocketIoPublisher({
      io,
      namespaces: listLiveNamespaces(config.routingPrefix),
      maxBodyBytes: config.limits.liveBody,
      log,
      metrics,
      tracer,
    });
    const isPushing = config.push !== undefined || config.webPush !== undefined;
    const outbox = isPushing ? new PushOutbox(context.sql) : undefined;
    const push =
      outbox &&
      createPushOutboxWriter(outbox, createPushWakeupSender(io), {
        boxes: config.pushBoxes,
        getTraceparent: () => tracer.current.context?.traceparent,
      });
    if (outbox !== undefined) shutdown.add('outbox', startOutboxPruning({ outbox, metrics, log }));
    const jobs = openOverlayJobQueue(context);
    shutdown.add('jobs', () => jobs.close());
    const bsv = createBsvServices(context);
    const uploads = openUploads(context);
    const payments = createPaymentService({ ...context, bsv, uploads });
    const pricePayments = createPricePayments({ ...context, bsv });
    const warmUpPayments = createPaymentWarmUp({ ...context, bsv });
    startPaymentRecovery({ ...context, events, push, payments, pricePayments });
    const server = createPublicServer(
      context,
      createApi({ ...context, events, push, jobs, payments, pricePayments, uploads }),
    );
    shutdown.add('purge', startExpiryPurge(context));
    const history = startStatsHistory(context);
    shutdown.add('history', () => history.close());
    shutdown.add('listener', () => server.close(config.shutdownGraceMs / 2));
    shutdown.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    logListening(context, url);
    warmUpPayments();
    return url;
  });
}
