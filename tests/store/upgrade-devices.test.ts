import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createKnex,
  type DatabaseHandle,
  DeviceRegistrations,
  openDatabase,
  PushOutbox,
  StoreUnavailableError,
} from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import { migrateBefore } from '../support/migrate-before.js';
import type { StoreFixture } from './store-suite.js';

const ALICE = `02${'a1'.repeat(32)}`;
const BOB = `03${'b0'.repeat(32)}`;
const CAROL = `02${'c4'.repeat(32)}`;
const MIGRATION = '2026-11-30-021-device-identities';

/** A database of the version before, with devices and waiting pushes, on each engine. */
function upgradeSuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let database: DatabaseHandle;
    let knex: Knex;
    let devices: DeviceRegistrations;

    beforeEach(async () => {
      fixture = await createFixture();
      database = openDatabase(fixture.config);
      devices = new DeviceRegistrations(database.sql);
      knex = createKnex(fixture.config);
      await migrateBefore(knex, MIGRATION);
    });
    afterEach(async () => {
      await database.messages.close();
      await knex.destroy();
      await fixture.drop();
    });

    const duplicate = { message: expect.stringMatching(/UNIQUE|Duplicate/) };
    const isMysql = () => fixture.config.client === 'mysql2';
    const toTime = (ms: number) => (isMysql() ? new Date(ms) : ms);
    /** Inserts as an instance of the version before does. */
    const registerOld = async (identityKey: string, token: string, more: object = {}) => {
      const time = toTime(1_700_000_000_000);
      const row = { created_at: time, updated_at: time, last_used: time, device_id: 'phone', platform: 'ios', ...more };
      const names = { identity_key: Buffer.from(identityKey), fcm_token: Buffer.from(token) };
      const [id] = await knex('device_registrations').insert({ ...row, ...names });
      return id as number;
    };
    const names = { recipient: Buffer.from(BOB), sender: Buffer.from(ALICE) };
    const addOldMessage = (id: string) =>
      knex('push_outbox').insert({ ...names, message_id: Buffer.from(id), created_at: 1 });
    const addOldDelivery = (device: number, id: string) =>
      knex('push_deliveries').insert({
        ...names,
        device_id: device,
        message_id: Buffer.from(id),
        created_at: 1,
        next_attempt_at: 1,
      });

    test('keeps every row with its id, and never uses the id of a deleted one again', async () => {
      const first = await registerOld(ALICE, 'token-1');
      const second = await registerOld(BOB, 'token-2', { active: 0, last_used: null, platform: null });
      const gone = await registerOld(BOB, 'token-3');
      await knex('device_registrations').where({ id: gone }).delete();
      const before = await knex('device_registrations').orderBy('id');
      expect(await database.messages.migrate()).toContain(MIGRATION);
      expect(await knex('device_registrations').orderBy('id')).toEqual(
        before.map((row) => ({ ...row, web_push_keys: null })),
      );
      expect(await devices.find(first)).toMatchObject({ fcmToken: 'token-1', webPushKeys: undefined, active: true });
      expect(await devices.find(second)).toMatchObject({ identityKey: BOB, active: false });
      const device = { fcmToken: 'token-1', deviceId: undefined, platform: undefined };
      expect(await devices.register({ identityKey: ALICE, ...device })).toBe(first);
      expect(await devices.register({ identityKey: CAROL, ...device })).toBeGreaterThan(gone);
      expect(await database.messages.migrate()).toEqual([]);
    });

    test('refuses two rows of one token and identity', async () => {
      await registerOld(ALICE, 'token');
      await database.messages.migrate();
      await expect(registerOld(ALICE, 'token')).rejects.toMatchObject(duplicate);
      await registerOld(BOB, 'token');
      expect(await knex('device_registrations')).toHaveLength(2);
    });

    test('pushes what waits, and what an instance of the version before adds beside it', async () => {
      const device = await registerOld(BOB, 'token');
      await addOldMessage('waits');
      await addOldDelivery(device, 'is expanded');
      await database.messages.migrate();
      await addOldMessage('beside');
      await addOldDelivery(device, 'is expanded beside');
      const outbox = new PushOutbox(database.sql, devices);
      const claimed = await outbox.claim(10, 60_000);
      expect(claimed.map(({ messageId }) => messageId).sort()).toEqual([
        'beside',
        'is expanded',
        'is expanded beside',
        'waits',
      ]);
      expect(claimed.map(({ messageBox }) => messageBox)).toEqual(Array(4).fill(undefined));
    });

    test('an instance of the version before still gives the first row of a token to another identity', async () => {
      const id = await registerOld(ALICE, 'token');
      await database.messages.migrate();
      // Its statement.
      const steal = 'UPDATE device_registrations SET identity_key = ?, active = 1 WHERE id = ? AND fcm_token = ?';
      await knex.raw(steal, [Buffer.from(BOB), id, Buffer.from('token')]);
      expect(await devices.list(ALICE)).toEqual([]);
      const again = await devices.register({
        identityKey: ALICE,
        fcmToken: 'token',
        deviceId: undefined,
        platform: undefined,
      });
      expect(await devices.listActiveIds([ALICE, BOB])).toEqual(
        new Map([
          [ALICE, [again]],
          [BOB, [id]],
        ]),
      );
      // An identity that has a row of its own is refused there, and nothing changes.
      await expect(knex.raw(steal, [Buffer.from(ALICE), id, Buffer.from('token')])).rejects.toMatchObject(duplicate);
    });

    test('a database that is not migrated is not available to this version', async () => {
      await expect(devices.list(ALICE)).rejects.toThrow(StoreUnavailableError);
    });
  });
}

