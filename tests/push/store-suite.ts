import {
  DeviceRegistrations,
  MOST_DEVICES,
  PUSHED_BOX,
  pushNotes,
  type SqlClient,
  StoreUnavailableError,
} from '@messagebox/shared';
import { ALICE, BOB, CAROL, type Fixture, type OpenFixture, openFixture } from './fixtures.js';

/** The same database, where something happens between the first such read and what comes next. */
function interrupted(sql: SqlClient, isRead: RegExp, happens: () => Promise<unknown>): SqlClient {
  let left = 1;
  return {
    dialect: sql.dialect,
    knex: sql.knex,
    phrases: sql.phrases,
    time: (value) => sql.time(value),
    read: async (statement, values) => {
      const rows = await sql.read(statement, values);
      if (isRead.test(statement.text) && left-- > 0) await happens();
      return rows;
    },
    write: (...given) => sql.write(...given),
    transaction: (work) => sql.transaction(work),
    close: () => sql.close(),
  };
}

/** What is kept for pushes, whatever database it is kept in. */
export function pushStoreSuite(name: string, create: () => Promise<Fixture>): void {
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
        const message = { recipient: ALICE, messageBox: PUSHED_BOX, messageId: 'twice', sender: BOB, body: 'b' };
        const notes = pushNotes(at.outbox, () => {});
        expect(await at.messages.storeMessages([message], notes.alongside([message]))).toEqual(['stored']);
        expect(await at.messages.storeMessages([message], notes.alongside([message]))).toEqual(['duplicate']);
        expect(await all()).toHaveLength(1);
      });

      test('what is not stored leaves no row, and what has no row is not stored', async () => {
        const message = { recipient: ALICE, messageBox: PUSHED_BOX, messageId: 'broken', sender: BOB, body: 'b' };
        const notes = pushNotes(at.outbox, () => {}).alongside([message]);
        const failing = at.messages.storeMessages([message], async (runner, stored) => {
          await notes?.(runner, stored);
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow(StoreUnavailableError);
        expect(await all()).toEqual([]);
        expect(await at.messages.storeMessages([message])).toEqual(['stored']);
      });

      test('a batch of 1,000 recipients', async () => {
        const ids = await at.send(Array.from({ length: 1_000 }, () => ALICE));
        expect(await at.outbox.size(10_000)).toBe(1_000);
        expect(await at.outbox.size(700)).toBe(700);
        expect((await all()).map(({ messageId }) => messageId)).toEqual(ids);
      });

      test('ids of any characters come back whole', async () => {
        const messageId = '\u{1f600}'.repeat(255);
        const message = { recipient: ALICE, messageBox: PUSHED_BOX, messageId, sender: BOB, body: 'b' };
        await at.messages.storeMessages([message], pushNotes(at.outbox, () => {}).alongside([message]));
        expect(await all()).toMatchObject([{ messageId }]);
      });

      test('a claimed row is nobody else’s, until its time is up or it is given back', async () => {
        await at.send([ALICE]);
        const now = Date.now();
        const [row] = await at.outbox.claim(10, 60_000, now);
        expect(await at.outbox.claim(10, 60_000, now + 59_999)).toEqual([]);
        expect(await at.outbox.claim(10, 1, now + 60_000)).toEqual([row]);
        await at.outbox.release([row?.id ?? 0]);
        expect(await at.outbox.claim(10, 60_000, now)).toEqual([row]);
        await at.outbox.remove([row?.id ?? 0]);
        expect(await at.outbox.claim(10, 60_000, now + 1_000_000)).toEqual([]);
      });

      test('a claimed row can be kept for longer', async () => {
        await at.send([ALICE]);
        const now = Date.now();
        const [row] = await at.outbox.claim(10, 60_000, now);
        await at.outbox.extend([row?.id ?? 0], 60_000, now + 50_000);
        expect(await at.outbox.claim(10, 60_000, now + 109_999)).toEqual([]);
        expect(await at.outbox.claim(10, 60_000, now + 110_000)).toEqual([row]);
      });

      test('the old ones are dropped in portions, but for those that somebody is busy with', async () => {
        const now = Date.now();
        const ids = await at.send(Array.from({ length: 5 }, () => ALICE));
        const [busy] = await at.outbox.claim(1, 60_000);
        expect(busy?.messageId).toBe(ids[0]);
        expect(await at.outbox.dropOlder(now - 1_000, 100)).toBe(0);
        const later = now + 10_000;
        expect(await at.outbox.dropOlder(later, 3, later)).toBe(2);
        expect((await all()).map(({ messageId }) => messageId)).toEqual(ids.slice(3));
        expect(await at.outbox.size(10)).toBe(3);
      });

      test('the oldest first, no more than asked for', async () => {
        const ids = await at.send(Array.from({ length: 5 }, () => ALICE));
        const first = await at.outbox.claim(2, 60_000);
        const second = await at.outbox.claim(9, 60_000);
        expect([...first, ...second].map(({ messageId }) => messageId)).toEqual(ids);
        expect(first).toHaveLength(2);
      });

      test('many who claim at once share the rows, each to one of them', async () => {
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
        // One that was always outrun by others may have stopped early; the rest is found by the next look.
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
      let people = 0;
      const somebody = () => `02${String(++people).padStart(64, '0')}`;

      test('a new one is active, and used now', async () => {
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
            active: true,
            createdAt: now,
            updatedAt: now,
            lastUsed: now,
          },
        ]);
      });

      test('the same token again: the same row, brought up to date and active', async () => {
        const owner = somebody();
        const id = await devices.register(device(owner, 'token-again'), new Date(1_000_000));
        await devices.deactivate(id);
        expect(await devices.activeOf([owner])).toEqual(new Map());
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

      test('a token moves to who registers it last', async () => {
        const [first, second] = [somebody(), somebody()];
        const id = await devices.register(device(first, 'token-moves'));
        expect(await devices.register(device(second, 'token-moves'))).toBe(id);
        expect(await devices.list(first)).toEqual([]);
        expect(await devices.activeOf([first, second])).toEqual(new Map([[second, [id]]]));
      });

      test('tokens compare byte by byte', async () => {
        const owner = somebody();
        const ids = await Promise.all(['Tok', 'tok', 'TOK'].map((token) => devices.register(device(owner, token))));
        expect(new Set(ids).size).toBe(3);
      });

      test('one token registered 20 times at once is one row', async () => {
        const owners = Array.from({ length: 20 }, somebody);
        const ids = await Promise.all(owners.map((owner) => devices.register(device(owner, 'token-race'))));
        expect(new Set(ids).size).toBe(1);
        const lists = await Promise.all(owners.map((owner) => devices.list(owner)));
        expect(lists.flat()).toHaveLength(1);
      });

      test('beyond the bound the oldest are forgotten, dead ones before all others', async () => {
        const owner = somebody();
        const ids: number[] = [];
        for (let n = 0; n < MOST_DEVICES; n++) {
          ids.push(await devices.register(device(owner, `token-many-${n}`), new Date(1_000_000 + n * 1_000)));
        }
        const dead = ids[30] as number;
        await devices.deactivate(dead);
        const first = await devices.register(device(owner, 'token-one-more'), new Date(9_000_000));
        const kept = (await devices.list(owner)).map(({ id }) => id);
        expect(kept).toHaveLength(MOST_DEVICES);
        expect(kept).not.toContain(dead);
        const second = await devices.register(device(owner, 'token-and-more'), new Date(9_001_000));
        const now = (await devices.list(owner)).map(({ id }) => id);
        expect(now).toHaveLength(MOST_DEVICES);
        expect(now).not.toContain(ids[0]);
        expect(now.slice(0, 2)).toEqual([second, first]);
        expect(await devices.find(dead)).toBeUndefined();
      });

      const full = async (owner: string, name: string) => {
        const ids: number[] = [];
        for (let n = 0; n < MOST_DEVICES; n++) {
          ids.push(await devices.register(device(owner, `token-${name}-${n}`), new Date(1_000_000 + n * 1_000)));
        }
        return ids;
      };

      test('one that moves to another identity while it is to be forgotten is not', async () => {
        const [owner, other] = [somebody(), somebody()];
        const [oldest] = await full(owner, 'moves');
        const moves = () => devices.register(device(other, 'token-moves-0'));
        const meanwhile = new DeviceRegistrations(interrupted(at.sql, /OFFSET/, moves));
        await meanwhile.register(device(owner, 'token-moves-last'));
        expect(await devices.find(oldest as number)).toMatchObject({ identityKey: other, active: true });
        expect(await devices.list(owner)).toHaveLength(MOST_DEVICES);
      });

      test('one that is registered again while it is to be forgotten is not', async () => {
        const owner = somebody();
        const [oldest] = await full(owner, 'again');
        const again = () => devices.register(device(owner, 'token-again-0'));
        const meanwhile = new DeviceRegistrations(interrupted(at.sql, /OFFSET/, again));
        await meanwhile.register(device(owner, 'token-again-last'), new Date(5_000_000));
        expect(await devices.find(oldest as number)).toMatchObject({ identityKey: owner, active: true });
      });

      test.each([
        ['is forgotten', 'DELETE FROM device_registrations WHERE id = ?'],
        ['gets another token', "UPDATE device_registrations SET fcm_token = 'another' WHERE id = ?"],
      ])('one that %s while it is registered again is made anew', async (how, statement) => {
        const owner = somebody();
        const token = `token that ${how}`;
        const first = await devices.register(device(owner, token));
        const happens = () => at.sql.write({ text: statement, kind: 'varying' }, [first]);
        const meanwhile = new DeviceRegistrations(interrupted(at.sql, /WHERE fcm_token = /, happens));
        const id = await meanwhile.register(device(owner, token));
        expect(id).not.toBe(first);
        expect(await devices.find(id)).toMatchObject({ identityKey: owner, fcmToken: token, active: true });
      });

      test('the same again in the same millisecond changes nothing, and is no trouble', async () => {
        const owner = somebody();
        const now = new Date();
        const id = await devices.register(device(owner, 'token-unchanged'), now);
        expect(await devices.register(device(owner, 'token-unchanged'), now)).toBe(id);
        expect(await devices.list(owner)).toHaveLength(1);
      });

      test('use and death are noted', async () => {
        const owner = somebody();
        const id = await devices.register(device(owner, 'token-used'), new Date(1_000_000));
        await devices.used(id, new Date(3_000_000));
        expect(await devices.find(id)).toMatchObject({ lastUsed: new Date(3_000_000), active: true });
        await devices.deactivate(id, new Date(4_000_000));
        expect(await devices.find(id)).toMatchObject({ active: false, updatedAt: new Date(4_000_000) });
      });
    });
  });
}
