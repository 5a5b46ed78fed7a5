import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AuditLog,
  appendAudit,
  BlockedIdentities,
  createKnex,
  type DatabaseHandle,
  DeviceRegistrations,
  eraseAccount,
  eraseMessages,
  MAX_AUDIT_ENTRIES,
  openDatabase,
  type SqlClient,
  SqlPermissionStore,
  StoreUnavailableError,
  surveyUsage,
} from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import type { StoreFixture } from './store-suite.js';

const OPERATOR = `02${'0a'.repeat(32)}`;

let names = 0;
/** A key in the form of an identity key that no other test of this file uses. */
const someone = () => `03${String(++names).padStart(64, '0')}`;
let ids = 0;
const createId = () => `id-${++ids}`;

/** The columns that hold what others own, and so may name an identity that has deleted its account. */
const OF_OTHERS = [
  'blocked_identities.identity_key',
  'message_permissions.sender',
  'messages.sender',
  'operator_audit.subject',
  'payments.covers',
  'push_outbox.sender',
];

/** A client of which a call fails: the one with this number, from 1. The process was killed there. */
function createFailingClient(sql: SqlClient, failAt: number): SqlClient {
  let calls = 0;
  const count = () => {
    calls += 1;
    if (calls === failAt) throw new Error('killed');
  };
  return {
    engine: sql.engine,
    knex: sql.knex,
    dialect: sql.dialect,
    retentionDays: sql.retentionDays,
    receipts: sql.receipts,
    toSqlTime: (value) => sql.toSqlTime(value),
    read: async (...args) => {
      count();
      return sql.read(...args);
    },
    readLarge: async (...args) => {
      count();
      return sql.readLarge(...args);
    },
    write: async (...args) => {
      count();
      return sql.write(...args);
    },
    writeAll: async (writes) => {
      count();
      return sql.writeAll(writes);
    },
    transaction: async (work) => {
      count();
      return sql.transaction(work);
    },
    close: () => sql.close(),
  };
}

function accountSuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let database: DatabaseHandle;
    let knex: Knex;
    beforeAll(async () => {
      fixture = await createFixture();
      database = openDatabase(fixture.config);
      await database.messages.migrate();
      knex = createKnex(fixture.config);
    });
    afterAll(async () => {
      await knex.destroy();
      await database.messages.close();
      await fixture.drop();
    });

    const store = (recipient: string, sender: string, more: { messageBox?: string; carriesPayment?: boolean } = {}) =>
      database.messages.storeMessages([
        { recipient, sender, messageBox: 'inbox', messageId: createId(), body: 'hello', ...more },
      ]);

    async function listTables(): Promise<string[]> {
      const text =
        database.sql.engine === 'mysql'
          ? 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()'
          : "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
      const result: unknown = await knex.raw(text);
      const rows = (database.sql.engine === 'mysql' ? (result as [unknown])[0] : result) as { name: string }[];
      return rows.map((row) => row.name);
    }

    /** Every column of every table that names the key, as text or within a longer text. */
    async function findColumnsWith(key: string): Promise<string[]> {
      const found = new Set<string>();
      for (const table of await listTables()) {
        for (const row of (await knex(table).select('*')) as Record<string, unknown>[]) {
          for (const [column, value] of Object.entries(row)) {
            const text = Buffer.isBuffer(value)
              ? `${value.toString('latin1')} ${value.toString('hex')}`
              : String(value);
            if (text.includes(key)) found.add(`${table}.${column}`);
          }
        }
      }
      return [...found].sort();
    }

    /** Somebody with something in every table that can name an identity. */
    async function createAccount(): Promise<{ key: string; friend: string; sentId: string }> {
      const [key, friend] = [someone(), someone()];
      const permissions = new SqlPermissionStore(database.sql);
      for (let i = 0; i < 3; i++) await store(key, friend);
      await store(key, friend, { messageBox: 'another box' });
      await store(key, friend, { carriesPayment: true });
      const sentId = createId();
      await database.messages.storeMessages([
        { recipient: friend, sender: key, messageBox: 'inbox', messageId: sentId, body: 'for my friend' },
      ]);
      await permissions.set({ recipient: key, sender: friend, messageBox: 'inbox', recipientFee: 1 });
      await permissions.set({ recipient: friend, sender: key, messageBox: 'inbox', recipientFee: -1 });
      await new DeviceRegistrations(database.sql).register({
        identityKey: key,
        fcmToken: createId(),
        deviceId: undefined,
        platform: undefined,
      });
      const push = { message_id: Buffer.from('x'), created_at: 1 };
      const [own, others] = [Buffer.from(key), Buffer.from(friend)];
      await knex('push_outbox').insert({ ...push, recipient: own, sender: others });
      await knex('push_outbox').insert({ ...push, recipient: others, sender: own });
      const delivery = { ...push, device_id: 1, next_attempt_at: 1 };
      await knex('push_deliveries').insert({ ...delivery, recipient: own, sender: others });
      const payment = { state: Buffer.from('done'), created_at: 1, updated_at: 1 };
      await knex('payments').insert({ ...payment, txid: randomBytes(32), sender: own, covers: '[]' });
      const price = { state: Buffer.from('used'), satoshis: 1, created_at: 1, updated_at: 1 };
      await knex('request_payments').insert({ ...price, txid: randomBytes(32), sender: own });
      await knex('request_payments').insert({ ...price, txid: randomBytes(32), sender: others });
      const covers = JSON.stringify([[key, 'inbox', 'x']]);
      await knex('payments').insert({ ...payment, txid: randomBytes(32), sender: others, covers });
      await new BlockedIdentities(database.sql).block(key, { by: OPERATOR, reason: undefined });
      return { key, friend, sentId };
    }

    describe('a deleted account', () => {
      test('is named nowhere but in what belongs to others, the block and the audit log', async () => {
        const { key, friend, sentId } = await createAccount();
        const bystander = await createAccount();
        const before = await findColumnsWith(bystander.key);
        expect(await findColumnsWith(key)).toEqual(
          [
            ...OF_OTHERS,
            'device_registrations.identity_key',
            'messageBox.identityKey',
            'message_permissions.recipient',
            'messages.recipient',
            'payments.sender',
            'push_deliveries.recipient',
            'push_outbox.recipient',
            'request_payments.sender',
          ].sort(),
        );
        expect(await eraseAccount(database.sql, key, true)).toEqual({
          messages: { removed: 5, kept: 0, keptPayments: [] },
          boxes: 2,
          permissions: 1,
          devices: 1,
          payments: 2,
        });
        expect(await findColumnsWith(key)).toEqual(OF_OTHERS);
        // The friend has lost nothing, and neither has anybody else.
        const { messages } = await database.messages.listMessages({
          recipient: friend,
          messageBox: 'inbox',
          maxBytes: 1_000,
        });
        expect(messages).toMatchObject([{ messageId: sentId, body: 'for my friend' }]);
        expect(await findColumnsWith(bystander.key)).toEqual(before);
      });

      test('keeps the messages that carry a payment, and names them', async () => {
        const { key, friend } = await createAccount();
        const { messages, boxes } = await eraseAccount(database.sql, key, false);
        expect({ messages, boxes }).toEqual({
          messages: {
            removed: 4,
            kept: 1,
            keptPayments: [{ messageBox: 'inbox', messageId: expect.any(String), sender: friend }],
          },
          boxes: 1,
        });
        const query = { recipient: key, messageBox: 'inbox', maxBytes: 1_000 };
        const kept = await database.messages.listMessages(query);
        expect(kept.messages.map(({ messageId }) => messageId)).toEqual(
          messages.keptPayments.map(({ messageId }) => messageId),
        );
      });

      test('is deleted to the end by a repeat, wherever the first attempt was interrupted', async () => {
        for (let failAt = 1; ; failAt++) {
          const { key } = await createAccount();
          const error: unknown = await eraseAccount(createFailingClient(database.sql, failAt), key, true).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          if (error === undefined) {
            expect(failAt).toBeGreaterThan(10);
            return;
          }
          expect(error).toBeInstanceOf(StoreUnavailableError);
          await eraseAccount(database.sql, key, true);
          expect(await findColumnsWith(key)).toEqual(OF_OTHERS);
        }
      });
    });

    test('a purge takes any number of messages, and leaves those of others', async () => {
      const [key, friend] = [someone(), someone()];
      const batch = Array.from({ length: 1_203 }, (_, i) => ({
        recipient: key,
        sender: friend,
        messageBox: i % 2 === 0 ? 'inbox' : 'other',
        messageId: createId(),
        body: 'x',
        carriesPayment: i % 400 === 0,
      }));
      await database.messages.storeMessages(batch);
      await store(friend, key);
      const purge = (messageBox?: string) =>
        eraseMessages(database.sql, { recipient: key, messageBox, includePayments: false });
      expect(await purge('other')).toMatchObject({ removed: 601, kept: 0 });
      expect(await purge('other')).toMatchObject({ removed: 0, kept: 0 });
      expect(await purge()).toMatchObject({ removed: 598, kept: 4 });
      expect(await purge(friend)).toEqual({ removed: 0, kept: 0, keptPayments: [] });
      const page = { recipient: friend, messageBox: 'inbox', maxBytes: 1_000 };
      expect((await database.messages.listMessages(page)).messages).toHaveLength(1);
    });

    test('a survey counts boxes and senders that are larger than a slice', async () => {
      const [recipient, sender] = [someone(), someone()];
      for (let batch = 0; batch < 5; batch++) {
        await database.messages.storeMessages(
          Array.from({ length: 1_000 }, () => ({
            recipient,
            sender,
            messageBox: 'huge',
            messageId: createId(),
            body: '12345678',
          })),
        );
      }
      await store(recipient, sender, { messageBox: 'small' });
      const { boxes, senders, total, identities, databaseBytes } = await surveyUsage(database.sql);
      const [largest] = boxes.messages;
      expect(largest).toMatchObject({ identityKey: recipient, messageBox: 'huge', messages: 5_000, bytes: 40_000 });
      expect(senders.messages[0]).toEqual({ identityKey: sender, messages: 5_001, bytes: 40_005 });
      expect(boxes.bytes[0]).toEqual(largest);
      const [counted] = (await knex('messages').count({ n: '*' })) as [{ n: number }];
      expect(total.messages).toBe(Number(counted.n));
      const [owners] = (await knex('messageBox').countDistinct({ n: 'identityKey' })) as [{ n: number }];
      expect(identities).toBe(Number(owners.n));
      expect(databaseBytes).toBeGreaterThan(10_000);
    });

    describe('the audit log', () => {
      test('keeps the last 10,000 entries', async () => {
        const entry = { operator: OPERATOR, action: 'test', subject: 'x', details: {} };
        const log = new AuditLog(database.sql);
        const first = await log.record(entry);
        await database.sql.transaction(async (runner) => {
          for (let i = 0; i < MAX_AUDIT_ENTRIES; i++) await appendAudit(runner, entry);
        });
        const [kept] = (await knex('operator_audit').count({ n: '*' }).min({ first: 'id' })) as [
          { n: number; first: number },
        ];
        expect({ n: Number(kept.n), first: Number(kept.first) }).toEqual({ n: MAX_AUDIT_ENTRIES, first: first + 1 });
        expect((await log.list({ limit: 1 }))[0]?.id).toBe(first + MAX_AUDIT_ENTRIES);
      });
    });

    test('two operators block the same identity, and the first one counts', async () => {
      const blocked = new BlockedIdentities(database.sql);
      const [key, other] = [someone(), someone()];
      const results = await Promise.all([
        blocked.block(key, { by: OPERATOR, reason: 'one' }),
        blocked.block(key, { by: other, reason: 'two' }),
      ]);
      expect(new Set(results.map(({ reason }) => reason)).size).toBe(1);
      expect(await blocked.find(key)).toMatchObject({ reason: results[0].reason });
      expect(await blocked.listKeys()).toContain(key);
      expect(await blocked.unblock(key, OPERATOR)).toBe(true);
      expect(await blocked.unblock(key, OPERATOR)).toBe(false);
      const actions = (await new AuditLog(database.sql).list({ limit: 100 })).filter(({ subject }) => subject === key);
      expect(actions.map(({ action }) => action)).toEqual(['unblock', 'block']);
    });
  });
}

accountSuite('accounts on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'messagebox-accounts-'));
  return {
    config: { client: 'better-sqlite3', filename: join(folder, 'messagebox.sqlite') },
    drop: () => rm(folder, { recursive: true }),
  };
});

describeWithMysql('accounts on MySQL', () => {
  accountSuite('of its own', createMysqlDatabase);
});
