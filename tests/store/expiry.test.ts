import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startExpiryPurge } from '@messagebox/api';
import { type EncodedMessage, type ListedMessage, listMessages } from '@messagebox/messages';
import { createLogger, Metrics } from '@messagebox/shared';
import {
  createKnex,
  type DatabaseHandle,
  MessageIdTakenError,
  NamedLock,
  type NewMessage,
  openDatabase,
  SqlUsageReader,
} from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import { waitUntil } from '../acceptance/history.js';
import { getOutcomes } from '../support/store-outcomes.ts';
import type { StoreFixture } from './store-suite.js';

const DAY_MS = 86_400_000;
const RETENTION_DAYS = 30;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const PAID_BODY = '{"message":"hello","payment":{"tx":[1,2,3],"outputs":[{"outputIndex":0}]}}';

let identities = 0;
const someone = () => `02${String(++identities).padStart(64, '0')}`;
let ids = 0;
const inOneHour = () => new Date((Math.floor(Date.now() / 1_000) + 3_600) * 1_000);

function message(over: Partial<NewMessage> = {}): NewMessage {
  return {
    recipient: someone(),
    messageBox: 'inbox',
    messageId: `m ${++ids}`,
    sender: someone(),
    body: 'hello',
    ...over,
  };
}

/** Messages that expire, on each database. */
function expirySuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let database: DatabaseHandle;
    /** The same database, where messages are kept for 30 days. */
    let retaining: DatabaseHandle;
    let knex: Knex;
    let recipient: string;

    beforeEach(async () => {
      fixture = await createFixture();
      database = openDatabase(fixture.config);
      retaining = openDatabase({ ...fixture.config, retentionDays: RETENTION_DAYS });
      knex = createKnex(fixture.config);
      await database.messages.migrate();
      recipient = someone();
    });
    afterEach(async () => {
      await knex.destroy();
      await database.messages.close();
      await retaining.messages.close();
      await fixture.drop();
    });

    const toTime = (ms: number) => (fixture.config.client === 'mysql2' ? new Date(ms) : ms);
    const change = async (messages: readonly NewMessage[], values: object) => {
      for (const { messageId } of messages) {
        await knex('messages')
          .where({ messageId: Buffer.from(messageId) })
          .update(values);
      }
    };
    /** Lets the time come that the sender has set. */
    const expire = (...messages: NewMessage[]) => change(messages, { expires_at: toTime(Date.now() - 2_000) });
    const makeOld = (...messages: NewMessage[]) =>
      change(messages, { created_at: toTime(Date.now() - RETENTION_DAYS * DAY_MS - 1_000) });
    const store = async (count: number, over: Partial<NewMessage> = {}) => {
      const messages = Array.from({ length: count }, () => message({ recipient, ...over }));
      await database.messages.storeMessages(messages);
      return messages;
    };
    const list = async (at = database, paging: object = {}) => {
      const options = { store: at.messages, maxBytes: 15_000_000 };
      const { messages, ...rest } = await listMessages(options, recipient, { messageBox: 'inbox', ...paging });
      const decode = ({ pieces }: EncodedMessage): ListedMessage => JSON.parse(Buffer.concat(pieces).toString());
      return { ...rest, messages: messages.map(decode) };
    };
    const listIds = async (at = database, paging: object = {}) =>
      (await list(at, paging)).messages.map(({ messageId }) => messageId);
    const idsOf = (messages: readonly NewMessage[]) => messages.map(({ messageId }) => messageId);
    const readStored = async () =>
      (await knex('messages').orderBy('id').select('messageId')).map((row: { messageId: Buffer }) =>
        row.messageId.toString(),
      );

    test('the list says when a message expires, and leaves it out from then on', async () => {
      const expiresAt = inOneHour();
      const [one] = await store(1, { expiresAt });
      const [other] = await store(1);
      if (one === undefined || other === undefined) throw new Error('nothing stored');
      const { messages } = await list();
      expect(messages).toMatchObject([
        { messageId: one.messageId, expiresAt: expiresAt.toISOString() },
        { messageId: other.messageId },
      ]);
      expect(messages[1]).not.toHaveProperty('expiresAt');
      await expire(one);
      expect(await listIds()).toEqual([other.messageId]);
      expect(await listIds(database, { messageId: one.messageId, offset: 0 })).toEqual([]);
      expect(await listIds(database, { messageId: one.messageId })).toEqual([]);
    });

    test('the body of an expired message is not read for live delivery', async () => {
      const after = await database.messages.findNewestId();
      const [one, other] = await store(2);
      if (one === undefined || other === undefined) throw new Error('nothing stored');
      await expire(one);
      const ids = (await database.messages.listHeaders({ after, limit: 2 })).map(({ id }) => id);
      expect([...(await database.messages.readBodies(ids)).keys()]).toEqual(ids.slice(1));
    });

    test('a message that is too old is left out where a retention is set, and only there', async () => {
      const [old, young] = await store(2);
      if (old === undefined || young === undefined) throw new Error('nothing stored');
      await makeOld(old);
      await change([young], { created_at: toTime(Date.now() - RETENTION_DAYS * DAY_MS + 60_000) });
      expect(await listIds(retaining)).toEqual([young.messageId]);
      expect(await listIds(retaining, { offset: 0 })).toEqual([young.messageId]);
      expect(await listIds()).toEqual([old.messageId, young.messageId]);
      expect(await retaining.messages.areStored([old, young])).toEqual([false, true]);
    });

    test.each([
      ['by their senders’ times', false],
      ['by their age', true],
    ])(
      'pages by offset and by cursor agree in a large box of which two thirds have expired %s',
      async (_how, byAge) => {
        const all = await store(1_500, { body: 'x' });
        const gone = new Set(idsOf(all.filter((_, n) => n % 3 !== 1)));
        const column = byAge ? 'created_at' : 'expires_at';
        await knex.raw(
          `UPDATE messages SET ${column} = ? WHERE id % 3 <> (SELECT r FROM (SELECT MIN(id) + 1 AS r FROM messages) AS f) % 3`,
          [toTime(Date.now() - 40 * DAY_MS)],
        );
        const live = idsOf(all).filter((id) => !gone.has(id));
        const at = byAge ? retaining : database;
        expect(await listIds(at)).toEqual(live);

        const byOffset: string[] = [];
        for (let offset: number | null = 0; offset !== null; ) {
          const page = await list(at, { offset, limit: 130 });
          if (!('nextOffset' in page)) throw new Error('no page by offset');
          byOffset.push(...page.messages.map(({ messageId }) => messageId));
          expect(page.hasMore).toBe(byOffset.length < live.length);
          expect(page.nextOffset).toBe(page.hasMore ? offset + page.messages.length : null);
          offset = page.nextOffset;
        }
        expect(byOffset).toEqual(live);

        const byCursor: string[] = [];
        for (let after: string | undefined, more = true; more; ) {
          const page = await list(at, { limit: 130, ...(after === undefined ? {} : { after }) });
          byCursor.push(...page.messages.map(({ messageId }) => messageId));
          more = 'hasMore' in page && page.hasMore === true;
          after = 'next' in page ? page.next : undefined;
        }
        expect(byCursor).toEqual(live);
        // Exactly the live ones: nothing is left behind the last of them.
        expect(await list(at, { offset: 0, limit: 500 })).toMatchObject({ hasMore: false, nextOffset: null });
        expect(await list(at, { offset: 499, limit: 1 })).toMatchObject({ hasMore: false, nextOffset: null });
        expect((await list(at, { offset: 500, limit: 1 })).messages).toEqual([]);
      },
    );

    test('expired messages count against no quota', async () => {
      const sender = someone();
      const sent = await store(4, { sender });
      await expire(sent[0] as NewMessage);
      await makeOld(sent[1] as NewMessage);
      for (const [at, messages] of [
        [database, 3],
        [retaining, 2],
      ] as const) {
        const usage = new SqlUsageReader(at.sql);
        const amount = { messages, bytes: messages * 5 };
        expect(await usage.readInboxUsage(recipient, NO_LIMIT)).toEqual(amount);
        expect(await usage.readSenderUsage(sender, NO_LIMIT)).toEqual(amount);
        expect(await usage.readPairUsage(recipient, sender, NO_LIMIT)).toEqual(amount);
      }
    });

    test('a repeat leaves the expiry of the first send as it is, with a later one, an earlier one or none', async () => {
      const expiresAt = inOneHour();
      const [one] = await store(1, { expiresAt });
      if (one === undefined) throw new Error('nothing stored');
      for (const other of [new Date(expiresAt.getTime() + DAY_MS), new Date(expiresAt.getTime() - 60_000), undefined]) {
        expect(await getOutcomes(database.messages.storeMessages([{ ...one, expiresAt: other }]))).toEqual([
          'duplicate',
        ]);
      }
      expect((await list()).messages).toMatchObject([{ expiresAt: expiresAt.toISOString() }]);
      const [never] = await store(1);
      expect(await getOutcomes(database.messages.storeMessages([{ ...(never as NewMessage), expiresAt }]))).toEqual([
        'duplicate',
      ]);
      expect((await list()).messages[1]).not.toHaveProperty('expiresAt');
    });

    test('the id of an expired message is free, for its sender, for another one and in another box', async () => {
      const sent = await store(3, { expiresAt: inOneHour() });
      const [same, taken, moved] = sent as [NewMessage, NewMessage, NewMessage];
      await expect(database.messages.storeMessages([{ ...taken, sender: someone() }])).rejects.toThrow(
        MessageIdTakenError,
      );
      await expire(...sent);
      const again = [
        { ...same, expiresAt: undefined, body: 'again' },
        { ...taken, sender: someone(), expiresAt: undefined, body: 'from another' },
        { ...moved, messageBox: 'other', expiresAt: undefined },
      ];
      expect(await database.messages.areStored(again)).toEqual([false, false, false]);
      expect(await getOutcomes(database.messages.storeMessages(again))).toEqual(['stored', 'stored', 'stored']);
      expect((await list()).messages.map(({ body }) => body)).toEqual(['again', 'from another']);
      expect(await getOutcomes(database.messages.storeMessages(again))).toEqual([
        'duplicate',
        'duplicate',
        'duplicate',
      ]);
      expect((await readStored()).length).toBe(3);
    });

    test('an expired message can still be acknowledged by one who has read it before', async () => {
      const [one] = await store(1, { expiresAt: inOneHour() });
      await expire(one as NewMessage);
      expect(await database.messages.acknowledgeMessages(recipient, idsOf([one as NewMessage]))).toBe(1);
      expect(await readStored()).toEqual([]);
    });

    describe('the purge', () => {
      const purges: (() => Promise<void>)[] = [];
      afterEach(async () => {
        for (const stop of purges.splice(0)) await stop();
      });
      const startPurge = (at: DatabaseHandle) => {
        const metrics = new Metrics('test', {});
        const lines: string[] = [];
        const log = createLogger('test', 'info', { write: (line) => void lines.push(line) });
        const stop = startExpiryPurge({ store: at.messages, sql: at.sql, log, metrics, intervalMs: 1 });
        purges.push(stop);
        const countRemoved = async () => (await metrics.messagesExpired.get()).values[0]?.value ?? 0;
        return { stop, countRemoved, lines };
      };
      const expireAll = (count: number) =>
        store(count, { expiresAt: inOneHour(), body: 'x' }).then(async (all) => {
          await knex('messages')
            .whereNotNull('expires_at')
            .update({ expires_at: toTime(Date.now() - 2_000) });
          return all;
        });

      test('removes what has expired in batches, and nothing else', async () => {
        const kept = [...(await store(2)), ...(await store(2, { expiresAt: inOneHour() }))];
        await makeOld(kept[0] as NewMessage);
        await expireAll(2_500);
        // `expireAll` has let the time of every message come that has one.
        await change(kept.slice(2), { expires_at: toTime(Date.now() + DAY_MS) });
        const { countRemoved, stop, lines } = startPurge(database);
        await waitUntil('all are removed', async () => (await countRemoved()) === 2_500);
        await stop();
        expect(await readStored()).toEqual(idsOf(kept));
        expect(await countRemoved()).toBe(2_500);
        expect(lines).toEqual([]);
      });

      test('removes what is older than the retention, also behind old messages with payments', async () => {
        const paid = await store(1_100, { body: PAID_BODY, carriesPayment: true });
        const old = await store(1_200);
        const young = await store(3);
        await knex('messages')
          .where('id', '<=', 2_300)
          .update({ created_at: toTime(Date.now() - 40 * DAY_MS) });
        const { countRemoved, stop } = startPurge(retaining);
        await waitUntil('all are removed', async () => (await countRemoved()) === old.length);
        const late = await store(1);
        await makeOld(...young);
        await waitUntil('those that got old are removed', async () => (await countRemoved()) === old.length + 3);
        await stop();
        expect(await readStored()).toEqual(idsOf([...paid, ...late]));
      });

      test('by two instances at once removes each message once, while others send', async () => {
        await expireAll(5_000);
        const other = openDatabase(fixture.config);
        try {
          // SQLite serves one process. Two purges in it are two instances all the same.
          const instances = [startPurge(database), startPurge(fixture.config.client === 'mysql2' ? other : database)];
          const removed = async () =>
            (await Promise.all(instances.map(({ countRemoved }) => countRemoved()))).reduce((sum, one) => sum + one, 0);
          const sent: NewMessage[] = [];
          while ((await removed()) < 5_000) {
            const one = message({ recipient, expiresAt: inOneHour() });
            expect(await getOutcomes(database.messages.storeMessages([one]))).toEqual(['stored']);
            sent.push(one);
          }
          for (const { stop } of instances) await stop();
          expect(await removed()).toBe(5_000);
          expect(await readStored()).toEqual(idsOf(sent));
          expect(instances.flatMap(({ lines }) => lines)).toEqual([]);
        } finally {
          await other.messages.close();
        }
      });

      test('keeps messages with payments until they are acknowledged, whatever their times', async () => {
        const paid = await store(2, { body: PAID_BODY, carriesPayment: true, expiresAt: inOneHour() });
        // As versions that know no expiry, and the reference server, have stored them.
        const bodies = [
          PAID_BODY,
          '{"message":{"text":"an object"},"payment":{"outputs":[],"tx":[1]}}',
          '{"message":"quotes \\" and , \\"payment\\":{","payment":{"tx":[1]}}',
        ];
        const older: NewMessage[] = [];
        for (const body of bodies) older.push(...(await store(1, { body })));
        await change(older, { carries_payment: null });
        const all = [...paid, ...older];
        await expire(...all);
        await makeOld(...all);
        // Bodies that only look as if they had a payment: this version knows better, and others wrap such a body.
        const fakes = [
          ...(await store(1, { body: '{"message":"x","payment":{ and no more JSON' })),
          ...(await store(1, { body: '{"message":"{\\"message\\":1,\\"payment\\":{}}"}' })),
        ];
        await change(fakes.slice(1), { carries_payment: null });
        await expire(...fakes);

        for (const at of [database, retaining]) {
          const { messages } = await list(at);
          expect(messages.map(({ messageId }) => messageId)).toEqual(idsOf(all));
          for (const one of messages) expect(one).not.toHaveProperty('expiresAt');
          expect(await new SqlUsageReader(at.sql).readInboxUsage(recipient, NO_LIMIT)).toMatchObject({ messages: 5 });
          expect(await getOutcomes(at.messages.storeMessages(all))).toEqual(all.map(() => 'duplicate'));
        }
        const purge = startPurge(retaining);
        await waitUntil('the fakes are removed', async () => (await purge.countRemoved()) === fakes.length);
        const [last] = await store(1);
        await expire(last as NewMessage);
        await waitUntil('a later message is removed', async () => (await purge.countRemoved()) === fakes.length + 1);
        await purge.stop();
        expect(await listIds(retaining)).toEqual(idsOf(all));
        expect(await database.messages.acknowledgeMessages(recipient, idsOf(all))).toBe(all.length);
        expect(await readStored()).toEqual([]);
      });
    });
  });
}

