import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startExpiryPurge } from '@messagebox/api';
import { createLogger, Metrics } from '@messagebox/shared';
import {
  createKnex,
  type DatabaseHandle,
  ExpiredMessagePurger,
  eraseAccount,
  eraseMessages,
  type NewMessage,
  openDatabase,
  ReceiptPurger,
  type ReceiptsConfig,
  SentStatusReader,
  SqlPermissionStore,
} from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import { waitUntil } from '../acceptance/history.js';
import type { StoreFixture } from './store-suite.js';

const RECEIPT_BYTES = 64;
const RECEIPTS: ReceiptsConfig = {
  key: randomBytes(32),
  days: 7,
  maxBytes: 1_000_000 * RECEIPT_BYTES,
  maxBytesPerSender: 100_000 * RECEIPT_BYTES,
};
const DAY_SECONDS = 86_400;

let identities = 0;
const someone = () => `02${String(++identities).padStart(64, '0')}`;
let ids = 0;

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

/** What is remembered of messages that are gone, on each database. */
function receiptsSuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let knex: Knex;
    const opened: DatabaseHandle[] = [];
    let database: DatabaseHandle;
    let [alice, bob, carol] = ['', '', ''];

    const open = (receipts: ReceiptsConfig | undefined, retentionDays = 0) => {
      const handle = openDatabase({ ...fixture.config, receipts, retentionDays });
      opened.push(handle);
      return handle;
    };

    beforeEach(async () => {
      fixture = await createFixture();
      knex = createKnex(fixture.config);
      database = open(RECEIPTS);
      await database.messages.migrate();
      [alice, bob, carol] = [someone(), someone(), someone()];
    });
    afterEach(async () => {
      jest.useRealTimers();
      await knex.destroy();
      for (const { messages } of opened.splice(0)) await messages.close();
      await fixture.drop();
    });

    const store = async (over: Partial<NewMessage> = {}) => {
      const one = message({ sender: alice, recipient: bob, ...over });
      await database.messages.storeMessages([one]);
      return one;
    };
    const acknowledge = (...messages: NewMessage[]) =>
      database.messages.acknowledgeMessages(
        messages[0]?.recipient ?? bob,
        messages.map(({ messageId }) => messageId),
      );
    const statusOf = (messageIds: readonly string[], options: { by?: string; to?: string; at?: DatabaseHandle } = {}) =>
      new SentStatusReader((options.at ?? database).sql).read(options.by ?? alice, messageIds, options.to);
    const statesOf = async (...messages: NewMessage[]) =>
      (await statusOf(messages.map(({ messageId }) => messageId))).map(({ state }) => state);
    const expire = async (...messages: NewMessage[]) => {
      const past = Date.now() - 2_000;
      for (const { messageId } of messages) {
        await knex('messages')
          .where({ messageId: Buffer.from(messageId) })
          .update({ expires_at: fixture.config.client === 'mysql2' ? new Date(past) : past });
      }
    };
    const purgeMessages = (at = database) => new ExpiredMessagePurger(at.sql).step();
    const setReceipts = (receipts: boolean | null, sender?: string, messageBox = 'inbox') =>
      new SqlPermissionStore(database.sql).set({ recipient: bob, sender, messageBox, recipientFee: 0, receipts });
    const countReceipts = async () => (await knex('receipts').select('handle')).length;

    test('a send is stored, and then acknowledged', async () => {
      const [one, other] = [await store(), await store()];
      expect(await statusOf([other.messageId, one.messageId])).toEqual([
        { messageId: other.messageId, recipient: bob, state: 'stored' },
        { messageId: one.messageId, recipient: bob, state: 'stored' },
      ]);
      expect(await acknowledge(one)).toBe(1);
      expect(await statusOf([other.messageId, one.messageId])).toEqual([
        { messageId: other.messageId, recipient: bob, state: 'stored' },
        { messageId: one.messageId, recipient: undefined, state: 'acknowledged' },
      ]);
      expect(await statusOf([one.messageId], { to: bob })).toEqual([
        { messageId: one.messageId, recipient: bob, state: 'acknowledged' },
      ]);
    });

    test('many messages that are acknowledged at once are remembered at once', async () => {
      const many = Array.from({ length: 1_203 }, () => message({ sender: alice, recipient: bob }));
      await database.messages.storeMessages(many);
      const unknown = Array.from({ length: 20 }, (_, n) => message({ recipient: bob, messageId: `nowhere ${n}` }));
      expect(await acknowledge(...many, ...unknown)).toBe(many.length);
      expect(new Set(await statesOf(...many))).toEqual(new Set(['acknowledged']));
      expect(await countReceipts()).toBe(many.length);
      expect(await acknowledge(...many)).toBe(0);
    });

    test('a receipt takes 25 bytes, and names neither identities nor ids', async () => {
      const before = Math.floor(Date.now() / 1_000);
      await acknowledge(await store({ messageId: 'a name that is easily found' }));
      const [row, ...others] = await knex('receipts');
      expect(others).toEqual([]);
      expect(Object.keys(row)).toEqual(['handle', 'state', 'expires_at']);
      expect(row.handle).toHaveLength(20);
      expect(row.state).toBe(1);
      expect(row.expires_at).toBeGreaterThanOrEqual(before + 7 * DAY_SECONDS);
      expect(row.expires_at).toBeLessThan(before + 8 * DAY_SECONDS);
      // Another key finds nothing, so the table tells nothing to who has no key.
      const stranger = open({ ...RECEIPTS, key: randomBytes(32) });
      expect(await statusOf(['a name that is easily found'], { at: stranger })).toMatchObject([{ state: 'unknown' }]);
    });

    test('an id that was sent to several recipients has an entry for each', async () => {
      const messageId = `shared ${++ids}`;
      const [toBob, toCarol] = [await store({ messageId }), await store({ messageId, recipient: carol })];
      expect(await statusOf([messageId])).toHaveLength(2);
      await acknowledge(toCarol);
      expect(await statusOf([messageId])).toEqual([
        { messageId, recipient: bob, state: 'stored' },
        { messageId, recipient: undefined, state: 'acknowledged' },
      ]);
      expect(await statusOf([messageId], { to: carol })).toEqual([
        { messageId, recipient: carol, state: 'acknowledged' },
      ]);
      expect(await statusOf([messageId], { to: bob })).toEqual([{ messageId, recipient: bob, state: 'stored' }]);
      expect(await statusOf([messageId], { to: someone() })).toMatchObject([{ state: 'unknown' }]);
      await acknowledge(toBob);
      expect(await statusOf([messageId])).toMatchObject([{ state: 'acknowledged' }, { state: 'acknowledged' }]);
    });

    test('an id of very many recipients has ten entries, and hides no other id', async () => {
      const messageId = `popular ${++ids}`;
      const other = await store();
      const crowd = Array.from({ length: 1_100 }, () => message({ sender: alice, messageId }));
      await database.messages.storeMessages(crowd);
      const stored = await statusOf([messageId, other.messageId]);
      expect(stored.slice(0, 10).every((one) => one.messageId === messageId && one.state === 'stored')).toBe(true);
      expect(stored.slice(10)).toEqual([{ messageId: other.messageId, recipient: bob, state: 'stored' }]);
      for (const one of crowd) await acknowledge(one);
      const gone = await statusOf([messageId, other.messageId]);
      expect(gone.slice(0, 10).every((one) => one.messageId === messageId && one.state === 'acknowledged')).toBe(true);
      expect(gone.slice(10)).toEqual([{ messageId: other.messageId, recipient: bob, state: 'stored' }]);
    });

    test('the sends of others are unknown, stored or gone', async () => {
      const [kept, gone] = [await store(), await store()];
      await acknowledge(gone);
      const asked = [kept.messageId, 'never sent', gone.messageId];
      expect(await statusOf(asked, { by: carol })).toEqual(
        asked.map((messageId) => ({ messageId, recipient: undefined, state: 'unknown' })),
      );
      // Not even to the recipient, about whom the question is not.
      expect((await statusOf(asked, { by: bob })).map(({ state }) => state)).toEqual(['unknown', 'unknown', 'unknown']);
    });

    test('the same statements run for own sends, those of others and ids that do not exist', async () => {
      const [kept, gone] = [await store(), await store()];
      await acknowledge(gone);
      const count = async (messageIds: readonly string[], by: string) => {
        const read = jest.spyOn(database.sql, 'read');
        await statusOf(messageIds, { by });
        const texts = read.mock.calls.map(([sql]) => sql.text);
        read.mockRestore();
        return texts;
      };
      const own = await count([kept.messageId, gone.messageId], alice);
      expect(own).toHaveLength(2);
      expect(await count([kept.messageId, gone.messageId], carol)).toEqual(own);
      expect(await count(['nothing', 'at all'], alice)).toEqual(own);
    });

    test('a message that has expired is expired before and after it is removed', async () => {
      const [one, other] = [await store(), await store()];
      await expire(one);
      expect(await statesOf(one, other)).toEqual(['expired', 'stored']);
      expect(await purgeMessages()).toMatchObject({ removed: 1 });
      expect(await statesOf(one, other)).toEqual(['expired', 'stored']);
      expect((await knex('receipts')).map(({ state }: { state: number }) => state)).toEqual([2]);
    });

    test('a message that is older than the operator keeps messages is expired', async () => {
      const one = await store();
      const retaining = open(RECEIPTS, 30);
      const old = Date.now() - 31 * DAY_SECONDS * 1_000;
      await knex('messages').update({ created_at: fixture.config.client === 'mysql2' ? new Date(old) : old });
      expect(await statusOf([one.messageId], { at: retaining })).toMatchObject([{ state: 'expired' }]);
      expect(await purgeMessages(retaining)).toMatchObject({ removed: 1 });
      expect(await statusOf([one.messageId], { at: retaining })).toMatchObject([{ state: 'expired' }]);
    });

    test('a message that takes the id of an expired one leaves its receipt to the first sender', async () => {
      const one = await store();
      await expire(one);
      await store({ messageId: one.messageId, sender: carol });
      expect(await statusOf([one.messageId])).toMatchObject([{ state: 'expired' }]);
      expect(await statusOf([one.messageId], { by: carol })).toMatchObject([{ recipient: bob, state: 'stored' }]);
    });

    test('a message that is sent again after its acknowledgement is stored', async () => {
      const one = await store();
      await acknowledge(one);
      await store({ messageId: one.messageId });
      expect(await statusOf([one.messageId])).toEqual([{ messageId: one.messageId, recipient: bob, state: 'stored' }]);
      await expire(one);
      await purgeMessages();
      expect(await statesOf(one)).toEqual(['expired']);
      expect(await countReceipts()).toBe(1);
    });

    test('an erased message is unknown', async () => {
      const one = await store();
      await eraseMessages(database.sql, { recipient: bob, includePayments: false });
      expect(await statesOf(one)).toEqual(['unknown']);
      expect(await countReceipts()).toBe(0);
    });

    describe('of a recipient who does not want it', () => {
      test('a send is unknown from the beginning, so that an acknowledgement changes nothing', async () => {
        await setReceipts(false);
        const [one, other] = [await store(), await store()];
        expect(await statesOf(one, other)).toEqual(['unknown', 'unknown']);
        expect(await statusOf([one.messageId])).toEqual([
          { messageId: one.messageId, recipient: undefined, state: 'unknown' },
        ]);
        await acknowledge(one);
        await expire(other);
        expect(await statesOf(one, other)).toEqual(['unknown', 'unknown']);
        await purgeMessages();
        expect(await statesOf(one, other)).toEqual(['unknown', 'unknown']);
        expect(await countReceipts()).toBe(0);
        // What is not remembered does not come back.
        await setReceipts(true);
        expect(await statesOf(one, other)).toEqual(['unknown', 'unknown']);
      });

      test('what is set for the sender comes before what is set for the box, and a box is one box', async () => {
        await setReceipts(false);
        await setReceipts(true, alice);
        const elsewhere = await store({ sender: carol, messageBox: 'letters' });
        const [ofAlice, ofCarol] = [await store(), await store({ sender: carol })];
        await acknowledge(elsewhere, ofAlice, ofCarol);
        expect(await statesOf(ofAlice)).toEqual(['acknowledged']);
        expect(await statusOf([ofCarol.messageId, elsewhere.messageId], { by: carol })).toMatchObject([
          { state: 'unknown' },
          { state: 'acknowledged' },
        ]);
        await setReceipts(null, alice);
        const next = await store();
        await acknowledge(next);
        expect(await statesOf(ofAlice, next)).toEqual(['acknowledged', 'unknown']);
      });

      test('a fee that is set without a word about receipts leaves the decision', async () => {
        const permissions = new SqlPermissionStore(database.sql);
        const key = { recipient: bob, sender: alice, messageBox: 'inbox' };
        await permissions.set({ ...key, recipientFee: 3 });
        expect(await permissions.get(key)).toMatchObject({ recipientFee: 3, receipts: undefined });
        await permissions.set({ ...key, recipientFee: 4, receipts: false });
        await permissions.set({ ...key, recipientFee: 5 });
        expect(await permissions.get(key)).toMatchObject({ recipientFee: 5, receipts: false });
        // A version that does not know the column.
        await knex('message_permissions').update({ recipient_fee: 6 });
        expect(await permissions.get(key)).toMatchObject({ recipientFee: 6, receipts: false });
        await permissions.set({ ...key, recipientFee: 7, receipts: null });
        expect(await permissions.get(key)).toMatchObject({ recipientFee: 7, receipts: undefined });
      });
    });

    test('nothing is remembered when that is switched off', async () => {
      const off = open(undefined);
      const [one, other] = [await store(), await store()];
      expect(await statusOf([one.messageId], { at: off })).toMatchObject([{ state: 'stored' }]);
      await off.messages.acknowledgeMessages(bob, [one.messageId]);
      await expire(other);
      expect(await statusOf([one.messageId, other.messageId], { at: off })).toMatchObject([
        { state: 'unknown' },
        { state: 'unknown' },
      ]);
      await purgeMessages(off);
      expect(await countReceipts()).toBe(0);
    });

    test('what happens to a message while it is acknowledged decides: nothing is told that is not so', async () => {
      const [one, other] = [await store(), await store()];
      const read = database.sql.read.bind(database.sql);
      let erased = false;
      const spy = jest.spyOn(database.sql, 'read').mockImplementation(async (sql, values) => {
        const rows = await read(sql, values);
        if (sql.text.includes('gives_receipts') && !erased) {
          erased = true;
          await knex('messages')
            .where({ messageId: Buffer.from(one.messageId) })
            .delete();
        }
        return rows;
      });
      expect(await acknowledge(one, other)).toBe(1);
      spy.mockRestore();
      expect(erased).toBe(true);
      expect(await statesOf(one, other)).toEqual(['unknown', 'acknowledged']);
    });

    test('concurrent acknowledgements of the same messages count each once', async () => {
      const many = Array.from({ length: 40 }, () => message({ sender: alice, recipient: bob }));
      await database.messages.storeMessages(many);
      const counts = await Promise.all(
        Array.from({ length: 8 }, (_, n) => acknowledge(...(n % 2 ? many : [...many].reverse()))),
      );
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(40);
      expect(new Set(await statesOf(...many))).toEqual(new Set(['acknowledged']));
    });

    test('an acknowledgement whose receipt cannot be written acknowledges nothing', async () => {
      const [one, other] = [await store(), await store()];
      await knex.schema.renameTable('receipts', 'elsewhere');
      await expect(acknowledge(one, other)).rejects.toThrow('The message store is not available.');
      await expect(acknowledge(one)).rejects.toThrow('The message store is not available.');
      await expire(other);
      await expect(purgeMessages()).rejects.toThrow('The message store is not available.');
      expect(await knex('messages')).toHaveLength(2);
      await knex.schema.renameTable('elsewhere', 'receipts');
      expect(await acknowledge(one, other)).toBe(2);
    });

    describe('the bounds', () => {
      test('receipts end after their days, and are removed by the purge of the server', async () => {
        const [one, other] = [await store(), await store()];
        await acknowledge(one);
        await acknowledge(other);
        const now = Math.floor(Date.now() / 1_000);
        const [first] = await knex('receipts').orderBy('handle');
        await knex('receipts')
          .where({ handle: first.handle })
          .update({ expires_at: now - 1 });
        const log = createLogger('test', 'silent');
        const metrics = new Metrics('test', {});
        const { messages, sql } = database;
        const stop = startExpiryPurge({ store: messages, sql, log, metrics, intervalMs: 1 });
        await waitUntil('the receipt is removed', async () => (await countReceipts()) === 1);
        await stop();
        expect((await statesOf(one, other)).sort()).toEqual(['acknowledged', 'unknown']);
      });

      test('the purge removes no more than it must, in batches', async () => {
        const now = Math.floor(Date.now() / 1_000);
        const rows = Array.from({ length: 2_300 }, (_, n) => ({
          handle: randomBytes(20),
          state: 1,
          expires_at: n < 2_100 ? now - 10 : now + 1_000,
        }));
        for (let n = 0; n < rows.length; n += 100) await knex('receipts').insert(rows.slice(n, n + 100));
        const purger = new ReceiptPurger(database.sql);
        const removed = [];
        for (let n = 0; n < 4; n++) removed.push(await purger.purge(new Date(now * 1_000)));
        expect(removed).toEqual([1_000, 1_000, 100, 0]);
        expect(await countReceipts()).toBe(200);
      });

      test('when there are too many, the oldest are forgotten', async () => {
        const small = open({ ...RECEIPTS, maxBytes: 5 * RECEIPT_BYTES });
        const now = Math.floor(Date.now() / 1_000);
        const rows = Array.from({ length: 9 }, (_, n) => ({
          handle: Buffer.alloc(20, n),
          state: 1,
          expires_at: now + n,
        }));
        await knex('receipts').insert(rows);
        const purger = new ReceiptPurger(small.sql);
        expect(await purger.trim(() => true)).toBe(0);
        expect(await purger.trim(() => false)).toBe(4);
        const left = (await knex('receipts').orderBy('expires_at')).map(
          ({ expires_at }: { expires_at: number }) => expires_at,
        );
        expect(left).toEqual([4, 5, 6, 7, 8].map((n) => now + n));
        expect(await purger.trim(() => false)).toBe(0);
      });

      test('counting goes on beyond a batch', async () => {
        const small = open({ ...RECEIPTS, maxBytes: 20_100 * RECEIPT_BYTES });
        const now = Math.floor(Date.now() / 1_000);
        const rows = Array.from({ length: 20_150 }, (_, n) => ({
          handle: randomBytes(20),
          state: 1,
          expires_at: now + 1_000 + (n % 3),
        }));
        for (let n = 0; n < rows.length; n += 250) await knex('receipts').insert(rows.slice(n, n + 250));
        expect(await new ReceiptPurger(small.sql).trim(() => false)).toBe(50);
        expect(await countReceipts()).toBe(20_100);
      });

      test('one sender’s receipts are bounded, and those of others are not touched by that', async () => {
        const small = open({ ...RECEIPTS, maxBytesPerSender: 8 * RECEIPT_BYTES });
        const many = Array.from({ length: 10 }, () => message({ sender: alice, recipient: bob }));
        const other = message({ sender: carol, recipient: bob });
        await database.messages.storeMessages([...many, other]);
        const all = [...many, other].map(({ messageId }) => messageId);
        expect(await small.messages.acknowledgeMessages(bob, all)).toBe(11);
        const states = await statesOf(...many);
        // Half of the bound at once.
        expect(states.filter((state) => state === 'acknowledged')).toHaveLength(4);
        expect(states.filter((state) => state === 'unknown')).toHaveLength(6);
        expect(await statusOf([other.messageId], { by: carol })).toMatchObject([{ state: 'acknowledged' }]);
      });
    });

    test('deleting an account forgets what became of its sends, and leaves what others sent to it', async () => {
      const [sent, received] = [await store(), await store({ sender: bob, recipient: alice })];
      await acknowledge(sent);
      await acknowledge(received);
      await eraseAccount(database.sql, alice, false);
      expect(await statesOf(sent)).toEqual(['unknown']);
      expect(await statusOf([received.messageId], { by: bob })).toMatchObject([{ state: 'acknowledged' }]);
    });
  });
}

receiptsSuite('receipts on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mb-receipts-'));
  return {
    config: { client: 'better-sqlite3', filename: join(folder, 'messages.db') },
    drop: () => rm(folder, { recursive: true }),
  };
});

describeWithMysql('receipts on MySQL', () => {
  receiptsSuite('the same', createMysqlDatabase);
});
