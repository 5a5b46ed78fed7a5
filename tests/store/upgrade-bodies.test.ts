import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKnex, type DatabaseHandle, openDatabase } from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import { migrateBefore } from '../support/migrate-before.js';
import type { StoreFixture } from './store-suite.js';

const MIGRATION = '2026-12-01-001-shared-bodies';
const RECIPIENT = `02${'a1'.repeat(32)}`;
const SENDER = `03${'b0'.repeat(32)}`;

/** A database of the version before, with messages, on each engine. */
function upgradeSuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let database: DatabaseHandle;
    let knex: Knex;

    beforeEach(async () => {
      fixture = await createFixture();
      database = openDatabase(fixture.config);
      knex = createKnex(fixture.config);
      await migrateBefore(knex, MIGRATION);
    });
    afterEach(async () => {
      await database.messages.close();
      await knex.destroy();
      await fixture.drop();
    });

    /** Stores as an instance of the version before does. @returns the row id */
    const storeOld = async (id: string, body: string, more: object = {}): Promise<number> => {
      const owner = { identityKey: Buffer.from(RECIPIENT), type: Buffer.from('inbox') };
      const box = await knex('messageBox').where(owner).first('messageBoxId');
      const messageBoxId = box?.messageBoxId ?? (await knex('messageBox').insert(owner))[0];
      const keys = { recipient: Buffer.from(RECIPIENT), sender: Buffer.from(SENDER), messageId: Buffer.from(id) };
      const row = { messageBoxId, ...keys, body, body_bytes: Buffer.byteLength(body), carries_payment: 0 };
      const [rowId] = await knex('messages').insert({ ...row, ...more });
      return rowId as number;
    };
    const list = async () =>
      (await database.messages.listMessages({ recipient: RECIPIENT, messageBox: 'inbox', maxBytes: 1e8 })).messages;

    test('keeps every message as it was, with its row id', async () => {
      const large = 'ä'.repeat(100_000);
      const ids = [await storeOld('1', 'small'), await storeOld('2', large), await storeOld('3', '')];
      expect(await database.messages.migrate()).toContain(MIGRATION);
      const after = await list();
      expect(after.map(({ messageId, cursor, body }) => [messageId, Number(cursor), body])).toEqual([
        ['1', ids[0], 'small'],
        ['2', ids[1], large],
        ['3', ids[2], ''],
      ]);
      expect(after.every(({ sender, createdAt }) => sender === SENDER && createdAt.getTime() > 1.7e12)).toBe(true);
    });

    test('never uses the row id of a message that is gone again', async () => {
      await storeOld('1', 'stays');
      const last = await storeOld('2', 'goes');
      await knex('messages').where({ id: last }).del();
      await database.messages.migrate();
      const message = { recipient: RECIPIENT, sender: SENDER, messageBox: 'inbox', messageId: '3', body: 'new' };
      const [result] = await database.messages.storeMessages([message]);
      expect(Number(result?.cursor)).toBeGreaterThan(last);
    });

    test('a box that is deleted takes its messages with it, and a message needs its box', async () => {
      await storeOld('1', 'goes with its box');
      await database.messages.migrate();
      await knex('messageBox').del();
      expect(await knex('messages')).toEqual([]);
      await expect(storeOld('2', 'no box', { messageBoxId: 4_711 })).rejects.toMatchObject({
        message: expect.stringMatching(/foreign key/i),
      });
    });

    test('the same id from another sender is refused as before', async () => {
      await storeOld('1', 'first');
      await database.messages.migrate();
      await expect(storeOld('1', 'second')).rejects.toMatchObject({
        message: expect.stringMatching(/UNIQUE|Duplicate/),
      });
    });
  });
}

upgradeSuite('shared bodies on a SQLite database of the version before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mb-upgrade-'));
  const config = { client: 'better-sqlite3', filename: join(folder, 'messages.db') } as const;
  return { config, drop: () => rm(folder, { recursive: true }) };
});

describeWithMysql('shared bodies on a MySQL database of the version before', () => {
  upgradeSuite('the same', createMysqlDatabase);

  test('the migration can be run again after it was interrupted', async () => {
    const { config, drop } = await createMysqlDatabase();
    const { messages: store } = openDatabase(config);
    const knex = createKnex(config);
    try {
      await store.migrate();
      await knex.raw('ALTER TABLE messages DROP INDEX messages_shared_body_index');
      await knex('knex_migrations').where({ name: MIGRATION }).del();
      expect(await store.migrate()).toEqual([MIGRATION]);
      const [indexes] = await knex.raw("SHOW INDEX FROM messages WHERE Key_name = 'messages_shared_body_index'");
      expect(indexes).toHaveLength(1);
    } finally {
      await knex.destroy();
      await store.close();
      await drop();
    }
  });
});

test('on SQLite, the body is the last column of a message: others are read without it', async () => {
  const database = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  await database.messages.migrate();
  const columns: { name: string }[] = await database.sql.knex.raw('PRAGMA table_info(messages)');
  expect(columns.at(-1)?.name).toBe('body');
  await database.messages.close();
});