expirySuite('expiry on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mb-expiry-'));
  return {
    config: { client: 'better-sqlite3', filename: join(folder, 'messages.db') },
    drop: () => rm(folder, { recursive: true }),
  };
});

describeWithMysql('expiry on MySQL', () => {
  expirySuite('the same', createMysqlDatabase);

  test('an instance leaves the purge to another one that is at it, without a warning', async () => {
    const fixture = await createMysqlDatabase();
    const [database, other] = [openDatabase(fixture.config), openDatabase(fixture.config)];
    const knex = createKnex(fixture.config);
    const lines: string[] = [];
    const log = createLogger('test', 'info', { write: (line) => void lines.push(line) });
    const metrics = new Metrics('test', {});
    try {
      await database.messages.migrate();
      await database.messages.storeMessages([message({ expiresAt: inOneHour() })]);
      await knex('messages').update({ expires_at: new Date(Date.now() - 2_000) });
      const stop = await new NamedLock(other.sql).withLock('purge of expired messages', async () => {
        const asked = new Promise<void>((resolve) => {
          const { client } = database.sql.knex;
          const connect = client.acquireRawConnection.bind(client);
          let connections = 0;
          // The connection for the lock: asked for twice, so one attempt has ended.
          jest.spyOn(client, 'acquireRawConnection').mockImplementation(() => {
            if (++connections === 4) resolve();
            return connect();
          });
        });
        const { messages, sql } = database;
        const stopPurge = startExpiryPurge({ store: messages, sql, log, metrics, intervalMs: 1 });
        await asked;
        expect(await knex('messages')).toHaveLength(1);
        return stopPurge;
      });
      await waitUntil('the message is removed', async () => (await knex('messages')).length === 0);
      await stop();
      expect(lines).toEqual([]);
      expect((await metrics.messagesExpired.get()).values[0]?.value).toBe(1);
    } finally {
      jest.restoreAllMocks();
      await knex.destroy();
      await database.messages.close();
      await other.messages.close();
      await fixture.drop();
    }
  });
});
