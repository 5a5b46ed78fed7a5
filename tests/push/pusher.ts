import { randomBytes } from 'node:crypto';
import { openPush, type PushOptions } from '@messagebox/realtime';
import { DeviceRegistrations, openFoundation, PushOutbox, pushNotes, readConfig } from '@messagebox/shared';
import type { FcmServer } from '../support/fcm-server.js';
import { temporaryFolder } from '../support/own-process.js';
import { createDatabase } from '../support/with-mysql.js';
import { redisUrl } from '../support/with-redis.js';
import { BOB, recordingLog } from './fixtures.js';

/** What instances of one deployment have in common. */
export interface Place {
  readonly env: Record<string, string>;
  remove(): Promise<void>;
}

/** One process with its embedded database: instances share the file. */
export async function alone(): Promise<Place> {
  const folder = temporaryFolder();
  return { env: { DATA_DIR: folder.path }, remove: async () => folder.remove() };
}

/** A database server and a Redis, with a prefix whose keys go with the suite. */
export async function together(prefix: string, redis = redisUrl()): Promise<Place> {
  const database = await createDatabase();
  return {
    env: {
      KNEX_DB_CLIENT: 'mysql2',
      KNEX_DB_CONNECTION: JSON.stringify(database.url),
      REDIS_URL: redis,
      REDIS_PREFIX: `${prefix}${randomBytes(4).toString('hex')}`,
    },
    remove: () => database.drop(),
  };
}

/** An instance that may store messages and register devices, and pushes when it is told to. */
export async function openInstance(place: Place, server: FcmServer, env: Record<string, string> = {}) {
  const { lines, log } = recordingLog();
  const config = readConfig({
    NODE_ENV: 'test',
    SERVER_PRIVATE_KEY: '11'.repeat(32),
    SHUTDOWN_GRACE_SECONDS: '5',
    ENABLE_FIREBASE: 'true',
    FIREBASE_PROJECT_ID: server.projectId,
    FIREBASE_SERVICE_ACCOUNT_JSON: server.accountJson,
    ...place.env,
    ...env,
  });
  const foundation = await openFoundation(config, log, {
    service: 'test',
    embedded: { client: 'better-sqlite3', filename: `${config.dataDir}/messagebox.sqlite` },
  });
  await foundation.store.migrate();
  const outbox = new PushOutbox(foundation.sql);
  const notes = pushNotes(outbox, () => {});
  return {
    lines,
    foundation,
    outbox,
    devices: new DeviceRegistrations(foundation.sql),
    metrics: foundation.metrics,
    push: ({ fcm, ...options }: PushOptions = {}) =>
      openPush(foundation, { fcm: { endpoint: server.url, ...fcm }, everyMs: 200, ...options }),
    /** A device of somebody's; its token. */
    async device(identityKey: string): Promise<{ id: number; token: string }> {
      const token = `token-${randomBytes(8).toString('hex')}`;
      const id = await new DeviceRegistrations(foundation.sql).register({
        identityKey,
        fcmToken: token,
        deviceId: undefined,
        platform: undefined,
      });
      return { id, token };
    },
    /** Stores messages in `notifications` as the send rule does, without a hint. @returns their ids */
    async store(...recipients: string[]): Promise<string[]> {
      const batch = recipients.map((recipient) => {
        const messageId = randomBytes(8).toString('hex');
        return { recipient, messageBox: 'notifications', messageId, sender: BOB, body: 'hello' };
      });
      await foundation.store.storeMessages(batch, notes.alongside(batch));
      return batch.map(({ messageId }) => messageId);
    },
    close: () => foundation.closing.close(),
  };
}

export type Instance = Awaited<ReturnType<typeof openInstance>>;

/** What was pushed: `token messageId`, sorted. */
export function pushed(server: FcmServer): string[] {
  return server.received
    .map(({ token, message }) => `${token} ${(message['data'] as { messageId: string }).messageId}`)
    .sort();
}
