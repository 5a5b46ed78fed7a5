import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createKnex,
  type DatabaseHandle,
  MessageIdTakenError,
  type NewMessage,
  openDatabase,
  SharedBodySweeper,
  SqlUsageReader,
} from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import { getOutcomes } from '../support/store-outcomes.js';
import type { StoreFixture } from './store-suite.js';

const TOMORROW = new Date(Date.now() + 86_400_000);
const YESTERDAY = new Date(Date.now() - 86_400_000);
const SENDER = `02${'5e'.repeat(32)}`;

const someone = () => `03${randomBytes(32).toString('hex')}`;
const id = () => randomBytes(8).toString('hex');
/** One body for several recipients, as one send has it. */
const batch = (body: string, recipients = [someone(), someone(), someone()]): NewMessage[] =>
  recipients.map((recipient) => ({ recipient, sender: SENDER, messageBox: 'inbox', messageId: id(), body }));

function sharedBodySuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let database: DatabaseHandle;
    let knex: Knex;

    beforeAll(async () => {
      fixture = await createFixture();
      database = openDatabase({ ...fixture.config, storesBatchBodiesOnce: true });
      await database.messages.migrate();
      knex = createKnex(fixture.config);
    });
    beforeEach(async () => {
      await knex('messages').del();
      await knex('shared_bodies').del();
    });
    afterAll(async () => {
      await knex.destroy();
      await database.messages.close();
      await fixture.drop();
    });

    const countShared = async () => (await knex('shared_bodies')).length;
    const store = (messages: readonly NewMessage[], { messages: store } = database) =>
      getOutcomes(store.storeMessages(messages));
    const listBodies = async ({ recipient, messageBox }: NewMessage, { messages: store } = database) => {
      const { messages } = await store.listMessages({ recipient, messageBox, maxBytes: 1e8 });
      return messages.map(({ body }) => body);
    };
    const acknowledge = ({ recipient, messageId }: NewMessage) =>
      database.messages.acknowledgeMessages(recipient, [messageId]);
    const sweepAll = async (createdBefore: Date) => {
      const sweeper = new SharedBodySweeper(database.sql);
      for (let after: number | undefined = 0; after !== undefined; ) {
        after = (await sweeper.sweep(after, createdBefore)).next;
      }
    };

    test.each([
      ['that is read with its row', 5_000],
      ['that is read by itself', 20_000],
      ['of a megabyte', 1_000_000],
    ])('a body %s is stored once, and each recipient gets it', async (_which, characters) => {
      const body = 'ä🦊'.repeat(characters / 2);
      const messages = batch(body);
      expect(await store(messages)).toEqual(['stored', 'stored', 'stored']);
      expect(await countShared()).toBe(1);
      for (const message of messages) expect(await listBodies(message)).toEqual([body]);
    });

    test('a small body is stored with each message', async () => {
      const messages = batch('small');
      await store(messages);
      expect(await countShared()).toBe(0);
      expect(await listBodies(messages[2] as NewMessage)).toEqual(['small']);
    });

    test('a body for one recipient is stored with its message', async () => {
      const [message] = batch('x'.repeat(10_000), [someone()]);
      await store([message as NewMessage]);
      expect(await countShared()).toBe(0);
    });

    test('a store that keeps a body with each message reads those that are stored once', async () => {
      const messages = batch('s'.repeat(10_000));
      await store(messages);
      const other = openDatabase({ ...fixture.config, storesBatchBodiesOnce: false });
      try {
        expect(await listBodies(messages[1] as NewMessage, other)).toEqual(['s'.repeat(10_000)]);
        await store(batch('o'.repeat(10_000)), other);
        expect(await countShared()).toBe(1);
      } finally {
        await other.messages.close();
      }
    });

    test('counts for quotas with each message', async () => {
      const messages = batch('q'.repeat(10_000));
      await store(messages);
      const [first] = messages;
      const usage = new SqlUsageReader(database.sql);
      expect(await usage.readInboxUsage((first as NewMessage).recipient, 100)).toEqual({ messages: 1, bytes: 10_000 });
      expect(await usage.readSenderUsage(SENDER, 100)).toEqual({ messages: 3, bytes: 30_000 });
    });

    test('is read by the row ids of its messages, as live events that were lost are', async () => {
      await store(batch('r'.repeat(10_000)));
      const headers = await database.messages.listHeaders({ after: 0, limit: 10 });
      expect(headers.map(({ bodyBytes }) => bodyBytes)).toEqual([10_000, 10_000, 10_000]);
      const bodies = await database.messages.readBodies(headers.map((header) => header.id));
      expect([...bodies.values()]).toEqual(Array(3).fill('r'.repeat(10_000)));
    });

    test('a batch that is sent again to more recipients gives each of them one message', async () => {
      const messages = batch('a'.repeat(10_000));
      await store(messages.slice(0, 2));
      expect(await store(messages)).toEqual(['duplicate', 'duplicate', 'stored']);
      for (const message of messages) expect(await listBodies(message)).toEqual(['a'.repeat(10_000)]);
    });

    test('a batch that is refused leaves no body', async () => {
      const messages = batch('t'.repeat(10_000));
      await store([{ ...(messages[2] as NewMessage), sender: someone() }]);
      await expect(store(messages)).rejects.toThrow(MessageIdTakenError);
      expect(await countShared()).toBe(0);
    });

    test('is removed after its last message, and not before', async () => {
      const messages = batch('d'.repeat(10_000));
      await store(messages);
      await acknowledge(messages[0] as NewMessage);
      await acknowledge(messages[1] as NewMessage);
      await sweepAll(TOMORROW);
      expect(await listBodies(messages[2] as NewMessage)).toEqual(['d'.repeat(10_000)]);
      await acknowledge(messages[2] as NewMessage);
      await sweepAll(YESTERDAY);
      expect(await countShared()).toBe(1);
      await sweepAll(TOMORROW);
      expect(await countShared()).toBe(0);
    });

    test('all bodies are looked at, also when there are many', async () => {
      const rows = Array.from({ length: 1_100 }, () => ({ created_at: 0, bytes: 4_096, body: 'w' }));
      for (let start = 0; start < rows.length; start += 100) {
        await knex('shared_bodies').insert(rows.slice(start, start + 100));
      }
      const kept = batch('k'.repeat(10_000));
      await store(kept);
      await sweepAll(TOMORROW);
      expect(await countShared()).toBe(1);
      expect(await listBodies(kept[0] as NewMessage)).toEqual(['k'.repeat(10_000)]);
    });

    test('a message whose shared body is missing is left out, and is not listed with another body', async () => {
      const messages = batch('m'.repeat(20_000));
      await store(messages);
      await knex('shared_bodies').del();
      expect(await listBodies(messages[0] as NewMessage)).toEqual([]);
      expect(await knex('messages')).toHaveLength(3);
    });
  });
}

sharedBodySuite('bodies of batches on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mb-bodies-'));
  const config = { client: 'better-sqlite3', filename: join(folder, 'messages.db') } as const;
  return { config, drop: () => rm(folder, { recursive: true }) };
});

describeWithMysql('bodies of batches on MySQL', () => {
  sharedBodySuite('with the setting', async () => {
    const { config, drop } = await createMysqlDatabase();
    return { config, drop };
  });

  test('are stored with each message unless it is set', async () => {
    const { config, drop } = await createMysqlDatabase();
    const database = openDatabase(config);
    const knex = createKnex(config);
    try {
      await database.messages.migrate();
      await database.messages.storeMessages(batch('x'.repeat(10_000)));
      expect(await knex('shared_bodies')).toEqual([]);
    } finally {
      await knex.destroy();
      await database.messages.close();
      await drop();
    }
  });
});
