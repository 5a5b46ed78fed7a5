import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Realtime } from '@messagebox/realtime';
import { createLogger, readConfig } from '@messagebox/shared';
import { start } from '@messagebox/standalone';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { sendRaw } from '@messagebox/test-support/raw-client';
import knex, { type Knex } from 'knex';
import { readWalletBalance, WALLET_FILE } from '../support/wallet-balance.ts';

/** A line of the server's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly code?: string;
  /** The limit that a refusal is about, where it is about one. */
  readonly limit?: string;
  readonly status?: number;
}

/** The contents of the store: a refused request leaves no trace in any table. */
export interface Rows {
  readonly messages: number;
  /** Tells contents apart that have the same number of messages. */
  readonly newest: number;
  readonly bytes: number;
  readonly boxes: number;
  /** Every row of permissions and delivery fees, as text. */
  readonly permissions: string;
  readonly fees: string;
  /** Payments that were taken, or are being taken. */
  readonly payments: number;
  /** In the server's wallet. */
  readonly satoshis: number;
}

/** A standalone server in this process, with an eye on its log, its database and its sockets. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly identityKey: string;
  readonly privateKey: Uint8Array;
  /** Every line so far, debug ones too, as they were written. */
  readonly log: readonly string[];
  rows(): Promise<Rows>;
  /** Sockets that the server holds, proven or not. */
  openSockets(): number;
  /** TCP connections that the server's port has. */
  openConnections(): number;
  /** The server's count of sockets without a proven identity. */
  unprovenSockets(): Promise<number>;
  /** The metrics of the internal port. */
  metrics(): Promise<string>;
  close(): Promise<void>;
}

const INFO = 30;

/** Lines at info level or above that were written since `mark`, which is an earlier `log.length`. */
export function readLinesSince(server: Pick<TestServer, 'log'>, mark: number): LogLine[] {
  return server.log
    .slice(mark)
    .map((line) => JSON.parse(line) as LogLine)
    .filter(({ level }) => level >= INFO);
}

export async function startServer(env: Record<string, string> = {}): Promise<TestServer> {
  const folder = createTemporaryFolder();
  const privateKey = randomBytes(32);
  const log: string[] = [];
  const config = readConfig({
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: folder.path,
    SERVER_PRIVATE_KEY: privateKey.toString('hex'),
    INTERNAL_HOST: '127.0.0.1',
    INTERNAL_PORT: '0',
    SHUTDOWN_GRACE_SECONDS: '2',
    ...env,
  });
  const attach = jest.spyOn(Realtime.prototype, 'attach');
  const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const service = await start(config, createLogger('standalone', 'debug', { write: (line) => void log.push(line) }));
  stderr.mockRestore();
  const realtime = attach.mock.contexts[0] as Realtime;
  attach.mockRestore();
  const [database, wallet] = ['messagebox.sqlite', WALLET_FILE].map((file) =>
    knex({
      client: 'better-sqlite3',
      connection: { filename: join(folder.path, file) },
      useNullAsDefault: true,
    }),
  ) as [Knex, Knex];
  const rows = `SELECT COUNT(*) AS messages, COALESCE(MAX(id), 0) AS newest, COALESCE(SUM(octet_length(body)), 0) AS bytes,
    (SELECT COUNT(*) FROM messageBox) AS boxes,
    (SELECT json_group_array(id || hex(recipient) || hex(sender) || hex(message_box) || recipient_fee || updated_at)
      FROM message_permissions) AS permissions,
    (SELECT json_group_array(hex(message_box) || delivery_fee || updated_at) FROM server_fees) AS fees,
    (SELECT COUNT(*) FROM payments WHERE CAST(state AS TEXT) != 'refused') AS payments
    FROM messages`;
  const lineOf = (msg: string) => JSON.parse(log.find((line) => line.includes(`"msg":"${msg}"`)) ?? '{}') as object;
  const listening = lineOf('listening') as { identityKey: string };
  const internal = lineOf('metrics and health for operators') as { url: string };

  const port = Number(new URL(service.url).port);
  const connections = countConnections(port);
  const metrics = async () => {
    const request = { method: 'GET', path: '/metrics', headers: [] };
    return (await sendRaw(Number(new URL(internal.url).port), request)).text;
  };

  return {
    url: service.url,
    port,
    identityKey: listening.identityKey,
    privateKey,
    log,
    rows: async () => ({
      ...((await database.raw(rows)) as [Omit<Rows, 'satoshis'>])[0],
      satoshis: await readWalletBalance(wallet, listening.identityKey),
    }),
    openSockets: () => realtime.size,
    openConnections: () => connections.size,
    metrics,
    async unprovenSockets() {
      return Number(/^messagebox_sockets\{.*state="unproven".*\} (-?\d+)$/m.exec(await metrics())?.[1]);
    },
    async close() {
      await database.destroy();
      await wallet.destroy();
      await service.close();
      connections.stop();
      folder.remove();
    },
  };
}

/** Counts the open connections that a port of this process accepts from now on. */
function countConnections(port: number): { readonly size: number; stop(): void } {
  const open = new Set<Socket>();
  const note = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort !== port) return;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  subscribe('net.server.socket', note);
  return {
    get size() {
      return open.size;
    },
    stop: () => void unsubscribe('net.server.socket', note),
  };
}

/** The process outside of the test's sandbox, where errors that nobody catches are reported. */
export const hostProcess = (
  setTimeout as unknown as { constructor: (code: string) => () => NodeJS.Process }
).constructor('return process')();

/** Records what would end a server's process, and warnings of Node, until `stop`. */
export function watchProcess(): { readonly trouble: string[]; stop(): void } {
  const trouble: string[] = [];
  const note = (error: unknown) =>
    trouble.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const events = ['uncaughtException', 'unhandledRejection', 'warning'] as const;
  for (const event of events) hostProcess.on(event as 'warning', note);
  return {
    trouble,
    stop: () => {
      for (const event of events) hostProcess.off(event as 'warning', note);
    },
  };
}
