import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createLogger, createServiceContext, JsonServer, readConfig, type ServiceContext } from '@messagebox/shared';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { Realtime, type RealtimeOptions } from '../../src/realtime.js';

/** A realtime server in the test's process, with an embedded database and in-process events. */
export interface LiveServer {
  readonly url: string;
  readonly context: ServiceContext;
  readonly realtime: Realtime;
  /** Returns the text of `/metrics`. */
  metrics(): Promise<string>;
  close(): Promise<void>;
}

/**
 * @param env environment variables that differ from the defaults
 * @param options options of {@link Realtime} that differ from the defaults
 */
export async function startLiveServer(
  env: Record<string, string> = {},
  options: Partial<RealtimeOptions> = {},
): Promise<LiveServer> {
  const folder = createTemporaryFolder();
  const config = readConfig({
    NODE_ENV: 'test',
    DATA_DIR: folder.path,
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    ...env,
  });
  const log = createLogger('test', 'info', { write: () => undefined });
  const embedded = { client: 'better-sqlite3', filename: join(folder.path, 'messagebox.sqlite') } as const;
  const context = await createServiceContext(config, log, { service: 'realtime', embedded });
  await context.store.migrate();
  const realtime = new Realtime({ ...context, ...options });
  const server = new JsonServer((_request, response) => void response.writeHead(404).end(), log);
  realtime.attach(server);
  const url = await server.listen(0, '127.0.0.1');
  return {
    url,
    context,
    realtime,
    metrics: () => context.metrics.registry.metrics(),
    async close() {
      realtime.close();
      await server.close(100);
      await context.shutdown.close();
      folder.remove();
    },
  };
}
