import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startExpiryPurge } from '@messagebox/api';
import { createLogger, Metrics } from '@messagebox/shared';
import { createKnex, type DatabaseHandle, MIGRATION_NAMES, MigrationError, openDatabase } from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import { createConnection } from 'mysql2/promise';
import { waitUntil } from '../acceptance/history.js';
import { migrateBefore } from '../support/migrate-before.js';
import { getOutcomes } from '../support/store-outcomes.ts';
import type { StoreFixture } from './store-suite.js';

const ALICE = '0284a9340eab362d9b8e2d5488012b127cec2617dbf5da84603122646e57ccc33a';
const BOB = '02191a4665966427655e96d35f8ba3ab42e6317e946d3db2cd45c92d028105bee5';
const CAROL = '03e48387968534f0ae9e534f8e639aff05aa4ab586c28af050a8bf28832e4c275b';
const MIGRATION = '2026-11-30-002-message-expiry';
const FOREIGN_TABLES = ['message_resource_locks', 'auth_sessions', 'payment_replays', 'auth_message_nonces'];
const COLLATIONS = ['utf8mb4_general_ci', 'utf8mb4_bin', 'utf8mb3_general_ci', 'latin1_swedish_ci'];

interface ReferenceOptions {
  readonly collation?: string;
  readonly extension?: '.js' | '.ts';
  readonly withNonces?: boolean;
}

/** A database as the reference server leaves it since its version 1.1.14. */
async function loadReference(url: string, options: ReferenceOptions = {}): Promise<void> {
  const { collation = 'utf8mb4_general_ci', extension = '.js', withNonces = true } = options;
  const files = ['reference-1.1.5.sql', 'reference-1.1.14.sql'];
  const texts = await Promise.all(files.map((file) => readFile(join(__dirname, '../fixtures', file), 'utf8')));
  const charset = collation.split('_')[0] as string;
  const connection = await createConnection({ uri: url, multipleStatements: true, charset: 'utf8mb4' });
  try {
    for (const text of texts) {
      const setUp = text
        .replaceAll(/DEFAULT CHARSET=\S+ COLLATE=[^\s;]+/g, `DEFAULT CHARSET=${charset} COLLATE=${collation}`)
        .replaceAll(".js',", `${extension}',`)
        .replaceAll('🎉', charset === 'utf8mb4' ? '🎉' : 'ß')
        .replaceAll('箱', charset === 'latin1' ? 'ø' : '箱');
      await connection.query(setUp);
    }
    if (!withNonces) {
      await connection.query(`DROP TABLE auth_message_nonces; DELETE FROM knex_migrations WHERE id = 7`);
    }
  } finally {
    await connection.end();
  }
}

/** Runs the purge until it has removed this many messages. */
async function purge({ messages, sql }: DatabaseHandle, count: number): Promise<void> {
  const metrics = new Metrics('test', {});
  const log = createLogger('test', 'info', { write: () => undefined });
  const stop = startExpiryPurge({ store: messages, sql, log, metrics, intervalMs: 1 });
  try {
    await waitUntil(
      'the expired messages are removed',
      async () => (await metrics.messagesExpired.get()).values[0]?.value === count,
    );
  } finally {
    await stop();
  }
}

