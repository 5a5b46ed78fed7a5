import { createPushOutboxWriter } from '@messagebox/messages';
import { createLogger, Metrics } from '@messagebox/shared';
import { DeviceRegistrations, openDatabase, PushOutbox, type StoreConfig } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createMysqlDatabase } from '@messagebox/test-support/with-mysql';

export const ALICE = `02${'a1'.repeat(32)}`;
export const BOB = `03${'b0'.repeat(32)}`;
export const CAROL = `02${'c4'.repeat(32)}`;

/** An empty database of the test's own. */
export interface PushFixture {
  readonly config: StoreConfig;
  drop(): Promise<void>;
}

export async function createSqliteFixture(): Promise<PushFixture> {
  const folder = createTemporaryFolder();
  return {
    config: { client: 'better-sqlite3', filename: `${folder.path}/push.db` },
    drop: async () => folder.remove(),
  };
}

export const createMysqlFixture: () => Promise<PushFixture> = createMysqlDatabase;

/** A log of a test's own. */
export function createRecordingLog() {
  const lines: string[] = [];
  return { lines, log: createLogger('test', 'info', { write: (line) => void lines.push(line) }) };
}

/** An opened and migrated database where {@link ALICE} and {@link CAROL} have a device, and a way to send messages. */
export async function openFixture(create: () => Promise<PushFixture>) {
  const fixture = await create();
  const { messages, sql } = openDatabase(fixture.config);
  await messages.migrate();
  const outbox = new PushOutbox(sql);
  const devices = new DeviceRegistrations(sql);
  for (const identityKey of [ALICE, CAROL]) {
    await devices.register({
      identityKey,
      fcmToken: `token-of-${identityKey}`,
      deviceId: undefined,
      platform: undefined,
    });
  }
  const notes = createPushOutboxWriter(outbox, () => {});
  let ids = 0;
  return {
    config: fixture.config,
    messages,
    sql,
    outbox,
    metrics: new Metrics('test', {}),
    /** Stores messages for these recipients in one batch. @returns their ids */
    async send(recipients: readonly string[], messageBox = 'notifications'): Promise<string[]> {
      const batch = recipients.map((recipient) => {
        ids += 1;
        return { recipient, messageBox, messageId: `m${ids}`, sender: BOB, body: 'hello' };
      });
      await messages.storeMessages(batch, notes.createTransactionHook(batch));
      return batch.map(({ messageId }) => messageId);
    },
    async close(): Promise<void> {
      await messages.close();
      await fixture.drop();
    },
  };
}

export type OpenFixture = Awaited<ReturnType<typeof openFixture>>;

/** The value of a counter for one label. */
export async function readPushCount(metrics: Metrics, outcome: string): Promise<number> {
  const { values } = await metrics.pushes.get();
  return values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
}
