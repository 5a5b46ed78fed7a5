import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { QuotaExceededError, StorageQuotas } from '@messagebox/messages';
import {
  createKnex,
  type DatabaseHandle,
  type NewMessage,
  openDatabase,
  SqlPermissionStore,
  SqlUsageReader,
  StoreUnavailableError,
  TooManyPermissionsError,
  UnusedBoxSweeper,
} from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import { createConnection } from 'mysql2/promise';
import { waitUntil } from '../acceptance/history.js';
import { hasLockWait } from '../support/database-activity.js';
import { migrateBefore } from '../support/migrate-before.js';
import { getOutcomes } from '../support/store-outcomes.js';
import type { StoreFixture } from './store-suite.js';

const MIGRATION = '2026-11-29-003-quotas';
const NO_LIMIT = Number.POSITIVE_INFINITY;
const TOMORROW = new Date(Date.now() + 86_400_000);
const YESTERDAY = new Date(Date.now() - 86_400_000);

let names = 0;
/** A key in the form of an identity key that no other test of this file uses. */
const someone = () => `02${String(++names).padStart(64, '0')}`;
let ids = 0;
const message = (over: Partial<NewMessage> = {}): NewMessage => ({
  recipient: someone(),
  sender: someone(),
  messageBox: 'inbox',
  messageId: `id-${++ids}`,
  body: 'hello',
  ...over,
});

function quotaSuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let database: DatabaseHandle;
    let usage: SqlUsageReader;
    let knex: Knex;
    const open = () => openDatabase(fixture.config);

    beforeAll(async () => {
      fixture = await createFixture();
      database = open();
      await database.messages.migrate();
      usage = new SqlUsageReader(database.sql);
      knex = createKnex(fixture.config);
    });

    afterAll(async () => {
      await knex.destroy();
      await database.messages.close();
      await fixture.drop();
    });

    describe('what is stored', () => {
      test('is summed up by recipient, by sender and by pair, in all boxes, in bytes of UTF-8', async () => {
        const [alice, bob, carol] = [someone(), someone(), someone()];
        await database.messages.storeMessages([
          message({ recipient: bob, sender: alice, body: 'é箱🎉' }),
          message({ recipient: bob, sender: alice, messageBox: 'other', body: 'four' }),
          message({ recipient: bob, sender: carol, body: 'x'.repeat(100_000) }),
          message({ recipient: carol, sender: alice, body: 'two' }),
        ]);
        expect(await usage.readInboxUsage(bob, NO_LIMIT)).toEqual({ messages: 3, bytes: 100_013 });
        expect(await usage.readSenderUsage(alice, NO_LIMIT)).toEqual({ messages: 3, bytes: 16 });
        expect(await usage.readPairUsage(bob, alice, NO_LIMIT)).toEqual({ messages: 2, bytes: 13 });
        expect(await usage.readPairUsage(alice, bob, NO_LIMIT)).toEqual({ messages: 0, bytes: 0 });
      });

      test('falls when it is acknowledged', async () => {
        const [one, other] = [message(), message()];
        await database.messages.storeMessages([one, { ...other, recipient: one.recipient }]);
        await database.messages.acknowledgeMessages(one.recipient, [one.messageId]);
        expect(await usage.readInboxUsage(one.recipient, NO_LIMIT)).toEqual({ messages: 1, bytes: 5 });
      });

      test('is counted only until it exceeds the limit', async () => {
        const recipient = someone();
        await database.messages.storeMessages(Array.from({ length: 20 }, () => message({ recipient })));
        expect(await usage.readInboxUsage(recipient, 7)).toEqual({ messages: 8, bytes: 40 });
      });

      test('of an instance of an older version is measured when it is summed up', async () => {
        const one = message({ body: 'x'.repeat(1_234) });
        await database.messages.storeMessages([one, message({ recipient: one.recipient, sender: one.sender })]);
        const recipient = Buffer.from(one.recipient);
        await knex('messages').where({ recipient }).update({ body_bytes: null });
        const all = { messages: 2, bytes: 1_239 };
        expect(await usage.readSenderUsage(one.sender, NO_LIMIT)).toEqual(all);
        expect(await knex('messages').where({ recipient }).whereNull('body_bytes')).toEqual([]);
        await knex('messages').where({ recipient }).update({ body_bytes: null });
        expect(await usage.readPairUsage(one.recipient, one.sender, NO_LIMIT)).toEqual(all);
      });

      test('is read from indexes alone', async () => {
        const [alice, bob] = [Buffer.from(someone()), Buffer.from(someone())];
        const plans = [
          ['messages_inbox_usage_index', 'recipient = ?', [bob]],
          ['messages_sender_usage_index', 'sender = ?', [alice]],
          ['messages_inbox_usage_index', 'recipient = ? AND sender = ?', [bob, alice]],
        ] as const;
        for (const [index, where, values] of plans) {
          const read = `SELECT body_bytes FROM messages ${database.sql.dialect.forceIndex(index)} WHERE ${where} LIMIT 9`;
          const explain = database.sql.engine === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN FORMAT=TRADITIONAL';
          const plan = JSON.stringify(await knex.raw(`${explain} ${read}`, [...values]));
          expect(plan).toContain(index);
          expect(plan).toMatch(/COVERING INDEX|Using index/);
        }
      });
    });

    test('fifty senders through two instances fill an inbox within 2 % of its bound', async () => {
      const recipient = someone();
      const none = { messages: NO_LIMIT, bytes: NO_LIMIT };
      const limits = { inbox: { messages: 400, bytes: NO_LIMIT }, sender: none, pair: none };
      const instances = [database, open()].map(({ messages, sql }) => ({
        messages,
        quotas: new StorageQuotas({ limits, usage: new SqlUsageReader(sql) }),
      }));
      try {
        await Promise.all(
          Array.from({ length: 50 }, async (_, n) => {
            const { messages, quotas } = instances[n % 2] as (typeof instances)[number];
            for (const sender = someone(); ; ) {
              const one = message({ recipient, sender });
              const charge = { recipient, sender, bytes: 5, isAllowed: false };
              const reservation = await quotas.reserve([charge]).catch((error: unknown) => {
                if (error instanceof QuotaExceededError) return undefined;
                throw error;
              });
              if (reservation === undefined) return;
              await messages.storeMessages([one]);
              reservation.settle();
            }
          }),
        );
        const { messages } = await usage.readInboxUsage(recipient, NO_LIMIT);
        expect(Math.abs(messages - 400)).toBeLessThanOrEqual(8);
      } finally {
        await instances[1]?.messages.close();
      }
    });

    describe('unused boxes', () => {
      const boxesOf = async (recipient: string) =>
        (await knex('messageBox').where({ identityKey: Buffer.from(recipient) })).map((row: { type: Buffer }) =>
          row.type.toString(),
        );
      const sweepAll = async (madeBefore: Date) => {
        const boxes = new UnusedBoxSweeper(database.sql);
        let removed = 0;
        for (let after: number | undefined = 0; after !== undefined; ) {
          const sweep = await boxes.sweep(after, madeBefore);
          removed += sweep.removed;
          after = sweep.next;
        }
        return removed;
      };

      test('go when they are old, hold no message and have no permission', async () => {
        const recipient = someone();
        const inBoxes = ['empty', 'full', 'configured'].map((messageBox) => message({ recipient, messageBox }));
        await database.messages.storeMessages(inBoxes);
        const read = inBoxes.filter(({ messageBox }) => messageBox !== 'full').map(({ messageId }) => messageId);
        await database.messages.acknowledgeMessages(recipient, read);
        const permissions = new SqlPermissionStore(database.sql);
        await permissions.set({ recipient, sender: undefined, messageBox: 'configured', recipientFee: 3 });
        await sweepAll(YESTERDAY);
        expect((await boxesOf(recipient)).sort()).toEqual(['configured', 'empty', 'full']);
        expect(await sweepAll(TOMORROW)).toBeGreaterThanOrEqual(1);
        expect((await boxesOf(recipient)).sort()).toEqual(['configured', 'full']);
        const { messages } = await database.messages.listMessages({ recipient, messageBox: 'full', maxBytes: 1e6 });
        expect(messages).toHaveLength(1);
      });

      test('are made again by a send that had found one before', async () => {
        const first = message();
        await database.messages.storeMessages([first]);
        await database.messages.acknowledgeMessages(first.recipient, [first.messageId]);
        await sweepAll(TOMORROW);
        const second = { ...first, messageId: 'second' };
        expect(await getOutcomes(database.messages.storeMessages([second]))).toEqual(['stored']);
        const { recipient, messageBox } = first;
        const { messages } = await database.messages.listMessages({ recipient, messageBox, maxBytes: 1e6 });
        expect(messages.map(({ messageId }) => messageId)).toEqual(['second']);
      });

      test('are all examined, in portions', async () => {
        const owners = Array.from({ length: 1_200 }, someone);
        const rows = owners.map((owner) => ({ identityKey: Buffer.from(owner), type: Buffer.from('inbox') }));
        for (let start = 0; start < rows.length; start += 100) {
          await knex('messageBox').insert(rows.slice(start, start + 100));
        }
        const boxes = new UnusedBoxSweeper(database.sql);
        const { next, removed } = await boxes.sweep(0, TOMORROW);
        expect(next).toBeGreaterThan(0);
        expect(removed).toBeLessThanOrEqual(500);
        await sweepAll(TOMORROW);
        expect(await boxesOf(owners.at(-1) as string)).toEqual([]);
      });

      test('do not remove a message that is stored at the same time', async () => {
        const recipients = Array.from({ length: 20 }, someone);
        const other = open();
        try {
          for (let round = 0; round < 10; round++) {
            const sent = recipients.map((recipient) => message({ recipient }));
            const sweeps = [0, 1, 2, 3].map(() => sweepAll(TOMORROW));
            const sends = sent.map((one, i) =>
              getOutcomes((i % 2 === 0 ? database : other).messages.storeMessages([one])),
            );
            const outcomes = await Promise.all(sends);
            await Promise.all(sweeps);
            expect(outcomes.flat()).toEqual(sent.map(() => 'stored'));
            expect(await database.messages.areStored(sent)).toEqual(sent.map(() => true));
            for (const { recipient, messageId } of sent) {
              expect(await database.messages.acknowledgeMessages(recipient, [messageId])).toBe(1);
            }
          }
        } finally {
          await other.messages.close();
        }
      });
    });

    test('permissions are bounded by recipient: those that are there can be changed, others have their own', async () => {
      const permissions = new SqlPermissionStore(database.sql, 3);
      const [alice, bob] = [someone(), someone()];
      const set = (recipient: string, messageBox: string, recipientFee = 1) =>
        permissions.set({ recipient, sender: undefined, messageBox, recipientFee });
      for (const box of ['a', 'b', 'c']) await set(alice, box);
      await expect(set(alice, 'd')).rejects.toThrow(TooManyPermissionsError);
      expect(await permissions.get({ recipient: alice, sender: undefined, messageBox: 'd' })).toBeUndefined();
      await set(alice, 'c', 7);
      expect(await permissions.get({ recipient: alice, sender: undefined, messageBox: 'c' })).toMatchObject({
        recipientFee: 7,
      });
      await set(bob, 'd');
    });

    test('a closed database is reported as unavailable', async () => {
      const closed = open();
      await closed.messages.close();
      await expect(new SqlUsageReader(closed.sql).readInboxUsage(someone(), 1)).rejects.toThrow(StoreUnavailableError);
    });
  });

  describe(`${name}: the migration`, () => {
    let fixture: StoreFixture;
    let knex: Knex;
    let database: DatabaseHandle;

    beforeEach(async () => {
      fixture = await createFixture();
      knex = createKnex(fixture.config);
      database = openDatabase(fixture.config);
      await migrateBefore(knex, MIGRATION);
    });
    afterEach(async () => {
      await knex.destroy();
      await database.messages.close();
      await fixture.drop();
    });

    const [alice, bob] = [someone(), someone()];
    /** Messages as the version before stored them, with a gap in their ids. */
    async function storeOld(count: number): Promise<void> {
      await knex('messageBox').insert({ type: Buffer.from('inbox'), identityKey: Buffer.from(bob) });
      const { messageBoxId } = await knex('messageBox').first('messageBoxId');
      const rows = Array.from({ length: count }, (_, n) => ({
        id: n < 100 ? n + 1 : n + 1_000_000,
        messageBoxId,
        recipient: Buffer.from(bob),
        sender: Buffer.from(alice),
        messageId: Buffer.from(`old ${n}`),
        body: 'ü'.repeat(n + 1),
      }));
      for (let start = 0; start < rows.length; start += 50)
        await knex('messages').insert(rows.slice(start, start + 50));
    }
    const bytes = (count: number) => count * (count + 1);

    test('measures the messages that are there, and changes nothing else about them', async () => {
      await storeOld(350);
      const before = await knex('messages').orderBy('id');
      expect(await database.messages.migrate()).toContain(MIGRATION);
      const after = await knex('messages').orderBy('id');
      const known = Object.keys(before[0]);
      const unchanged = after.map((row: Record<string, unknown>) =>
        Object.fromEntries(Object.entries(row).filter(([column]) => known.includes(column))),
      );
      expect(unchanged).toEqual(before);
      expect(await new SqlUsageReader(database.sql).readInboxUsage(bob, NO_LIMIT)).toEqual({
        messages: 350,
        bytes: bytes(350),
      });
    });

    test('continues where an interrupted run ended', async () => {
      await storeOld(10);
      const column = fixture.config.client === 'mysql2' ? 'INT UNSIGNED' : 'INTEGER';
      await knex.raw(`ALTER TABLE messages ADD COLUMN body_bytes ${column} NULL`);
      await knex.raw('UPDATE messages SET body_bytes = 2 WHERE id = 1');
      if (fixture.config.client === 'mysql2') {
        await knex.raw('ALTER TABLE messages ADD INDEX messages_sender_usage_index (sender, body_bytes)');
      }
      await database.messages.migrate();
      const usage = new SqlUsageReader(database.sql);
      expect(await usage.readPairUsage(bob, alice, NO_LIMIT)).toEqual({ messages: 10, bytes: bytes(10) });
      expect(await usage.readSenderUsage(alice, NO_LIMIT)).toEqual({ messages: 10, bytes: bytes(10) });
      expect((await database.messages.getSchemaStatus()).current).toBe(true);
    });
  });
}

