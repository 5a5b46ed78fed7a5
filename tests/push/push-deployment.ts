import { randomBytes } from 'node:crypto';
import { createPushOutboxWriter } from '@messagebox/messages';
import { type PushOptions, startPush } from '@messagebox/realtime';
import { createServiceContext, readConfig } from '@messagebox/shared';
import { DeviceRegistrations, PushOutbox } from '@messagebox/store';
import type { FcmServer } from '@messagebox/test-support/fcm-server';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createMysqlDatabase } from '@messagebox/test-support/with-mysql';
import { getRedisUrl } from '@messagebox/test-support/with-redis';
import { BOB, createRecordingLog } from './fixtures.js';

/** The environment that all instances of a deployment share. */
export interface PushDeployment {
  readonly env: Record<string, string>;
  remove(): Promise<void>;
}

/** One process with its embedded database: instances share the file. */
export async function createLocalDeployment(): Promise<PushDeployment> {
  const folder = createTemporaryFolder();
  return { env: { DATA_DIR: folder.path }, remove: async () => folder.remove() };
}

/** A database server and a Redis, with a prefix whose keys are deleted after the suite. */
export async function createSharedDeployment(prefix: string, redis = getRedisUrl()): Promise<PushDeployment> {
  const database = await createMysqlDatabase();
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

/** An instance that stores messages and registers devices, and pushes after `push()`. */
export async function startInstance(place: PushDeployment, server: FcmServer, env: Record<string, string> = {}) {
  const { lines, log } = createRecordingLog();
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
  const foundation = await createServiceContext(config, log, {
    service: 'test',
    embedded: { client: 'better-sqlite3', filename: `${config.dataDir}/messagebox.sqlite` },
  });
  await foundation.store.migrate();
  const outbox = new PushOutbox(foundation.sql);
  const notes = createPushOutboxWriter(outbox, () => {}, { boxes: config.pushBoxes });
  return {
    lines,
    foundation,
    outbox,
    devices: new DeviceRegistrations(foundation.sql),
    metrics: foundation.metrics,
    push: ({ fcm, ...options }: PushOptions = {}) =>
      startPush(foundation, { fcm: { endpoint: server.url, ...fcm }, intervalMs: 200, ...options }),
    /** Registers a device of this identity: a new one, unless the token says otherwise. */
    async device(
      identityKey: string,
      token = `token-${randomBytes(8).toString('hex')}`,
    ): Promise<{ id: number; token: string }> {
      const id = await new DeviceRegistrations(foundation.sql).register({
        identityKey,
        fcmToken: token,
        deviceId: undefined,
        platform: undefined,
      });
      return { id, token };
    },
    /** Stores messages in `notifications` as the send rule does, without a hint. @returns their ids */
    store(...recipients: string[]): Promise<string[]> {
      return this.storeIn('notifications', ...recipients);
    },
    /** The same for messages in another box. */
    async storeIn(messageBox: string, ...recipients: string[]): Promise<string[]> {
      const batch = recipients.map((recipient) => {
        const messageId = randomBytes(8).toString('hex');
        return { recipient, messageBox, messageId, sender: BOB, body: 'hello' };
      });
      await foundation.store.storeMessages(batch, notes.createTransactionHook(batch));
      return batch.map(({ messageId }) => messageId);
    },
    close: () => foundation.shutdown.close(),
  };
}

export type Instance = Awaited<ReturnType<typeof startInstance>>;

/** The pushes that the server received: `token messageId`, sorted. */
export function listPushed(server: FcmServer): string[] {
  return server.received
    .map(({ token, message }) => `${token} ${(message['data'] as { messageId: string }).messageId}`)
    .sort();
}