describeWithMysql('upgrading a database of the reference server since 1.1.14', () => {
  let fixture: TestDatabase;
  let database: DatabaseHandle;
  let knex: Knex;

  beforeEach(async () => {
    fixture = await createMysqlDatabase();
    database = openDatabase(fixture.config);
    knex = createKnex(fixture.config);
  });
  afterEach(async () => {
    await database.messages.close();
    await knex.destroy();
    await fixture.drop();
  });

  const list = async (recipient: string, messageBox: string) =>
    (await database.messages.listMessages({ recipient, messageBox, maxBytes: 1e8 })).messages.map(
      ({ messageId, expiresAt }) => [messageId, expiresAt?.toISOString()],
    );
  const readForeign = async () =>
    Object.fromEntries(
      await Promise.all(FOREIGN_TABLES.map(async (table) => [table, (await knex.raw(`SELECT * FROM ${table}`))[0]])),
    );
  const readDefinitions = async () =>
    await Promise.all(
      FOREIGN_TABLES.map(async (table) => (await knex.raw(`SHOW CREATE TABLE ${table}`))[0][0]['Create Table']),
    );

  test.each(COLLATIONS)('keeps every row and takes over expiry and spent payments, in %s', async (collation) => {
    await loadReference(fixture.url, { collation });
    const [foreign, definitions] = [await readForeign(), await readDefinitions()];
    const before = (await knex('messages').select('messageId', 'body', 'expires_at')).map((row) => ({
      id: String(row.messageId),
      body: row.body,
      expiresAt: row.expires_at,
    }));
    expect(before).toHaveLength(18);
    const pending = MIGRATION_NAMES.slice(5);
    expect(await database.messages.getSchemaStatus()).toEqual({ current: false, pending, unknown: [] });
    expect(await database.messages.migrate()).toEqual(pending);
    expect(await database.messages.getSchemaStatus()).toEqual({ current: true, pending: [], unknown: [] });
    expect(await database.messages.migrate()).toEqual([]);

    expect(await readForeign()).toEqual(foreign);
    expect(await readDefinitions()).toEqual(definitions);
    const after = (await knex('messages').select('messageId', 'body', 'expires_at')).map((row) => ({
      id: String(row.messageId),
      body: row.body,
      expiresAt: row.expires_at,
    }));
    const byId = (rows: typeof before) => [...rows].sort((one, other) => (one.id < other.id ? -1 : 1));
    expect(byId(after)).toEqual(byId(before));
    const names = (await knex('knex_migrations').orderBy('id')).map(({ name }) => name);
    expect(names.slice(5, 7)).toEqual(['2026-08-04-001-resource-safety.js', '2026-09-24-001-auth-message-nonces.js']);

    // The message with a payment never expires, and that of Carol has expired.
    expect(await list(BOB, 'inbox')).toEqual([['obj-1', '2037-01-01T00:00:00.000Z']]);
    expect(await list(BOB, 'demo-box')).toEqual([['dash-1', '2037-01-01T00:00:00.000Z']]);
    expect(await list(ALICE, 'payment_inbox')).toEqual([['pay-1', undefined]]);
    expect(await list(CAROL, collation.startsWith('latin1') ? 'ünïcode ø' : 'ünïcode 箱')).toEqual([]);
    expect(await list(ALICE, 'inbox')).toHaveLength(13);
    await purge(database, 1);
    expect(await knex('messages')).toHaveLength(17);
    expect(await list(ALICE, 'payment_inbox')).toEqual([['pay-1', undefined]]);

    const payments = await knex('payments').orderBy('created_at');
    expect(
      payments.map(({ txid, sender, state, covers, created_at: at }) => [
        txid.toString('hex'),
        String(sender),
        String(state),
        covers,
        new Date(Number(at)).toISOString(),
      ]),
    ).toEqual([
      ['11'.repeat(32), '', 'done', '[]', '2026-09-01T10:00:00.000Z'],
      ['ab'.repeat(32), '', 'done', '[]', '2026-09-02T10:00:00.000Z'],
      ['cd'.repeat(32), '', 'done', '[]', '2026-09-03T10:00:00.000Z'],
    ]);
  });

  test('ends with the same table of messages as a new database', async () => {
    await loadReference(fixture.url);
    await database.messages.migrate();
    const fresh = await createMysqlDatabase();
    const freshKnex = createKnex(fresh.config);
    try {
      const freshDatabase = openDatabase(fresh.config);
      await freshDatabase.messages.migrate();
      await freshDatabase.messages.close();
      const describe = async (of: Knex) => {
        const lines: string[] = (await of.raw('SHOW CREATE TABLE messages'))[0][0]['Create Table'].split('\n');
        return lines.map((line) => line.replace(/,$/, '').replace(/AUTO_INCREMENT=\d+ /, '')).sort();
      };
      expect(await describe(knex)).toEqual(await describe(freshKnex));
    } finally {
      await freshKnex.destroy();
      await fresh.drop();
    }
  });

  test('knows the names of a build that records them as .ts', async () => {
    await loadReference(fixture.url, { extension: '.ts' });
    await database.messages.migrate();
    expect(await database.messages.getSchemaStatus()).toEqual({ current: true, pending: [], unknown: [] });
    expect(await knex('messages')).toHaveLength(18);
    expect(await list(BOB, 'inbox')).toEqual([['obj-1', '2037-01-01T00:00:00.000Z']]);
    const fees = await knex('server_fees').orderBy('id');
    expect(fees.map((row) => [String(row.message_box), Number(row.delivery_fee)])).toEqual([
      ['notifications', 10],
      ['inbox', 0],
      ['payment_inbox', 0],
    ]);
  });

  test('upgrades one that has run only the first of the two later migrations', async () => {
    await loadReference(fixture.url, { withNonces: false });
    expect(await database.messages.migrate()).toEqual(MIGRATION_NAMES.slice(5));
    expect((await database.messages.getSchemaStatus()).current).toBe(true);
    expect(await knex('payments')).toHaveLength(3);
  });

  test('refuses one that a later version of the reference server has migrated', async () => {
    await loadReference(fixture.url);
    await knex('knex_migrations').insert({ name: '2027-01-01-001-something-else.js', batch: 4 });
    await expect(database.messages.migrate()).rejects.toThrow(MigrationError);
    await expect(database.messages.migrate()).rejects.toThrow(/2027-01-01-001-something-else\.js/);
    expect(await knex.schema.hasColumn('messages', 'id')).toBe(false);
  });

  test('takes over thousands of spent payments, and completes an interrupted run', async () => {
    await loadReference(fixture.url);
    const ids = Array.from({ length: 2_500 }, (_, n) => `e${n.toString(16).padStart(63, '0')}`);
    for (let start = 0; start < ids.length; start += 500) {
      await knex('payment_replays').insert(ids.slice(start, start + 500).map((id) => ({ transaction_id: id })));
    }
    await database.messages.migrate();
    expect((await knex('payments').count({ n: '*' }))[0]?.['n']).toBe(2_503);
    // As a run leaves it that ended in the middle.
    await knex('payments').orderBy('txid', 'desc').limit(900).delete();
    await knex.raw('ALTER TABLE messages DROP INDEX messages_expiration_index, DROP COLUMN carries_payment');
    await knex('knex_migrations').where({ name: MIGRATION }).delete();
    expect(await database.messages.migrate()).toEqual([MIGRATION]);
    expect((await knex('payments').count({ n: '*' }))[0]?.['n']).toBe(2_503);
    expect((await database.messages.getSchemaStatus()).current).toBe(true);
    expect(await list(BOB, 'inbox')).toHaveLength(1);
  });
});

