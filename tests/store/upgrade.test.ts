import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createKnex,
  MessageIdTakenError,
  type MessageStore,
  MIGRATION_NAMES,
  MigrationError,
  openStore,
  upgradeMysqlSchema,
} from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import { createConnection } from 'mysql2/promise';
import { getOutcomes } from '../support/store-outcomes.ts';

const ALICE = '0284a9340eab362d9b8e2d5488012b127cec2617dbf5da84603122646e57ccc33a';
const BOB = '02191a4665966427655e96d35f8ba3ab42e6317e946d3db2cd45c92d028105bee5';
const CAROL = '03e48387968534f0ae9e534f8e639aff05aa4ab586c28af050a8bf28832e4c275b';
const EVERYTHING = 32 * 1024 * 1024;

/** How a reference server's database may have been set up, and how to put the fixture's text into what it can hold. */
interface Setup {
  readonly name: string;
  readonly charset: string;
  readonly collation: string;
  readonly representable: (text: string) => string;
}

const SETUPS: Setup[] = [
  { name: 'utf8mb4', charset: 'utf8mb4', collation: 'utf8mb4_general_ci', representable: (text) => text },
  { name: 'utf8mb4, case-sensitive', charset: 'utf8mb4', collation: 'utf8mb4_bin', representable: (text) => text },
  {
    name: 'utf8mb3',
    charset: 'utf8mb3',
    collation: 'utf8mb3_general_ci',
    representable: (text) => text.replaceAll('🎉', '♥'),
  },
  {
    name: 'latin1',
    charset: 'latin1',
    collation: 'latin1_swedish_ci',
    representable: (text) => text.replaceAll('🎉', 'ß').replaceAll('箱', 'ø'),
  },
];

async function loadReference(url: string, { charset, collation, representable }: Setup, more = ''): Promise<void> {
  const fixture = await readFile(join(__dirname, '../fixtures/reference-1.1.5.sql'), 'utf8');
  const tables = fixture.replaceAll(
    /DEFAULT CHARSET=\S+ COLLATE=[^\s;]+/g,
    `DEFAULT CHARSET=${charset} COLLATE=${collation}`,
  );
  const connection = await createConnection({ uri: url, multipleStatements: true, charset: 'utf8mb4' });
  try {
    await connection.query(representable(tables));
    if (more) await connection.query(more);
  } finally {
    await connection.end();
  }
}

