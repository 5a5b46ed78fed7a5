import { createPushOutboxWriter, NOTIFICATIONS_BOX } from '@messagebox/messages';
import {
  DeviceRegistrations,
  ExpiredMessagePurger,
  MAX_DEVICES,
  MAX_TOKEN_IDENTITIES,
  PushOutbox,
  prepared,
  type SqlClient,
  StoreUnavailableError,
  TooManyIdentitiesError,
} from '@messagebox/store';
import { getOutcomes } from '../support/store-outcomes.js';
import { ALICE, BOB, CAROL, type OpenFixture, openFixture, type PushFixture } from './fixtures.js';

/** The same database, where `happens` runs after the first read that matches. */
function interruptSql(sql: SqlClient, isRead: Pick<RegExp, 'test'>, happens: () => Promise<unknown>): SqlClient {
  let left = 1;
  return {
    engine: sql.engine,
    knex: sql.knex,
    dialect: sql.dialect,
    retentionDays: sql.retentionDays,
    receipts: sql.receipts,
    toSqlTime: (value) => sql.toSqlTime(value),
    read: async (statement, values) => {
      const rows = await sql.read(statement, values);
      if (isRead.test(statement.text) && left-- > 0) await happens();
      return rows;
    },
    readLarge: (...given) => sql.readLarge(...given),
    write: (...given) => sql.write(...given),
    writeAll: (writes) => sql.writeAll(writes),
    transaction: (work) => sql.transaction(work),
    close: () => sql.close(),
  };
}