upgradeSuite('upgrading the devices of the version before, on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mb-upgrade-'));
  return {
    config: { client: 'better-sqlite3', filename: join(folder, 'messages.db') },
    drop: () => rm(folder, { recursive: true }),
  };
});

describeWithMysql('upgrading the devices of the version before, on MySQL', () => {
  upgradeSuite('the same', createMysqlDatabase);

  const OLD_KEY = 'ADD UNIQUE KEY device_registrations_fcm_token_unique (fcm_token)';
  const NEW_KEY = 'DROP INDEX device_registrations_fcm_token_identity_key_unique';

  test.each([
    ['before it begins', [OLD_KEY, NEW_KEY, 'DROP COLUMN web_push_keys'], ['push_outbox', 'push_deliveries']],
    ['after the column', [OLD_KEY, NEW_KEY], ['push_outbox', 'push_deliveries']],
    ['after the new key', [OLD_KEY], ['push_outbox', 'push_deliveries']],
    ['after the table of devices', [], ['push_outbox', 'push_deliveries']],
    ['before its last statement', [], ['push_deliveries']],
    ['after its last statement', [], []],
  ])('completes a run that was interrupted %s', async (_when, undo, withoutBox) => {
    const fixture = await createMysqlDatabase();
    const knex = createKnex(fixture.config);
    const database = openDatabase(fixture.config);
    const describeTables = async () => {
      const tables = ['device_registrations', 'push_outbox', 'push_deliveries'];
      const rows = await Promise.all(tables.map((table) => knex.raw(`SHOW CREATE TABLE ${table}`)));
      const lines = (rows as [[Record<string, string>]][]).flatMap(([[row]]) => row['Create Table']?.split('\n') ?? []);
      return lines.map((line) => line.replace(/,$/, '')).sort();
    };
    try {
      await database.messages.migrate();
      const complete = await describeTables();
      if (undo.length > 0) await knex.raw(`ALTER TABLE device_registrations ${undo.join(', ')}`);
      for (const table of withoutBox) await knex.raw(`ALTER TABLE ${table} DROP COLUMN message_box`);
      await knex('knex_migrations').where({ name: MIGRATION }).delete();
      expect(await database.messages.migrate()).toEqual([MIGRATION]);
      expect(await describeTables()).toEqual(complete);
    } finally {
      await database.messages.close();
      await knex.destroy();
      await fixture.drop();
    }
  });

  test('adds the columns and the key while others read and write', async () => {
    const fixture = await createMysqlDatabase();
    const knex = createKnex(fixture.config);
    const database = openDatabase(fixture.config);
    try {
      await database.messages.migrate();
      await knex.raw(`ALTER TABLE device_registrations ${OLD_KEY}, ${NEW_KEY}, DROP COLUMN web_push_keys`);
      // The statements of the migration, with the promise that the server refuses when it can't keep it.
      for (const change of [
        'ADD COLUMN web_push_keys TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, ALGORITHM=INSTANT',
        'ADD UNIQUE KEY device_registrations_fcm_token_identity_key_unique (fcm_token, identity_key), ALGORITHM=INPLACE, LOCK=NONE',
        'DROP INDEX device_registrations_fcm_token_unique, ALGORITHM=INPLACE, LOCK=NONE',
      ]) {
        await knex.raw(`ALTER TABLE device_registrations ${change}`);
      }
      expect(await knex.schema.hasColumn('device_registrations', 'web_push_keys')).toBe(true);
    } finally {
      await database.messages.close();
      await knex.destroy();
      await fixture.drop();
    }
  });
});