describeWithMysql('upgrading a database of the reference server 1.1.5', () => {
  let database: TestDatabase;
  let store: MessageStore;
  let knex: Knex;

  beforeEach(async () => {
    database = await createMysqlDatabase();
    store = openStore(database.config);
    knex = createKnex(database.config);
  });

  afterEach(async () => {
    await store.close();
    await knex.destroy();
    await database.drop();
  });

  const list = async (recipient: string, messageBox: string) =>
    (await store.listMessages({ recipient, messageBox, maxBytes: EVERYTHING })).messages;
  const bodies = async (recipient: string, messageBox: string) =>
    (await list(recipient, messageBox)).map(({ body }) => JSON.parse(body) as unknown);

  /** The fixtures of the reference after the upgrade. */
  async function expectUpgraded(representable: (text: string) => string): Promise<void> {
    const inbox = await list(ALICE, 'inbox');
    expect(inbox.map(({ sender }) => sender)).toEqual([...Array<string>(12).fill(BOB), CAROL]);
    expect(inbox.map(({ body }) => body)).toEqual([
      ...Array.from({ length: 12 }, (_, n) => {
        const encryptedMessage = Buffer.from(`fixture ${n}`).toString('base64');
        return JSON.stringify({ message: JSON.stringify({ encryptedMessage }) });
      }),
      '{"encryptedMessage":"AAAA"}',
    ]);
    expect(inbox[3]?.createdAt.toISOString()).toBe('2025-03-01T10:00:03.000Z');
    expect(inbox[3]?.updatedAt.toISOString()).toBe('2025-03-01T10:00:03.000Z');

    const [payment, ...otherPayments] = await bodies(ALICE, 'payment_inbox');
    expect(otherPayments).toEqual([]);
    expect(payment).toMatchObject({
      message: '{"amount":10000}',
      payment: { tx: [1, 2, 3], outputs: [{ outputIndex: 1, protocol: 'wallet payment' }] },
    });
    expect(await bodies(BOB, 'inbox')).toEqual([{ message: { message: 'hi', kind: 'note' } }]);
    expect(await bodies(BOB, 'demo-box')).toEqual([{ message: 'dash' }]);
    expect(await bodies(CAROL, representable('ünïcode 箱'))).toEqual([{ message: representable('ünïcode 🎉') }]);

    expect((await knex('messages').count({ n: '*' }))[0]?.['n']).toBe(18);
    const [orphan] = await knex('messages').where({ messageId: Buffer.from('orphan-1') });
    expect(orphan).toMatchObject({ messageBoxId: null, body: 'lost box' });

    const permissions = await knex('message_permissions').orderBy('id');
    expect(permissions.map((row) => [row.id, String(row.sender), String(row.message_box), row.recipient_fee])).toEqual([
      [41, '', 'inbox', -1],
      [43, ALICE, 'inbox', 0],
      [44, CAROL, 'notifications', -1],
      [45, '', 'notifications', 10],
    ]);
    expect(new Set(permissions.map((row) => String(row.recipient)))).toEqual(new Set([BOB]));
    expect(permissions[0]?.updated_at).toEqual(new Date('2025-02-03T00:00:00Z'));

    const devices = await knex('device_registrations').orderBy('id');
    expect(devices.map((row) => [String(row.identity_key), String(row.fcm_token), row.device_id, row.active])).toEqual([
      [BOB, 'token-aaaaaaaaaaaaaaaaaaaaaaaa1', 'phone', 1],
      [BOB, 'token-bbbbbbbbbbbbbbbbbbbbbbbb2', null, 0],
    ]);
    expect(devices[0]?.last_used).toEqual(new Date('2025-02-01T00:00:00Z'));
    const fees = await knex('server_fees').orderBy('id');
    expect(fees.map((row) => [String(row.message_box), row.delivery_fee])).toEqual([
      ['notifications', 10],
      ['inbox', 0],
      ['payment_inbox', 0],
    ]);
  }

  describe.each(SETUPS)('in $name', (setup) => {
    test('keeps every message, permission, fee and device, and works on', async () => {
      await loadReference(database.url, setup);
      const pending = MIGRATION_NAMES.slice(5);
      expect(await store.getSchemaStatus()).toEqual({ current: false, pending, unknown: [] });
      expect(await store.migrate()).toEqual(pending);
      await expectUpgraded(setup.representable);

      // Ids and boxes that were one under the old collation are two now, in any script.
      const message = { recipient: ALICE, messageBox: 'inbox', messageId: 'live-1', sender: CAROL, body: '🎉 neu' };
      expect(await getOutcomes(store.storeMessages([message]))).toEqual(['duplicate']);
      expect(await getOutcomes(store.storeMessages([{ ...message, messageId: 'LIVE-1' }]))).toEqual(['stored']);
      expect(await getOutcomes(store.storeMessages([{ ...message, messageId: 'a', messageBox: 'Inbox' }]))).toEqual([
        'stored',
      ]);
      expect(await getOutcomes(store.storeMessages([{ ...message, messageId: 'b', messageBox: '箱🎉' }]))).toEqual([
        'stored',
      ]);
      expect((await list(ALICE, 'inbox')).map(({ body }) => body).slice(13)).toEqual(['🎉 neu']);
      expect((await list(ALICE, '箱🎉')).map(({ body }) => body)).toEqual(['🎉 neu']);
      expect(await list(ALICE, 'Inbox')).toHaveLength(1);

      const orphan = { ...message, recipient: BOB, messageId: 'orphan-1' };
      await expect(store.storeMessages([orphan])).rejects.toThrow(MessageIdTakenError);

      for (const [owner, box, count] of [
        [ALICE, 'inbox', 14],
        [ALICE, 'payment_inbox', 1],
        [BOB, 'inbox', 1],
        [BOB, 'demo-box', 1],
        [CAROL, setup.representable('ünïcode 箱'), 1],
      ] as const) {
        const ids = (await list(owner, box)).map(({ messageId }) => messageId);
        expect(await store.acknowledgeMessages(owner, ids)).toBe(count);
        expect(await list(owner, box)).toEqual([]);
      }
    });

    test('can be interrupted after any statement, and completed by the next run', async () => {
      await loadReference(database.url, setup);
      for (let allowed = 1; !(await upgradeFor(allowed)); allowed++) expect(allowed).toBeLessThan(200);
      await upgradeMysqlSchema(knex);
      expect(await store.migrate()).toEqual(MIGRATION_NAMES.slice(5));
      await expectUpgraded(setup.representable);
    });

    test('ends with the same tables as a new database', async () => {
      await loadReference(database.url, setup);
      await store.migrate();
      const fresh = await createMysqlDatabase();
      try {
        const freshStore = openStore(fresh.config);
        await freshStore.migrate();
        await freshStore.close();
        expect(await describeTables(knex, new URL(database.url).pathname.slice(1))).toEqual(
          await describeTables(knex, new URL(fresh.url).pathname.slice(1)),
        );
      } finally {
        await fresh.drop();
      }
    });
  });

  /** Runs the upgrade and breaks off when it has used up its statements. */
  async function upgradeFor(statements: number): Promise<boolean> {
    const interrupted = new Error('interrupted');
    let left = statements;
    const limited = {
      raw: async (sql: string, values: readonly Knex.Value[] = []) => {
        if (left-- === 0) throw interrupted;
        return await knex.raw(sql, values);
      },
    };
    try {
      await upgradeMysqlSchema(limited as unknown as Knex);
      return true;
    } catch (error) {
      if (error !== interrupted) throw error;
      return false;
    }
  }

  test('several instances may find the old database at once', async () => {
    await loadReference(database.url, SETUPS[0] as Setup);
    const others = [1, 2, 3].map(() => openStore(database.config));
    const ran = await Promise.all([store, ...others].map((one) => one.migrate()));
    await Promise.all(others.map((one) => one.close()));
    expect(ran.flat()).toEqual(MIGRATION_NAMES.slice(5));
    await expectUpgraded((text) => text);
  });

  test('messages of one second keep the order in which they lie, others that of their times', async () => {
    const row = (second: number, id: string) =>
      `('2025-05-01 00:00:0${second}', '2025-05-01 00:00:0${second}', 2, '${BOB}', '${ALICE}', '{}', '${id}')`;
    await loadReference(
      database.url,
      SETUPS[0] as Setup,
      `INSERT INTO messages VALUES ${row(2, 'm5')}, ${row(1, 'm9')}, ${row(2, 'm4')}, ${row(1, 'm7')}, ${row(0, 'm8')}`,
    );
    await store.migrate();
    const messages = await list(ALICE, 'payment_inbox');
    expect(messages.map(({ messageId }) => messageId)).toEqual(['pay-1', 'm8', 'm7', 'm9', 'm4', 'm5']);
    expect(
      await getOutcomes(
        store.storeMessages([
          { recipient: ALICE, messageBox: 'payment_inbox', messageId: 'a', sender: BOB, body: '{}' },
        ]),
      ),
    ).toEqual(['stored']);
    expect((await list(ALICE, 'payment_inbox')).at(-1)?.messageId).toBe('a');
  });

  test.each(SETUPS.slice(0, 2))('keys that were written in capitals are found, in $name', async (setup) => {
    const capitals = ALICE.toUpperCase();
    const caseSensitive = setup.collation.endsWith('_bin');
    // Without regard to case there can be only one inbox of hers; with, both spellings have their own.
    await loadReference(
      database.url,
      setup,
      `${caseSensitive ? `INSERT INTO messageBox VALUES (50, NOW(), NOW(), 'inbox', '${capitals}');` : ''}
       INSERT INTO messageBox VALUES (51, NOW(), NOW(), 'capitals', '${capitals}');
       INSERT INTO messages VALUES
         ('2025-05-01 00:00:00', '2025-05-01 00:00:00', ${caseSensitive ? 50 : 1}, '${BOB.toUpperCase()}', '${capitals}', '{}', 'capital-1'),
         ('2025-05-01 00:00:01', '2025-05-01 00:00:01', 51, '${BOB}', '${capitals}', '{}', 'capital-2');
       INSERT INTO message_permissions VALUES
         (60, '2025-06-01', '2025-06-01', '${BOB.toUpperCase()}', ${caseSensitive ? `'${capitals}'` : 'NULL'}, 'inbox', 3);
       INSERT INTO device_registrations VALUES (70, NOW(), NOW(), '${capitals}', 'Token', NULL, 'web', NULL, NULL)`,
    );
    await store.migrate();
    expect((await list(ALICE, 'inbox')).map(({ messageId, sender }) => [messageId, sender]).at(-1)).toEqual([
      'capital-1',
      BOB,
    ]);
    expect((await list(ALICE, 'capitals')).map(({ messageId }) => messageId)).toEqual(['capital-2']);
    expect(await store.acknowledgeMessages(ALICE, ['capital-1', 'capital-2'])).toBe(2);
    const permissions = await knex('message_permissions')
      .where({ message_box: Buffer.from('inbox') })
      .orderBy('id');
    expect(permissions.map((row) => [row.id, String(row.recipient), String(row.sender), row.recipient_fee])).toEqual(
      caseSensitive
        ? [
            [41, BOB, '', -1],
            [60, BOB, ALICE, 3],
          ]
        : [
            [43, BOB, ALICE, 0],
            [60, BOB, '', 3],
          ],
    );
    const [device] = await knex('device_registrations').where({ id: 70 });
    expect([String(device.identity_key), String(device.fcm_token), device.active]).toEqual([ALICE, 'Token', 1]);
  });

  test('names that fill their columns are kept to the last character', async () => {
    const long = (seed: string) =>
      `${createHash('sha256').update(seed).digest('hex')}${'🎉'.repeat(255)}`.slice(0, 64 + 191 * 2);
    const names = { box: long('box'), id: long('id'), sender: long('sender') };
    await loadReference(
      database.url,
      SETUPS[0] as Setup,
      `INSERT INTO messageBox VALUES (60, NOW(), NOW(), '${names.box}', '${ALICE}');
       INSERT INTO messages VALUES (NOW(), NOW(), 60, '${names.sender}', '${ALICE}', '{}', '${names.id}');
       INSERT INTO device_registrations VALUES (71, NULL, NULL, '${ALICE}', '${'🎉'.repeat(500)}', NULL, NULL, NULL, 1)`,
    );
    await store.migrate();
    const [message] = await list(ALICE, names.box);
    expect([...names.box]).toHaveLength(255);
    expect([message?.messageId, message?.sender]).toEqual([names.id, names.sender]);
    const [device] = await knex('device_registrations').where({ id: 71 });
    expect(String(device.fcm_token)).toBe('🎉'.repeat(500));
    expect(device.created_at).toBeInstanceOf(Date);
  });

  test('an older reference database is refused with the way out', async () => {
    await loadReference(
      database.url,
      SETUPS[0] as Setup,
      'DELETE FROM messages; ALTER TABLE messages MODIFY messageId INT NOT NULL',
    );
    await expect(store.migrate()).rejects.toThrow(MigrationError);
    await expect(store.migrate()).rejects.toThrow(/1\.1\.5/);
    expect((await store.getSchemaStatus()).pending).toEqual(MIGRATION_NAMES.slice(5));
  });

  test('a message still cannot be stored twice for one recipient, nor two box-wide permissions', async () => {
    await loadReference(database.url, SETUPS[0] as Setup);
    await store.migrate();
    const [row] = await knex('messages').where({ messageId: Buffer.from('live-1') });
    await expect(knex('messages').insert({ ...row, id: undefined })).rejects.toMatchObject({ errno: 1062 });
    const permission = { recipient: Buffer.from(BOB), message_box: Buffer.from('inbox'), recipient_fee: 1 };
    await expect(knex('message_permissions').insert(permission)).rejects.toMatchObject({ errno: 1062 });
  });
});

/** Columns and indexes of every table but Knex's own, in an order that doesn't depend on how they came to be. */
async function describeTables(knex: Knex, database: string): Promise<unknown> {
  const [columns] = await knex.raw(
    `SELECT table_name AS t, column_name AS c, column_type AS type, is_nullable AS nullable, column_default AS preset,
       character_set_name AS charset, collation_name AS collation, extra AS extra
     FROM information_schema.columns WHERE table_schema = ? AND table_name NOT LIKE 'knex%' ORDER BY 1, 2`,
    [database],
  );
  const [indexes] = await knex.raw(
    `SELECT table_name AS t, index_name AS i, non_unique AS many, seq_in_index AS n, column_name AS c
     FROM information_schema.statistics WHERE table_schema = ? AND table_name NOT LIKE 'knex%' ORDER BY 1, 2, 4`,
    [database],
  );
  const [foreignKeys] = await knex.raw(
    `SELECT table_name AS t, referenced_table_name AS parent, delete_rule AS onDelete
     FROM information_schema.referential_constraints WHERE constraint_schema = ? ORDER BY 1, 2`,
    [database],
  );
  return { columns, indexes, foreignKeys };
}
