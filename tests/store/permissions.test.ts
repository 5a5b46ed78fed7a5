import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createKnex,
  type DatabaseHandle,
  openDatabase,
  type PermissionQuery,
  SqlPermissionStore,
  SqlServerFeeStore,
  StoreUnavailableError,
} from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import type { StoreFixture } from './store-suite.js';

const ALICE = `02${'a1'.repeat(32)}`;
const BOB = `03${'b0'.repeat(32)}`;
const CAROL = `02${'c4'.repeat(32)}`;
const LARGEST = 2_147_483_647;
const BEHIND_EVERYTHING = Number.MAX_SAFE_INTEGER;
const RACERS = 100;

/** The promises of both stores, on every database. */
function permissionSuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let database: DatabaseHandle;
    let permissions: SqlPermissionStore;
    let fees: SqlServerFeeStore;
    let knex: Knex;
    /** A box that no other test has touched. */
    let box: string;
    let boxes = 0;

    beforeAll(async () => {
      fixture = await createFixture();
      database = openDatabase(fixture.config);
      await database.messages.migrate();
      permissions = new SqlPermissionStore(database.sql);
      fees = new SqlServerFeeStore(database.sql);
      knex = createKnex(fixture.config);
    });

    beforeEach(() => {
      box = `box-${++boxes}`;
    });

    afterAll(async () => {
      await knex.destroy();
      await database.messages.close();
      await fixture.drop();
    });

    const set = (recipientFee: number, sender?: string, messageBox = box, recipient = ALICE) =>
      permissions.set({ recipient, sender, messageBox, recipientFee });
    const get = (sender?: string, messageBox = box, recipient = ALICE) =>
      permissions.get({ recipient, sender, messageBox });
    const list = (over: Partial<PermissionQuery> = {}) =>
      permissions.list({ recipient: ALICE, messageBox: box, limit: 1_000, offset: 0, order: 'asc', ...over });
    const rows = async () => (await knex('message_permissions').where({ message_box: Buffer.from(box) })) as unknown[];

    test('reads a permission that is set, and nothing that is not', async () => {
      const before = Date.now();
      await set(5, BOB);
      expect(await get(BOB)).toMatchObject({ recipient: ALICE, sender: BOB, messageBox: box, recipientFee: 5 });
      expect(await get()).toBeUndefined();
      expect(await get(CAROL)).toBeUndefined();
      expect(await get(BOB, box, CAROL)).toBeUndefined();
      expect(await get(BOB, box.toUpperCase())).toBeUndefined();
      await set(-1);
      expect(await get()).toMatchObject({ sender: undefined, recipientFee: -1 });
      expect(await get(BOB)).toMatchObject({ recipientFee: 5 });
      const created = (await get(BOB))?.createdAt.getTime() ?? 0;
      expect(created).toBeGreaterThanOrEqual(before);
      expect(created).toBeLessThanOrEqual(Date.now());
    });

    test.each([-1, 0, 1, 546, LARGEST - 1, LARGEST])('a fee of %i is kept', async (fee) => {
      await set(fee, BOB);
      expect((await get(BOB))?.recipientFee).toBe(fee);
      expect((await list()).permissions[0]?.recipientFee).toBe(fee);
      expect((await permissions.decisions([ALICE], BOB, box)).get(ALICE)).toEqual({
        forSender: fee,
        boxWide: undefined,
      });
    });

    test.each([
      [-2, -1],
      [-7, -1],
      [-2_147_483_648, -1],
      [LARGEST + 1, LARGEST],
      [2_100_000_000_000_000, LARGEST],
      [Number.MAX_SAFE_INTEGER, LARGEST],
    ])('a fee of %i, of another server’s making, is read as %i', async (fee, read) => {
      await set(5, BOB);
      await set(5);
      await knex('message_permissions')
        .where({ message_box: Buffer.from(box) })
        .update({ recipient_fee: fee });
      expect(await get(BOB)).toMatchObject({ recipientFee: read });
      expect((await list()).permissions.map(({ recipientFee }) => recipientFee)).toEqual([read, read]);
      expect((await permissions.decisions([ALICE], BOB, box)).get(ALICE)).toEqual({ forSender: read, boxWide: read });
    });

    test.each([
      [-5, 0],
      [LARGEST + 1, LARGEST],
      [Number.MAX_SAFE_INTEGER, LARGEST],
    ])('a delivery fee of %i, of another server’s making, is read as %i', async (fee, read) => {
      await fees.set(box, 1);
      await knex('server_fees')
        .where({ message_box: Buffer.from(box) })
        .update({ delivery_fee: fee });
      expect((await fees.all()).find(({ messageBox }) => messageBox === box)).toMatchObject({ deliveryFee: read });
      await knex('server_fees')
        .where({ message_box: Buffer.from(box) })
        .delete();
    });

    test('a migration brings stored fees into the range that clients read, and leaves times alone', async () => {
      const stored = [-9, -2, -1, 0, 5, LARGEST, LARGEST + 1, Number.MAX_SAFE_INTEGER];
      const long = Date.now() - 86_400_000;
      const timeOf = (ms: number) => database.sql.toSqlTime(new Date(ms)) as number;
      for (const [i, fee] of stored.entries()) {
        const times = { created_at: timeOf(long), updated_at: timeOf(long) };
        const name = { message_box: Buffer.from(`${box} ${i}`), ...times };
        await knex('server_fees').insert({ ...name, delivery_fee: fee });
        const permission = { recipient: Buffer.from(CAROL), sender: Buffer.from(''), recipient_fee: fee };
        await knex('message_permissions').insert({ ...name, ...permission });
      }
      await knex('knex_migrations').where({ name: '2026-11-29-002-clamp-fees' }).delete();
      expect(await database.messages.migrate()).toEqual(['2026-11-29-002-clamp-fees']);
      const mine = (query: Knex.QueryBuilder) =>
        query.whereIn(
          'message_box',
          stored.map((_, i) => Buffer.from(`${box} ${i}`)),
        );
      const permissionRows = await mine(knex('message_permissions').orderBy('message_box'));
      const feeRows = await mine(knex('server_fees').orderBy('message_box'));
      const clamped = stored.map((fee) => Math.min(LARGEST, fee));
      expect(permissionRows.map((row: { recipient_fee: unknown }) => Number(row.recipient_fee))).toEqual(
        clamped.map((fee) => Math.max(-1, fee)),
      );
      expect(feeRows.map((row: { delivery_fee: unknown }) => Number(row.delivery_fee))).toEqual(
        clamped.map((fee) => Math.max(0, fee)),
      );
      for (const row of [...permissionRows, ...feeRows]) expect(new Date(row.updated_at).getTime()).toBe(long);
      await mine(knex('server_fees')).delete();
    });

    describe('boxes with names that clients refuse to read', () => {
      const readable = [
        'inbox',
        'a b',
        'x'.repeat(128),
        '本'.repeat(42),
        '📬'.repeat(32),
        "Grüße, “quotes” & \\ '",
        'a\u00a0b\u2003c\u3000d',
        '\u00c2\u0100',
        'soft\u00adhyphen\u200b',
      ];
      const odd = [
        'x'.repeat(129),
        '本'.repeat(43),
        '📬'.repeat(255),
        ' inbox',
        'inbox ',
        ...[0x01, 0x09, 0x0a, 0x0d, 0x1f, 0x7f, 0x80, 0x85, 0x9f].flatMap((code) => {
          const control = String.fromCodePoint(code);
          return [`in${control}box`, `${control}inbox`, `inbox${control}`];
        }),
        ...[0xa0, 0x1680, 0x2000, 0x2003, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff].flatMap((code) => {
          const space = String.fromCodePoint(code);
          return [`${space}inbox`, `inbox${space}`];
        }),
      ];
      /** A recipient without permissions of other tests. */
      const owner = () => `02${String(++owners).padStart(64, '0')}`;
      let owners = 1_000;

      test('are left out of the list of all boxes, of its pages and of its total', async () => {
        const recipient = owner();
        for (const [i, name] of [...odd, ...readable].entries()) await set(i, undefined, name, recipient);
        await set(-1, BOB, odd[0], recipient);
        await set(-1, BOB, 'inbox', recipient);
        const all = await list({ recipient, messageBox: undefined });
        expect(all.permissions.map(({ messageBox }) => messageBox)).toEqual([...readable, 'inbox']);
        expect(all.total).toBe(readable.length + 1);
        const paged: string[] = [];
        for (let offset = 0; offset < all.total; offset += 3) {
          const page = await list({ recipient, messageBox: undefined, limit: 3, offset });
          expect([page.total, page.permissions.length]).toEqual([all.total, Math.min(3, all.total - offset)]);
          paged.push(...page.permissions.map(({ messageBox }) => messageBox));
        }
        expect(paged).toEqual([...readable, 'inbox']);
      });

      test.each(odd.map((name) => [JSON.stringify(name).slice(0, 40), name]))(
        'are still set, read and obeyed by name: %s',
        async (_label, name) => {
          const recipient = owner();
          await set(7, BOB, name, recipient);
          expect(await get(BOB, name, recipient)).toMatchObject({ messageBox: name, recipientFee: 7 });
          expect((await permissions.decisions([recipient], BOB, name)).get(recipient)).toMatchObject({ forSender: 7 });
          expect(await list({ recipient, messageBox: name })).toMatchObject({
            permissions: [{ messageBox: name }],
            total: 1,
          });
          expect(await list({ recipient, messageBox: undefined })).toEqual({ permissions: [], total: 0 });
        },
      );

      test('senders that are not identity keys, as another server may have stored them, are left out as well', async () => {
        const recipient = owner();
        await set(1, BOB, 'inbox', recipient);
        for (const sender of ['x', `04${'1'.repeat(128)}`, `05${'1'.repeat(64)}`, '02']) {
          await set(2, sender, 'inbox', recipient);
        }
        for (const messageBox of [undefined, 'inbox']) {
          const { permissions: listed, total } = await list({ recipient, messageBox });
          expect([listed.map(({ sender }) => sender), total]).toEqual([[BOB], 1]);
        }
      });
    });

    test.each([BOB, undefined])('setting again changes the one row, also to the same value: of %s', async (sender) => {
      await set(1, sender);
      const first = await get(sender);
      for (const fee of [2, 2, 2, -1]) await set(fee, sender);
      const last = await get(sender);
      expect(last).toMatchObject({ recipientFee: -1, createdAt: first?.createdAt });
      expect(last?.updatedAt.getTime()).toBeGreaterThanOrEqual(first?.updatedAt.getTime() ?? 0);
      expect(await rows()).toHaveLength(1);
    });

    test.each([BOB, undefined])('sets that race leave one row, with a value of theirs: of %s', async (sender) => {
      const values = Array.from({ length: RACERS }, (_, i) => i + 1);
      // Like several instances, each with its own connections.
      const others = [1, 2, 3].map(() => openDatabase(fixture.config));
      const stores = [permissions, ...others.map(({ sql }) => new SqlPermissionStore(sql))];
      const one = { recipient: ALICE, sender, messageBox: box };
      await Promise.all(
        values.map((recipientFee, i) =>
          (stores[i % stores.length] as SqlPermissionStore).set({ ...one, recipientFee }),
        ),
      );
      await Promise.all(others.map(({ messages }) => messages.close()));
      expect(await rows()).toHaveLength(1);
      expect(values).toContain((await get(sender))?.recipientFee);
      // The set that is answered last counts.
      await set(-1, sender);
      expect((await get(sender))?.recipientFee).toBe(-1);
      expect(await rows()).toHaveLength(1);
    });

    test('racing sets of many rows, in any order, all succeed', async () => {
      const senders = Array.from({ length: 10 }, (_, i) => `02${String(i).repeat(64)}`);
      const all = Array.from({ length: RACERS }, (_, i) => senders[(i * 7) % senders.length] as string);
      await Promise.all(all.map((sender, i) => set(i, sender)));
      expect((await list()).total).toBe(senders.length);
    });

    test('setting again uses up no row ids', async () => {
      await set(1, BOB);
      for (let fee = 0; fee < 20; fee++) await set(fee, BOB);
      await set(1, CAROL);
      const ids = (await rows()).map((row) => Number((row as { id: number }).id));
      expect(Math.max(...ids) - Math.min(...ids)).toBe(1);
    });

    test('decides for each recipient by itself, about this sender and this box only', async () => {
      await set(1, BOB);
      await set(2);
      await set(3, undefined, box, CAROL);
      await set(4, CAROL);
      await set(5, BOB, `${box} other`, CAROL);
      expect(await permissions.decisions([BOB, CAROL, ALICE, CAROL], BOB, box)).toEqual(
        new Map([
          [ALICE, { forSender: 1, boxWide: 2 }],
          [CAROL, { forSender: undefined, boxWide: 3 }],
        ]),
      );
      expect(await permissions.decisions([BOB], BOB, box)).toEqual(new Map());
      expect(await permissions.decisions([], BOB, box)).toEqual(new Map());
    });

    test('decides for 1,000 recipients in one answer', async () => {
      const recipients = Array.from({ length: 1_000 }, (_, i) => `02${i.toString(16).padStart(64, '0')}`);
      await set(7, undefined, box, recipients[0]);
      await set(8, BOB, box, recipients[999]);
      expect([...(await permissions.decisions(recipients, BOB, box))]).toEqual([
        [recipients[0], { forSender: undefined, boxWide: 7 }],
        [recipients[999], { forSender: 8, boxWide: undefined }],
      ]);
    });

    test('reading never writes', async () => {
      await get(BOB);
      await list();
      await permissions.decisions([ALICE, BOB], CAROL, box);
      expect(await rows()).toEqual([]);
    });

    test('pages by the time of creation, ascending and descending', async () => {
      const senders = Array.from({ length: 7 }, (_, i) => `02${String(i).repeat(64)}`);
      for (const [i, sender] of senders.entries()) await set(i, sender);
      await set(100, senders[3]); // a change moves nothing
      await set(9, BOB, `${box} other`);
      const feesOf = async (over: Partial<PermissionQuery>) =>
        (await list(over)).permissions.map(({ recipientFee }) => recipientFee);
      expect(await feesOf({})).toEqual([0, 1, 2, 100, 4, 5, 6]);
      expect(await feesOf({ order: 'desc' })).toEqual([6, 5, 4, 100, 2, 1, 0]);
      expect(await feesOf({ limit: 2, offset: 3 })).toEqual([100, 4]);
      expect(await feesOf({ offset: BEHIND_EVERYTHING })).toEqual([]);
      expect((await list({ limit: 1, offset: BEHIND_EVERYTHING })).total).toBe(7);
      expect((await list({ recipient: BOB })).permissions).toEqual([]);
      expect((await list({ messageBox: undefined, limit: 1, order: 'desc' })).permissions).toMatchObject([
        { messageBox: `${box} other`, recipientFee: 9 },
      ]);
    });

    test('delivery fees are set, changed and listed by name, whole satoshis however many', async () => {
      const seeded = [
        ['inbox', 0],
        ['notifications', 10],
        ['payment_inbox', 0],
      ];
      const all = async () => (await fees.all()).map(({ messageBox, deliveryFee }) => [messageBox, deliveryFee]);
      expect(await all()).toEqual(seeded);
      expect(await fees.set('an own box', LARGEST)).toMatchObject({ messageBox: 'an own box', deliveryFee: LARGEST });
      expect(await all()).toEqual([['an own box', LARGEST], ...seeded]);
      await Promise.all(Array.from({ length: RACERS }, (_, i) => fees.set('an own box', i)));
      expect(await all()).toHaveLength(4);
      const before = Date.now();
      for (const fee of [3, 3]) await fees.set('an own box', fee);
      const [first] = await fees.all();
      expect(first).toMatchObject({ messageBox: 'an own box', deliveryFee: 3 });
      const updatedAt = first?.updatedAt.getTime() ?? 0;
      expect(updatedAt).toBeGreaterThan(before - 10_000);
      expect(updatedAt).toBeLessThan(Date.now() + 10_000);
    });

    test('reports every call as unavailable when the database is gone', async () => {
      const gone = openDatabase(fixture.config);
      await gone.messages.close();
      const [closed, closedFees] = [new SqlPermissionStore(gone.sql), new SqlServerFeeStore(gone.sql)];
      const key = { recipient: ALICE, sender: BOB, messageBox: box };
      await expect(closed.set({ ...key, recipientFee: 1 })).rejects.toThrow(StoreUnavailableError);
      await expect(closed.get(key)).rejects.toThrow(StoreUnavailableError);
      await expect(closed.list({ ...key, limit: 1, offset: 0, order: 'asc' })).rejects.toThrow(StoreUnavailableError);
      await expect(closed.decisions([ALICE], BOB, box)).rejects.toThrow(StoreUnavailableError);
      await expect(closedFees.all()).rejects.toThrow(StoreUnavailableError);
      await expect(closedFees.set(box, 1)).rejects.toThrow(StoreUnavailableError);
    });
  });
}

