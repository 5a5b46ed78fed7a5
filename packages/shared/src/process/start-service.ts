import type { RequestListener } from 'node:http';
import type { Config } from '../config/read-config.js';
import { getClientAddress } from '../http/client-address.js';
import { JsonServer } from '../http/json-server.js';
import type { Logger } from '../logging/logger.js';
import { createServiceContext, type ServiceContext, type ServiceContextOptions } from './create-service-context.js';
import type { RunningService } from './run-service.js';

/**
 * Creates the context of a service and starts the service with it. When the start fails, everything that was opened is
 * closed again.
 *
 * @param wire creates the parts of the service and listens; returns the base URL of the public port
 * @throws {ConfigError} when a part of the configuration is missing, and whatever `wire` throws
 */
export async function startService(
  config: Config,
  log: Logger,
  options: ServiceContextOptions,
  wire: (context: ServiceContext) => Promise<string>,
): Promise<RunningService> {
  const context = await createServiceContext(config, log, options);
  const { shutdown, identity, facts } = context;
  try {
    const url = await wire(context);
    await context.reporter.markStarted();
    return { url, identityKey: identity.authenticator.identityKey, facts, close: () => shutdown.close() };
  } catch (error) {
    await shutdown.close();
    throw error;
  }
}

/** The cost of accepting and closing a connection, besides what is measured when it is opened. Milliseconds. */
const CONNECTION_COST_MS = 0.1;

/**
 * Creates the HTTP server of a service's public port, with the configured limits. It does not listen yet. Without a proxy in
 * front, the connections of an address that uses much of this process wait for those of others.
 */
export function createPublicServer(
  { config, log, limitsHit, scheduler }: ServiceContext,
  listener: RequestListener,
): JsonServer {
  return new JsonServer(listener, log, {
    onLimit: limitsHit.count,
    requestBounds: config.limits.requestShape,
    getRequestKey: (request) => getClientAddress(request, config.trustedProxies),
    ...(config.trustedProxies > 0
      ? {}
      : { scheduleConnection: (address, open) => scheduler.run({ address }, open, CONNECTION_COST_MS) }),
  });
}

/** Logs where a service listens and what it runs on. */
export function logListening(
  { log, identity, facts }: ServiceContext,
  url: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  log.info({ url, identityKey: identity.authenticator.identityKey, ...facts, ...fields }, 'listening');
}