/** A database of the version before, on each engine. */
function ownUpgradeSuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let database: DatabaseHandle;
    let knex: Knex;

    beforeEach(async () => {
      fixture = await createFixture();
      database = openDatabase(fixture.config);
      knex = createKnex(fixture.config);
      await migrateBefore(knex, MIGRATION);
      await knex('messageBox').insert({ type: Buffer.from('inbox'), identityKey: Buffer.from(BOB) });
    });
    afterEach(async () => {
      await database.messages.close();
      await knex.destroy();
      await fixture.drop();
    });

    /** Inserts as an instance of the version before does. */
    const insertOld = async (messageId: string, body = 'hello') => {
      const { messageBoxId } = await knex('messageBox').first('messageBoxId');
      const [recipient, sender] = [BOB, ALICE].map((key) => Buffer.from(key));
      const size = Buffer.byteLength(body);
      const row = { messageBoxId, recipient, sender, messageId: Buffer.from(messageId), body, body_bytes: size };
      await knex('messages').insert(row);
    };
    const listIds = async (at = database) =>
      (await at.messages.listMessages({ recipient: BOB, messageBox: 'inbox', maxBytes: 1e6 })).messages.map(
        ({ messageId }) => messageId,
      );

    test('keeps every row as it is, and works on with an instance of that version beside it', async () => {
      await insertOld('before');
      const before = await knex('messages').first();
      expect(await database.messages.migrate()).toContain(MIGRATION);
      const added = { expires_at: null, carries_payment: null, shared_body_id: null };
      expect(await knex('messages').first()).toEqual({ ...before, ...added });
      await insertOld('beside');
      const expiresAt = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60_000);
      const message = {
        recipient: BOB,
        messageBox: 'inbox',
        messageId: 'new',
        sender: ALICE,
        body: 'hello',
        expiresAt,
      };
      expect(await getOutcomes(database.messages.storeMessages([message]))).toEqual(['stored']);
      expect(await listIds()).toEqual(['before', 'beside', 'new']);
      expect(await database.messages.acknowledgeMessages(BOB, ['before', 'beside', 'new'])).toBe(3);
    });

    test('lets its messages get too old, but not those with payments', async () => {
      await insertOld('free');
      await insertOld('paid', '{"message":"hello","payment":{"tx":[1],"outputs":[]}}');
      await database.messages.migrate();
      await insertOld('beside');
      const old = Date.now() - 8 * 86_400_000;
      await knex('messages').update({ created_at: fixture.config.client === 'mysql2' ? new Date(old) : old });
      const retaining = openDatabase({ ...fixture.config, retentionDays: 7 });
      try {
        expect(await listIds(retaining)).toEqual(['paid']);
        await purge(retaining, 2);
        expect(await listIds()).toEqual(['paid']);
      } finally {
        await retaining.messages.close();
      }
    });
  });
}

ownUpgradeSuite('upgrading a database of the version before, on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mb-upgrade-'));
  return {
    config: { client: 'better-sqlite3', filename: join(folder, 'messages.db') },
    drop: () => rm(folder, { recursive: true }),
  };
});

describeWithMysql('upgrading a database of the version before, on MySQL', () => {
  ownUpgradeSuite('the same', createMysqlDatabase);

  test('adds the columns at once, whatever the size of the table', async () => {
    const fixture = await createMysqlDatabase();
    const knex = createKnex(fixture.config);
    const database = openDatabase(fixture.config);
    try {
      await database.messages.migrate();
      await knex.raw(
        'ALTER TABLE messages DROP INDEX messages_expiration_index, DROP COLUMN expires_at, DROP COLUMN carries_payment',
      );
      // The statements of the migration, with the promise that the server refuses when it can't keep it.
      await knex.raw('ALTER TABLE messages ADD COLUMN expires_at TIMESTAMP NULL DEFAULT NULL, ALGORITHM=INSTANT');
      await knex.raw('ALTER TABLE messages ADD COLUMN carries_payment TINYINT NULL, ALGORITHM=INSTANT');
      await knex.raw(
        'ALTER TABLE messages ADD INDEX messages_expiration_index (expires_at, messageId), ALGORITHM=INPLACE, LOCK=NONE',
      );
      expect(await knex.schema.hasColumn('messages', 'carries_payment')).toBe(true);
    } finally {
      await database.messages.close();
      await knex.destroy();
      await fixture.drop();
    }
  });
});