quotaSuite('quotas on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mb-quotas-'));
  return {
    config: { client: 'better-sqlite3', filename: join(folder, 'messages.db') },
    drop: () => rm(folder, { recursive: true }),
  };
});

describeWithMysql('quotas on MySQL', () => {
  quotaSuite('the same', createMysqlDatabase);

  test('a box in which somebody is just storing a message is not removed, though nobody sees the message yet', async () => {
    const fixture = await createMysqlDatabase();
    const database = openDatabase(fixture.config);
    const knex = createKnex(fixture.config);
    const watcher = await createConnection({ uri: fixture.url });
    try {
      await database.messages.migrate();
      const first = message();
      await database.messages.storeMessages([first]);
      await database.messages.acknowledgeMessages(first.recipient, [first.messageId]);
      const { messageBoxId } = await knex('messageBox').first('messageBoxId');
      const [recipient, sender] = [Buffer.from(first.recipient), Buffer.from(first.sender)];
      const row = { messageBoxId, recipient, sender, messageId: Buffer.from('late'), body: 'hello', body_bytes: 5 };

      const storing = await knex.transaction();
      await storing('messages').insert(row);
      const sweep = new UnusedBoxSweeper(database.sql).sweep(0, TOMORROW);
      const settled = Promise.allSettled([sweep]);
      const name = new URL(fixture.url).pathname.slice(1);
      const isWaiting = async () => {
        // InnoDB renews MariaDB's view only when it was left alone for a tenth of a second.
        await delay(150);
        return hasLockWait(watcher, name);
      };
      await waitUntil('the sweep waits', isWaiting);
      await storing.commit();

      expect(await settled).toEqual([{ status: 'fulfilled', value: { next: undefined, removed: 0 } }]);
      expect(await knex('messages').select('messageId')).toEqual([{ messageId: Buffer.from('late') }]);
    } finally {
      await watcher.end();
      await knex.destroy();
      await database.messages.close();
      await fixture.drop();
    }
  });
});