/** The tables of pushes, on each database. */
export function pushStoreSuite(name: string, create: () => Promise<PushFixture>): void {
  describe(name, () => {
    let at: OpenFixture;
    beforeAll(async () => {
      at = await openFixture(create);
    });
    afterAll(() => at.close());

    describe('the outbox', () => {
      afterEach(async () => {
        const rows = await at.outbox.claim(2_000, 1, Date.now() + 1_000_000);
        await at.outbox.remove(rows.map(({ id }) => id));
      });
      const all = () => at.outbox.claim(1_000, 60_000);

      test('has a row for each new message in notifications, and for no other', async () => {
        const before = Date.now();
        const [one, two] = await at.send([ALICE, CAROL]);
        await at.send([ALICE], 'inbox');
        await at.send([ALICE], 'Notifications');
        const rows = await all();
        expect(rows).toMatchObject([
          { recipient: ALICE, sender: BOB, messageId: one },
          { recipient: CAROL, sender: BOB, messageId: two },
        ]);
        for (const { createdAt } of rows) expect(Math.abs(createdAt - before)).toBeLessThan(5_000);
      });

      test('a duplicate leaves no row', async () => {
        const message = { recipient: ALICE, messageBox: NOTIFICATIONS_BOX, messageId: 'twice', sender: BOB, body: 'b' };
        const notes = createPushOutboxWriter(at.outbox, () => {});
        expect(await getOutcomes(at.messages.storeMessages([message], notes.createTransactionHook([message])))).toEqual(
          ['stored'],
        );
        expect(await getOutcomes(at.messages.storeMessages([message], notes.createTransactionHook([message])))).toEqual(
          ['duplicate'],
        );
        expect(await all()).toHaveLength(1);
      });

      test('an expired message takes its rows along when it is removed, whether they were expanded or not', async () => {
        const [expanded] = await at.send([ALICE]);
        const [, kept] = [await at.outbox.claim(1, 0), ...(await at.send([CAROL]))];
        const [waiting] = await at.send([ALICE]);
        const expire = prepared('UPDATE messages SET expires_at = ? WHERE messageId <> ?');
        const past = at.sql.toSqlTime(new Date(Date.now() - 2_000));
        await at.sql.write(expire, [past, Buffer.from(String(kept))]);
        expect(await at.outbox.countUpTo(10)).toBe(3);
        const purger = new ExpiredMessagePurger(at.sql);
        while ((await purger.step()).hasMore);
        expect(await at.messages.acknowledgeMessages(ALICE, [String(expanded), String(waiting)])).toBe(0);
        expect(await all()).toMatchObject([{ recipient: CAROL, messageId: kept, hasExpired: false }]);
      });

      test('a row says whether its message has expired', async () => {
        const [gone, there] = await at.send([ALICE, ALICE]);
        const expire = prepared('UPDATE messages SET expires_at = ? WHERE messageId = ?');
        const past = at.sql.toSqlTime(new Date(Date.now() - 2_000));
        await at.sql.write(expire, [past, Buffer.from(String(gone))]);
        expect(await all()).toMatchObject([
          { messageId: gone, hasExpired: true },
          { messageId: there, hasExpired: false },
        ]);
      });

      test('neither a message without its row is stored, nor a row without its message', async () => {
        const message = {
          recipient: ALICE,
          messageBox: NOTIFICATIONS_BOX,
          messageId: 'broken',
          sender: BOB,
          body: 'b',
        };
        const notes = createPushOutboxWriter(at.outbox, () => {}).createTransactionHook([message]);
        const failing = at.messages.storeMessages([message], async (runner, stored) => {
          await notes?.(runner, stored);
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow(StoreUnavailableError);
        expect(await all()).toEqual([]);
        expect(await getOutcomes(at.messages.storeMessages([message]))).toEqual(['stored']);
      });

      test('a batch of 1,000 recipients leaves 1,000 rows', async () => {
        const ids = await at.send(Array.from({ length: 1_000 }, () => ALICE));
        expect(await at.outbox.countUpTo(10_000)).toBe(1_000);
        expect(await at.outbox.countUpTo(700)).toBe(700);
        expect((await all()).map(({ messageId }) => messageId)).toEqual(ids);
      });

      test('ids of any characters come back unchanged', async () => {
        const messageId = '\u{1f600}'.repeat(255);
        const message = { recipient: ALICE, messageBox: NOTIFICATIONS_BOX, messageId, sender: BOB, body: 'b' };
        await at.messages.storeMessages(
          [message],
          createPushOutboxWriter(at.outbox, () => {}).createTransactionHook([message]),
        );
        expect(await all()).toMatchObject([{ messageId }]);
      });

      test('a claimed row is not claimed again before its lease ends or it is released', async () => {
        await at.send([ALICE]);
        const now = Date.now();
        const [row] = await at.outbox.claim(10, 60_000, now);
        expect(await at.outbox.claim(10, 60_000, now + 59_999)).toEqual([]);
        expect(await at.outbox.claim(10, 1, now + 60_000)).toEqual([row]);
        await at.outbox.releaseAll();
        expect(await at.outbox.claim(10, 60_000, now)).toEqual([row]);
        await at.outbox.remove([row?.id ?? 0]);
        expect(await at.outbox.claim(10, 60_000, now + 1_000_000)).toEqual([]);
      });

      test('a lease can be extended', async () => {
        await at.send([ALICE]);
        const now = Date.now();
        const [row] = await at.outbox.claim(10, 60_000, now);
        await at.outbox.extend([row?.id ?? 0], 60_000, now + 50_000);
        expect(await at.outbox.claim(10, 60_000, now + 109_999)).toEqual([]);
        expect(await at.outbox.claim(10, 60_000, now + 110_000)).toEqual([row]);
      });

      test('old rows are deleted in batches, except claimed ones', async () => {
        const now = Date.now();
        const ids = await at.send(Array.from({ length: 5 }, () => ALICE));
        const [busy] = await at.outbox.claim(1, 60_000);
        expect(busy?.messageId).toBe(ids[0]);
        expect(await at.outbox.deleteOlderThan(now - 1_000, 100)).toBe(0);
        const later = now + 10_000;
        expect(await at.outbox.deleteOlderThan(later, 3, later)).toBe(2);
        expect((await all()).map(({ messageId }) => messageId)).toEqual(ids.slice(3));
        expect(await at.outbox.countUpTo(10)).toBe(3);
      });

      test('a claim takes the oldest rows first, and no more than its limit', async () => {
        const ids = await at.send(Array.from({ length: 5 }, () => ALICE));
        const first = await at.outbox.claim(2, 60_000);
        const second = await at.outbox.claim(9, 60_000);
        expect([...first, ...second].map(({ messageId }) => messageId)).toEqual(ids);
        expect(first).toHaveLength(2);
      });

      test('a message that is claimed by an earlier version is left to it until its claim ends', async () => {
        const ids = await at.send([ALICE, ALICE]);
        const now = Date.now();
        const claim = 'UPDATE push_outbox SET claimed_until = ? WHERE message_id = ?';
        await at.sql.write({ text: claim, kind: 'dynamic' }, [now + 60_000, Buffer.from(ids[0] as string)]);
        expect((await at.outbox.claim(10, 60_000, now)).map(({ messageId }) => messageId)).toEqual([ids[1]]);
        expect((await at.outbox.claim(10, 1, now + 59_999)).map(({ messageId }) => messageId)).toEqual([]);
        const later = await at.outbox.claim(10, 60_000, now + 60_000);
        expect(new Set(later.map(({ messageId }) => messageId))).toEqual(new Set(ids));
      });

      test('messages whose recipients have no device leave no row, and do not end a claim', async () => {
        await at.send(Array.from({ length: 250 }, () => `02${'d0'.repeat(32)}`));
        const [id] = await at.send([ALICE]);
        expect(await at.outbox.claim(10, 60_000)).toMatchObject([{ messageId: id, attempts: 0 }]);
        expect(await at.outbox.countUpTo(1_000)).toBe(1);
      });

      test('a claim makes no more deliveries than it needs, up to the last message', async () => {
        const devices = new DeviceRegistrations(at.sql);
        const owner = `02${'d1'.repeat(32)}`;
        for (const fcmToken of ['token-d1', 'token-d2', 'token-d3']) {
          await devices.register({ identityKey: owner, fcmToken, deviceId: undefined, platform: undefined });
        }
        const ids = await at.send(Array.from({ length: 5 }, () => owner));
        const rows = await at.outbox.claim(4, 60_000);
        expect(rows.map(({ messageId }) => messageId)).toEqual([ids[0], ids[0], ids[0], ids[1]]);
        expect(new Set(rows.map(({ id }) => id)).size).toBe(4);
        expect(await at.outbox.countDeliveries(100)).toEqual({ due: 2, later: 4 });
        expect(await at.outbox.countUpTo(100)).toBe(6 + 3);
        expect(await all()).toHaveLength(11);
      });

      test('a rescheduled delivery is due at its time, and knows its attempts', async () => {
        await at.send([ALICE]);
        const now = Date.now();
        const [row] = await at.outbox.claim(10, 60_000, now);
        const id = row?.id ?? 0;
        await at.outbox.reschedule([{ id, attempts: 3, nextAttemptAt: now + 5_000 }]);
        expect(await at.outbox.claim(10, 60_000, now + 4_999)).toEqual([]);
        expect(await at.outbox.claim(10, 60_000, now + 5_000)).toEqual([{ ...row, attempts: 3 }]);
      });

      test('an instance whose lease has ended changes nothing for the one that has claimed since', async () => {
        await at.send([ALICE]);
        const now = Date.now();
        const [row] = await at.outbox.claim(10, 60_000, now);
        const id = row?.id ?? 0;
        const other = new PushOutbox(at.sql);
        expect(await other.claim(10, 60_000, now + 60_000)).toEqual([row]);
        await at.outbox.extend([id], 0, now);
        await at.outbox.reschedule([{ id, attempts: 1, nextAttemptAt: now }]);
        await at.outbox.releaseAll();
        expect(await at.outbox.claim(10, 60_000, now + 119_999)).toEqual([]);
      });

      test('concurrent claims share the rows, and each row goes to one of them', async () => {
        await at.send(Array.from({ length: 300 }, () => ALICE));
        const taken: number[] = [];
        const claimer = async () => {
          for (;;) {
            const rows = await at.outbox.claim(20, 60_000);
            if (rows.length === 0) return;
            taken.push(...rows.map(({ id }) => id));
          }
        };
        await Promise.all(Array.from({ length: 8 }, claimer));
        // A claimer that always lost the race may have stopped early. The next claim finds the rest.
        await claimer();
        expect(taken).toHaveLength(300);
        expect(new Set(taken).size).toBe(300);
      });
    });

    describe('devices', () => {
      let devices: DeviceRegistrations;
      beforeAll(() => {
        devices = new DeviceRegistrations(at.sql);
      });
      const device = (identityKey: string, fcmToken: string) => ({
        identityKey,
        fcmToken,
        deviceId: 'phone',
        platform: 'ios',
      });
      const fcm = (fcmToken: string) => ({ fcmToken, webPushKeys: undefined });
      let people = 0;
      const somebody = () => `02${String(++people).padStart(64, '0')}`;

      test('a new device is active, and used now', async () => {
        const owner = somebody();
        const now = new Date('2026-11-23T01:02:03.456Z');
        const id = await devices.register(device(owner, 'token-new'), now);
        expect(await devices.list(owner)).toEqual([
          {
            id,
            identityKey: owner,
            fcmToken: 'token-new',
            deviceId: 'phone',
            platform: 'ios',
            webPushKeys: undefined,
            active: true,
            createdAt: now,
            updatedAt: now,
            lastUsed: now,
          },
        ]);
      });

      test('the same token updates and activates the same row', async () => {
        const owner = somebody();
        const id = await devices.register(device(owner, 'token-again'), new Date(1_000_000));
        await devices.deactivateToken(fcm('token-again'));
        expect(await devices.listActiveIds([owner])).toEqual(new Map());
        const again = { ...device(owner, 'token-again'), deviceId: undefined, platform: 'web' };
        expect(await devices.register(again, new Date(2_000_000))).toBe(id);
        expect(await devices.list(owner)).toMatchObject([
          {
            id,
            deviceId: undefined,
            platform: 'web',
            active: true,
            createdAt: new Date(1_000_000),
            updatedAt: new Date(2_000_000),
          },
        ]);
      });

      test('a token belongs to each identity that registers it', async () => {
        const [first, second] = [somebody(), somebody()];
        const one = await devices.register(device(first, 'token-shared'));
        const other = await devices.register({ ...device(second, 'token-shared'), deviceId: 'second profile' });
        expect(other).not.toBe(one);
        expect(await devices.listActiveIds([first, second])).toEqual(
          new Map([
            [first, [one]],
            [second, [other]],
          ]),
        );
        expect(await devices.register(device(first, 'token-shared'))).toBe(one);
        expect(await devices.list(first)).toMatchObject([{ id: one, deviceId: 'phone' }]);
        expect(await devices.list(second)).toMatchObject([{ id: other, deviceId: 'second profile' }]);
      });

      test('an identity ends its own registration of a token, and no other', async () => {
        const [first, second, stranger] = [somebody(), somebody(), somebody()];
        const one = await devices.register(device(first, 'token-logout'));
        const other = await devices.register(device(second, 'token-logout'));
        const third = await devices.register(device(first, 'token-logout-2'));
        expect(await devices.unregister(stranger, 'token-logout')).toBe(false);
        expect(await devices.unregister(first, 'Token-logout')).toBe(false);
        expect(await devices.unregister(first, 'token-logout')).toBe(true);
        expect(await devices.unregister(first, 'token-logout')).toBe(false);
        expect(await devices.find(one)).toBeUndefined();
        expect(await devices.listActiveIds([first, second])).toEqual(
          new Map([
            [first, [third]],
            [second, [other]],
          ]),
        );
        expect(await devices.register(device(first, 'token-logout'))).toBeGreaterThan(third);
      });

      test('a dead token is inactive for all its identities, until each registers it again', async () => {
        const [first, second] = [somebody(), somebody()];
        const one = await devices.register(device(first, 'token-dead'));
        await devices.register(device(second, 'token-dead'));
        const alive = await devices.register(device(second, 'token-alive'));
        await devices.deactivateToken(fcm('token-dead'));
        expect(await devices.listActiveIds([first, second])).toEqual(new Map([[second, [alive]]]));
        await devices.register(device(first, 'token-dead'));
        expect(await devices.listActiveIds([first, second])).toEqual(
          new Map([
            [first, [one]],
            [second, [alive]],
          ]),
        );
      });

      test('an endpoint of Web Push has keys, and does not end with a token of the same text', async () => {
        const [owner, stranger] = [somebody(), somebody()];
        const endpoint = `https://push.example/${'e'.repeat(1_979)}`;
        const webPushKeys = { p256dh: 'BPublicKey', auth: 'c2VjcmV0' };
        const id = await devices.register({ ...device(owner, endpoint), platform: 'web', webPushKeys });
        await devices.register(device(stranger, endpoint));
        expect(await devices.find(id)).toMatchObject({ fcmToken: endpoint, webPushKeys });
        await devices.deactivateToken(fcm(endpoint));
        expect(await devices.listActiveIds([owner, stranger])).toEqual(new Map([[owner, [id]]]));
        await devices.register(device(stranger, endpoint));
        await devices.deactivateToken({ fcmToken: endpoint, webPushKeys });
        expect([...(await devices.listActiveIds([owner, stranger])).keys()]).toEqual([stranger]);
        await devices.register(device(owner, endpoint));
        expect(await devices.find(id)).toMatchObject({ webPushKeys: undefined, active: true });
      });

      describe('a token with as many identities as it may have', () => {
        const NOW = new Date('2026-11-30T12:00:00.000Z');
        const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000);
        const fill = async (token: string, at: (n: number) => Date) => {
          const owners = Array.from({ length: MAX_TOKEN_IDENTITIES }, somebody);
          const ids: number[] = [];
          for (const [n, owner] of owners.entries()) ids.push(await devices.register(device(owner, token), at(n)));
          return { owners, ids };
        };

        test('refuses another one, and nothing changes', async () => {
          const { owners, ids } = await fill('token-full', () => daysAgo(59));
          const [stranger] = [somebody()];
          await expect(devices.register(device(stranger, 'token-full'), NOW)).rejects.toThrow(TooManyIdentitiesError);
          expect(await devices.list(stranger)).toEqual([]);
          const active = await devices.listActiveIds(owners);
          expect([...active.values()].flat().sort((a, b) => a - b)).toEqual(ids);
          // Those that are there renew their own, and a place that is given up can be taken.
          expect(await devices.register(device(owners[0] as string, 'token-full'), NOW)).toBe(ids[0]);
          await devices.unregister(owners[1] as string, 'token-full');
          await devices.register(device(stranger, 'token-full'), NOW);
          expect(await devices.list(stranger)).toHaveLength(1);
        });

        test('gives the place of an inactive one to another', async () => {
          const { owners, ids } = await fill('token-full-dead', () => NOW);
          await devices.deactivateToken(fcm('token-full-dead'));
          for (const owner of owners.slice(1)) await devices.register(device(owner, 'token-full-dead'), NOW);
          const newcomer = somebody();
          const id = await devices.register(device(newcomer, 'token-full-dead'), NOW);
          expect(await devices.find(ids[0] as number)).toBeUndefined();
          expect(await devices.listActiveIds([newcomer])).toEqual(new Map([[newcomer, [id]]]));
          await expect(devices.register(device(somebody(), 'token-full-dead'), NOW)).rejects.toThrow(
            TooManyIdentitiesError,
          );
        });

        test('gives up the one that is unused for longest, of those unused for 60 days', async () => {
          const { owners, ids } = await fill('token-full-idle', (n) => daysAgo(n < 2 ? 70 - n : 59));
          await devices.markUsed(ids[0] as number, NOW);
          await devices.register(device(somebody(), 'token-full-idle'), NOW);
          expect(await devices.find(ids[0] as number)).toMatchObject({ identityKey: owners[0] });
          expect(await devices.find(ids[1] as number)).toBeUndefined();
          await expect(devices.register(device(somebody(), 'token-full-idle'), NOW)).rejects.toThrow(
            TooManyIdentitiesError,
          );
        });

        test('keeps an inactive one that is registered again while it is to give way', async () => {
          const { owners, ids } = await fill('token-full-again', () => NOW);
          const [owner, id] = [owners[0] as string, ids[0] as number];
          await devices.deactivateToken(fcm('token-full-again'));
          for (const one of owners.slice(1)) await devices.register(device(one, 'token-full-again'), NOW);
          let reads = 0;
          const again = () => devices.register(device(owner, 'token-full-again'), NOW);
          // The second read of the token is the one that finds what must give way.
          const second = { test: (text: string) => /WHERE fcm_token = /.test(text) && ++reads === 2 };
          const meanwhile = new DeviceRegistrations(interruptSql(at.sql, second, again));
          await meanwhile.register(device(somebody(), 'token-full-again'), NOW);
          expect(await devices.find(id)).toMatchObject({ identityKey: owner, active: true });
        });

        test('keeps to its limit when 60 identities register it at once, and those before them stay', async () => {
          const first = Array.from({ length: 5 }, somebody);
          const old = await Promise.all(first.map((owner) => devices.register(device(owner, 'token-crowd'))));
          const crowd = Array.from({ length: 60 }, somebody);
          const results = await Promise.allSettled(
            crowd.map((owner) => devices.register(device(owner, 'token-crowd'))),
          );
          for (const result of results) {
            if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(TooManyIdentitiesError);
          }
          const active = await devices.listActiveIds([...first, ...crowd]);
          expect(active.size).toBe(MAX_TOKEN_IDENTITIES);
          expect(first.map((owner) => active.get(owner))).toEqual(old.map((id) => [id]));
        });
      });

      test('tokens compare byte by byte', async () => {
        const owner = somebody();
        const ids = await Promise.all(['Tok', 'tok', 'TOK'].map((token) => devices.register(device(owner, token))));
        expect(new Set(ids).size).toBe(3);
      });

      test('a token that its identity registers 20 times at once is one row', async () => {
        const owner = somebody();
        const again = () => devices.register(device(owner, 'token-race'));
        const ids = await Promise.all(Array.from({ length: 20 }, again));
        expect(new Set(ids).size).toBe(1);
        expect(await devices.list(owner)).toHaveLength(1);
      });

      test('beyond the limit the oldest devices are deleted, inactive ones before all others', async () => {
        const owner = somebody();
        const ids: number[] = [];
        for (let n = 0; n < MAX_DEVICES; n++) {
          ids.push(await devices.register(device(owner, `token-many-${n}`), new Date(1_000_000 + n * 1_000)));
        }
        const dead = ids[30] as number;
        await devices.deactivateToken(fcm('token-many-30'));
        const first = await devices.register(device(owner, 'token-one-more'), new Date(9_000_000));
        const kept = (await devices.list(owner)).map(({ id }) => id);
        expect(kept).toHaveLength(MAX_DEVICES);
        expect(kept).not.toContain(dead);
        const second = await devices.register(device(owner, 'token-and-more'), new Date(9_001_000));
        const now = (await devices.list(owner)).map(({ id }) => id);
        expect(now).toHaveLength(MAX_DEVICES);
        expect(now).not.toContain(ids[0]);
        expect(now.slice(0, 2)).toEqual([second, first]);
        expect(await devices.find(dead)).toBeUndefined();
      });

      test.each([
        ['the one whose token is dead', 'token-inactive-7', 'inactive'],
        ['the oldest, when no token is dead', undefined, 'alive'],
      ])('an identity with 1,000 devices loses %s', async (_which, dead, name) => {
        const many = new DeviceRegistrations(at.sql, { maxDevices: 1_000 });
        const [owner, other] = [somebody(), somebody()];
        const rows = Array.from({ length: 1_000 }, (_, n) => [
          Buffer.from(owner),
          Buffer.from(`token-${name}-${n}`),
          ...[1, 1, 1].map(() => at.sql.toSqlTime(new Date(1_000_000 + n * 1_000))),
        ]);
        const insert = `INSERT INTO device_registrations (identity_key, fcm_token, created_at, updated_at, last_used)
          VALUES ${rows.map(() => '(?, ?, ?, ?, ?)').join(', ')}`;
        await at.sql.write({ text: insert, kind: 'dynamic' }, rows.flat());
        const shared = await many.register(device(other, `token-${name}-7`), new Date(1_000));
        if (dead !== undefined) await many.deactivateToken(fcm(dead));
        await many.register(device(owner, `token-${name}-last`));
        const left = new Set((await many.list(owner)).map(({ fcmToken }) => fcmToken));
        expect(left.size).toBe(1_000);
        expect(left.has(dead ?? `token-${name}-0`)).toBe(false);
        expect(await many.find(shared)).toMatchObject({ identityKey: other });
      });

      const full = async (owner: string, name: string) => {
        const ids: number[] = [];
        for (let n = 0; n < MAX_DEVICES; n++) {
          ids.push(await devices.register(device(owner, `token-${name}-${n}`), new Date(1_000_000 + n * 1_000)));
        }
        return ids;
      };

      test('a device that an older version moves to another identity while it is to be deleted stays', async () => {
        const [owner, other] = [somebody(), somebody()];
        const [oldest] = await full(owner, 'moves');
        const move = prepared('UPDATE device_registrations SET identity_key = ? WHERE id = ?');
        const moves = () => at.sql.write(move, [Buffer.from(other), oldest as number]);
        const meanwhile = new DeviceRegistrations(interruptSql(at.sql, /OFFSET/, moves));
        await meanwhile.register(device(owner, 'token-moves-last'));
        expect(await devices.find(oldest as number)).toMatchObject({ identityKey: other, active: true });
        expect(await devices.list(owner)).toHaveLength(MAX_DEVICES);
      });

      test('beyond the limit an identity loses its own registration of a shared token, and others keep theirs', async () => {
        const [owner, other] = [somebody(), somebody()];
        const shared = await devices.register(device(other, 'token-shares-0'), new Date(1_000));
        const [oldest] = await full(owner, 'shares');
        await devices.register(device(owner, 'token-shares-last'));
        expect(await devices.find(oldest as number)).toBeUndefined();
        expect(await devices.find(shared)).toMatchObject({ identityKey: other, active: true });
      });

      test('a device that is registered again while it is to be deleted stays', async () => {
        const owner = somebody();
        const [oldest] = await full(owner, 'again');
        const again = () => devices.register(device(owner, 'token-again-0'));
        const meanwhile = new DeviceRegistrations(interruptSql(at.sql, /OFFSET/, again));
        await meanwhile.register(device(owner, 'token-again-last'), new Date(5_000_000));
        expect(await devices.find(oldest as number)).toMatchObject({ identityKey: owner, active: true });
      });

      test.each([
        ['is deleted', 'DELETE FROM device_registrations WHERE id = ?'],
        ['gets another token', "UPDATE device_registrations SET fcm_token = 'another' WHERE id = ?"],
      ])('a device that %s while it is registered again becomes a new row', async (how, statement) => {
        const owner = somebody();
        const token = `token that ${how}`;
        const first = await devices.register(device(owner, token));
        const happens = () => at.sql.write({ text: statement, kind: 'dynamic' }, [first]);
        const meanwhile = new DeviceRegistrations(interruptSql(at.sql, /WHERE fcm_token = /, happens));
        const id = await meanwhile.register(device(owner, token));
        expect(id).not.toBe(first);
        expect(await devices.find(id)).toMatchObject({ identityKey: owner, fcmToken: token, active: true });
      });

      test('the same registration in the same millisecond changes nothing', async () => {
        const owner = somebody();
        const now = new Date();
        const id = await devices.register(device(owner, 'token-unchanged'), now);
        expect(await devices.register(device(owner, 'token-unchanged'), now)).toBe(id);
        expect(await devices.list(owner)).toHaveLength(1);
      });

      test('use and the end of a token are recorded', async () => {
        const owner = somebody();
        const id = await devices.register(device(owner, 'token-used'), new Date(1_000_000));
        await devices.markUsed(id, new Date(3_000_000));
        expect(await devices.find(id)).toMatchObject({ lastUsed: new Date(3_000_000), active: true });
        await devices.deactivateToken(fcm('token-used'), new Date(4_000_000));
        expect(await devices.find(id)).toMatchObject({ active: false, updatedAt: new Date(4_000_000) });
      });
    });
  });
}
