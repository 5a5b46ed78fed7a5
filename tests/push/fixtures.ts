import { createLogger, Metrics, openDatabase, PushOutbox, pushNotes, type StoreConfig } from '@messagebox/shared';
import { temporaryFolder } from '../support/own-process.js';
import { createDatabase } from '../support/with-mysql.js';

export const ALICE = `02${'a1'.repeat(32)}`;
export const BOB = `03${'b0'.repeat(32)}`;
export const CAROL = `02${'c4'.repeat(32)}`;

/** An empty database of the test's own. */
export interface Fixture {
  readonly config: StoreConfig;
  drop(): Promise<void>;
}

export async function sqliteFixture(): Promise<Fixture> {
  const folder = temporaryFolder();
  return {
    config: { client: 'better-sqlite3', filename: `${folder.path}/push.db` },
    drop: async () => folder.remove(),
  };
}

export const mysqlFixture: () => Promise<Fixture> = createDatabase;

/** A log of a test's own. */
export function recordingLog() {
  const lines: string[] = [];
  return { lines, log: createLogger('test', false, { write: (line) => void lines.push(line) }) };
}

/** An opened and migrated database, and what stores messages into it as the send rule does. */
export async function openFixture(create: () => Promise<Fixture>) {
  const fixture = await create();
  const { messages, sql } = openDatabase(fixture.config);
  await messages.migrate();
  const outbox = new PushOutbox(sql);
  const notes = pushNotes(outbox, () => {});
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
      await messages.storeMessages(batch, notes.alongside(batch));
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
export async function countOf(metrics: Metrics, outcome: string): Promise<number> {
  const { values } = await metrics.pushes.get();
  return values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
}