permissionSuite('permissions and fees on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mb-permissions-'));
  const config = { client: 'better-sqlite3' as const, filename: join(folder, 'messages.db') };
  return { config, drop: () => rm(folder, { recursive: true }) };
});

describeWithMysql('permissions and fees on MySQL', () => {
  permissionSuite('the promises', createMysqlDatabase);

  test('a send reads no more than its own rows, however many its recipient has', async () => {
    const fixture = await createMysqlDatabase();
    const database = openDatabase(fixture.config);
    const knex = createKnex(fixture.config);
    try {
      await database.messages.migrate();
      const names = Array.from({ length: 1_000 }, (_, i) => Buffer.from(`02${i.toString(16).padStart(64, '0')}`));
      const [busy] = names as [Buffer];
      const row = { recipient: busy, message_box: Buffer.from('inbox'), recipient_fee: -1 };
      const blocked = Array.from({ length: 10_000 }, (_, i) => ({ ...row, sender: Buffer.from(`sender ${i}`) }));
      await knex.batchInsert('message_permissions', blocked, 1_000);
      await knex.batchInsert(
        'message_permissions',
        names.map((recipient) => ({ ...row, recipient, sender: Buffer.from(BOB) })),
        1_000,
      );
      await knex.raw('ANALYZE TABLE message_permissions');
      for (const count of [1, 2, 50]) {
        const [plan] = await knex.raw(
          `EXPLAIN FORMAT=TRADITIONAL SELECT recipient, sender, recipient_fee FROM message_permissions
           WHERE recipient IN (${Array(count).fill('?').join(', ')}) AND sender IN (?, ?) AND message_box = ?`,
          [...names.slice(0, count), Buffer.from(BOB), Buffer.from(''), Buffer.from('inbox')],
        );
        expect(plan).toHaveLength(1);
        expect(Number(plan[0].rows)).toBeLessThanOrEqual(2 * count);
      }
    } finally {
      await knex.destroy();
      await database.messages.close();
      await fixture.drop();
    }
  });
});
