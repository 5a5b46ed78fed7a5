import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createLogger, type Foundation, JsonServer, openFoundation, readConfig } from '@messagebox/shared';
import { temporaryFolder } from '../../../../tests/support/own-process.ts';
import { Realtime } from '../../src/realtime.js';

/** A realtime server in this process, on an embedded database and events in the process. */
export interface LiveServer {
  readonly url: string;
  readonly foundation: Foundation;
  readonly realtime: Realtime;
  /** The numbers that operators see. */
  metrics(): Promise<string>;
  close(): Promise<void>;
}

/** @param env configuration that differs from the default */
export async function startLiveServer(env: Record<string, string> = {}): Promise<LiveServer> {
  const folder = temporaryFolder();
  const config = readConfig({
    NODE_ENV: 'test',
    DATA_DIR: folder.path,
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    ...env,
  });
  const log = createLogger('test', false, { write: () => undefined });
  const embedded = { client: 'better-sqlite3', filename: join(folder.path, 'messagebox.sqlite') } as const;
  const foundation = await openFoundation(config, log, { service: 'realtime', embedded });
  await foundation.store.migrate();
  const realtime = new Realtime(foundation);
  const server = new JsonServer((_request, response) => void response.writeHead(404).end(), log);
  realtime.attach(server);
  const url = await server.listen(0, '127.0.0.1');
  return {
    url,
    foundation,
    realtime,
    metrics: () => foundation.metrics.registry.metrics(),
    async close() {
      realtime.close();
      await server.close(100);
      await foundation.closing.close();
      folder.remove();
    },
  };
}
