import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BoxStatusReader,
  createKnex,
  type DatabaseHandle,
  type NewMessage,
  openDatabase,
  SqlUsageReader,
} from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import type { StoreFixture } from './store-suite.js';

const DAY_MS = 86_400_000;
const PAID_BODY = '{"message":"hello","payment":{"tx":[1,2,3],"outputs":[{"outputIndex":0}]}}';
const ALICE = `02${'a1'.repeat(32)}`;
const BOB = `03${'b0'.repeat(32)}`;
let ids = 0;

const message = (over: Partial<NewMessage> = {}): NewMessage => ({
  recipient: ALICE,
  messageBox: 'inbox',
  messageId: `m ${++ids}`,
  sender: BOB,
  body: 'hello',
  ...over,
});

/** What boxes hold, on each database. */
function boxStatusSuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let knex: Knex;
    let database: DatabaseHandle;
    let retaining: DatabaseHandle;

    beforeEach(async () => {
      fixture = await createFixture();
      knex = createKnex(fixture.config);
      database = openDatabase(fixture.config);
      retaining = openDatabase({ ...fixture.config, retentionDays: 30 });
      await database.messages.migrate();
    });
    afterEach(async () => {
      await knex.destroy();
      await database.messages.close();
      await retaining.messages.close();
      await fixture.drop();
    });

    const toTime = (ms: number) => (fixture.config.client === 'mysql2' ? new Date(ms) : ms);
    const change = async (values: object, ...messages: NewMessage[]) => {
      for (const { messageId } of messages) {
        await knex('messages')
          .where({ messageId: Buffer.from(messageId) })
          .update(values);
      }
    };
    const store = async (...messages: NewMessage[]) => {
      await database.messages.storeMessages(messages);
      return messages;
    };
    const readBox = (messageBox = 'inbox', at = database, maxCounted?: number) =>
      new BoxStatusReader(at.sql, maxCounted).readBox(ALICE, messageBox);
    const nothing = { count: 0, bytes: 0, isAtLeast: false, oldest: undefined, newest: undefined };

    test('a box has its number, its bytes in UTF-8, and the times of its ends', async () => {
      const messages = await store(message(), message({ body: 'grüße' }), message({ body: '👋' }));
      await store(message({ messageBox: 'letters' }), message({ recipient: BOB }));
      for (const [n, one] of messages.entries())
        await change({ created_at: toTime(1_800_000_000_000 + n * 1_000) }, one);
      expect(await readBox()).toEqual({
        messageBox: 'inbox',
        count: 3,
        bytes: 5 + 7 + 4,
        isAtLeast: false,
        oldest: new Date(1_800_000_000_000),
        newest: new Date(1_800_000_002_000),
      });
      await database.messages.acknowledgeMessages(
        ALICE,
        messages.map(({ messageId }) => messageId),
      );
      expect(await readBox()).toEqual({ messageBox: 'inbox', ...nothing });
      expect(await readBox('never used')).toEqual({ messageBox: 'never used', ...nothing });
    });

    test('messages that have expired do not count, and those with payments do', async () => {
      const [gone, paid, kept] = await store(message(), message({ carriesPayment: true }), message({ body: 'hi' }));
      await change({ expires_at: toTime(Date.now() - 2_000) }, gone as NewMessage);
      await change({ expires_at: toTime(Date.now() - 2_000) }, paid as NewMessage);
      await change({ expires_at: toTime(Date.now() + 60_000) }, kept as NewMessage);
      expect(await readBox()).toMatchObject({ count: 2, bytes: 7 });
    });

    test('messages that are older than the operator keeps them do not count', async () => {
      const [old, paid, young] = await store(message(), message({ carriesPayment: true }), message({ body: 'hi' }));
      await change({ created_at: toTime(Date.now() - 31 * DAY_MS) }, old as NewMessage, paid as NewMessage);
      expect(await readBox('inbox', retaining)).toMatchObject({ count: 2, bytes: 7 });
      await change({ created_at: toTime(Date.now() - 31 * DAY_MS) }, young as NewMessage);
      await change({ carries_payment: 0 }, paid as NewMessage);
      expect(await readBox('inbox', retaining)).toEqual({ messageBox: 'inbox', ...nothing });
      expect(await readBox()).toMatchObject({ count: 3 });
    });

    test('messages of versions that know neither sizes nor expiry count by their bodies', async () => {
      const [plain, sized, paid, expired, unsizedExpired] = (await store(
        message({ body: 'plain' }),
        message({ body: 'sized' }),
        message({ body: PAID_BODY }),
        message(),
        message(),
      )) as [NewMessage, NewMessage, NewMessage, NewMessage, NewMessage];
      await change({ carries_payment: null, body_bytes: null }, plain, unsizedExpired);
      await change({ carries_payment: null }, sized, paid, expired);
      await change({ expires_at: toTime(Date.now() - 2_000) }, paid, expired, unsizedExpired);
      await change({ created_at: toTime(1_700_000_000_000) }, paid);
      expect(await readBox()).toMatchObject({
        count: 3,
        bytes: 10 + PAID_BODY.length,
        oldest: new Date(1_700_000_000_000),
      });
    });

    test('a box is counted up to a limit, and the times of its ends are those of the box', async () => {
      const messages = await store(...Array.from({ length: 7 }, () => message()));
      for (const [n, one] of messages.entries())
        await change({ created_at: toTime(1_800_000_000_000 + n * 1_000) }, one);
      expect(await readBox('inbox', database, 7)).toMatchObject({ count: 7, isAtLeast: false });
      expect(await readBox('inbox', database, 5)).toEqual({
        messageBox: 'inbox',
        count: 5,
        bytes: 25,
        isAtLeast: true,
        oldest: new Date(1_800_000_000_000),
        newest: new Date(1_800_000_006_000),
      });
      // The newest one that has not expired.
      await change({ expires_at: toTime(Date.now() - 2_000) }, messages[6] as NewMessage);
      expect(await readBox('inbox', database, 5)).toMatchObject({
        isAtLeast: true,
        newest: new Date(1_800_000_005_000),
      });
      await change({ expires_at: toTime(Date.now() - 2_000) }, messages[5] as NewMessage);
      expect(await readBox('inbox', database, 5)).toMatchObject({
        isAtLeast: false,
        newest: new Date(1_800_000_004_000),
      });
    });

    test('all boxes come in pages, in the order of the bytes of their names, and each once', async () => {
      const names = ['ä', 'B', 'a', 'Z z', '_', '👋', ...Array.from({ length: 40 }, (_, n) => `box ${n}`)];
      await store(
        ...names.map((messageBox) => message({ messageBox })),
        message({ recipient: BOB, messageBox: 'bob' }),
      );
      const reader = new BoxStatusReader(database.sql);
      const seen: string[] = [];
      let pages = 0;
      for (let after: Buffer | undefined = Buffer.alloc(0); after !== undefined; pages++) {
        const page = await reader.readBoxes(ALICE, 7, after);
        seen.push(...page.boxes.map(({ messageBox }) => messageBox));
        expect(page.boxes.every(({ count }) => count === 1)).toBe(true);
        after = page.next;
      }
      expect(pages).toBe(7);
      expect(seen).toEqual(
        names
          .map((one) => Buffer.from(one))
          .sort(Buffer.compare)
          .map(String),
      );
      expect(await reader.readBoxes(ALICE, 46)).toMatchObject({ next: undefined });
      expect(await reader.readBoxes(`02${'ee'.repeat(32)}`, 10)).toEqual({ boxes: [], next: undefined });
    });

    test('it is read from the index alone', async () => {
      await store(message());
      const read = jest.spyOn(database.sql, 'read');
      await readBox();
      const calls = read.mock.calls.filter(([sql]) => sql.text.includes('COUNT'));
      read.mockRestore();
      expect(calls).toHaveLength(1);
      const [sql, values] = calls[0] as (typeof calls)[number];
      const explain = database.sql.engine === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN FORMAT=TRADITIONAL';
      const plan = JSON.stringify(await knex.raw(`${explain} ${sql.text}`, [...values]));
      expect(plan).toContain('messages_box_status_index');
      expect(plan).toMatch(/COVERING INDEX|Using index/);
      expect(plan).not.toContain('filesort');
    });

    test('the migration adds and widens indexes in place, is repeated without harm, and completes an interrupted run', async () => {
      await store(message(), message());
      const narrow = async (): Promise<void> => {
        const [added, widened] = ['messages_box_status_index', 'messages_sender_usage_index'];
        const columns = 'sender, body_bytes';
        if (fixture.config.client === 'mysql2') {
          await knex.raw(`ALTER TABLE messages DROP INDEX ${added}`);
          await knex.raw(`ALTER TABLE messages DROP INDEX ${widened}, ADD INDEX ${widened} (${columns})`);
        } else {
          await knex.raw(`DROP INDEX ${added}`);
          await knex.raw(`DROP INDEX ${widened}`);
          await knex.raw(`CREATE INDEX ${widened} ON messages (${columns})`);
        }
        await knex('knex_migrations').where({ name: '2026-11-30-022-receipts' }).delete();
      };
      await narrow();
      await knex.schema.dropTable('receipts');
      await knex.raw('ALTER TABLE message_permissions DROP COLUMN receipts');
      expect(await database.messages.migrate()).toEqual(['2026-11-30-022-receipts']);
      // Interrupted after the table.
      await narrow();
      expect(await database.messages.migrate()).toEqual(['2026-11-30-022-receipts']);
      await knex('knex_migrations').where({ name: '2026-11-30-022-receipts' }).delete();
      expect(await database.messages.migrate()).toEqual(['2026-11-30-022-receipts']);
      expect(await readBox()).toMatchObject({ count: 2 });
      expect(await new SqlUsageReader(database.sql).readSenderUsage(BOB, 10)).toEqual({ messages: 2, bytes: 10 });
    });

    test('no migration takes away that a message has a box: one for a box that is gone is refused', async () => {
      const row = { messageBoxId: 4_000_000, sender: 'a', recipient: 'b', messageId: 'c', body: 'd' };
      const outcome = await knex('messages')
        .insert(row)
        .then(
          () => 'stored',
          (error: Error) => error.message,
        );
      expect(outcome).toMatch(/foreign key constraint fail/i);
    });
  });
}

boxStatusSuite('the state of boxes on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mb-boxes-'));
  return {
    config: { client: 'better-sqlite3', filename: join(folder, 'messages.db') },
    drop: () => rm(folder, { recursive: true }),
  };
});

describeWithMysql('the state of boxes on MySQL', () => {
  boxStatusSuite('the same', createMysqlDatabase);
});
