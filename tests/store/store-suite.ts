import { createHash, randomBytes } from 'node:crypto';
import {
  createKnex,
  MessageIdTakenError,
  type MessagePage,
  type MessageStore,
  MIGRATION_NAMES,
  MigrationError,
  migrationSource,
  type NewMessage,
  openDatabase,
  openStore,
  prepared,
  type RequestClaim,
  type SqlRunner,
  type StoreConfig,
  StoreUnavailableError,
} from '@messagebox/store';
import { getOutcomes } from '../support/store-outcomes.js';

/** An empty database of the suite's own. */
export interface StoreFixture {
  readonly config: StoreConfig;
  drop(): Promise<void>;
}

/** The same database, opened so that it is remembered what became of messages. */
export async function withReceipts(createFixture: () => Promise<StoreFixture>): Promise<StoreFixture> {
  const fixture = await createFixture();
  const receipts = { key: randomBytes(32), days: 7, maxBytes: 2 ** 30, maxBytesPerSender: 2 ** 30 };
  return { config: { ...fixture.config, receipts }, drop: () => fixture.drop() };
}

const ALICE = `02${'a1'.repeat(32)}`;
const BOB = `03${'b0'.repeat(32)}`;
const CAROL = `02${'c4'.repeat(32)}`;
const MEGABYTE = 1024 * 1024;

let ids = 0;
const createId = () => `id-${++ids}`;

/** From Bob into Alice's inbox, unless said otherwise. */
function createMessage(overrides: Partial<NewMessage> = {}): NewMessage {
  return { recipient: ALICE, messageBox: 'inbox', messageId: createId(), sender: BOB, body: 'hello', ...overrides };
}

function createClaim(expiresAt: Date): RequestClaim {
  return { key: randomBytes(32), expiresAt };
}

const countOutcomes = (outcomes: readonly string[], wanted: string) =>
  outcomes.filter((outcome) => outcome === wanted).length;
const repeat = <T>(n: number, make: (index: number) => T): T[] => Array.from({ length: n }, (_, index) => make(index));
const getIds = (page: MessagePage) => page.messages.map(({ messageId }) => messageId);

/** The promises of every store, on every database. */
export function storeSuite(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let store: MessageStore;
    /** A box that no other test has touched. */
    let box: string;
    let boxes = 0;

    beforeAll(async () => {
      fixture = await createFixture();
      store = openStore(fixture.config);
      await store.migrate();
    });

    beforeEach(() => {
      box = `box-${++boxes}`;
    });

    afterAll(async () => {
      await store.close();
      await fixture.drop();
    });

    const list = (overrides: Partial<Parameters<MessageStore['listMessages']>[0]> = {}) =>
      store.listMessages({ recipient: ALICE, messageBox: box, maxBytes: 32 * MEGABYTE, ...overrides });

    /** Runs statements beside the store, as an operator or another version of the server would. */
    async function beside(...statements: [sql: string, values?: (string | number | Buffer | Date)[]][]): Promise<void> {
      const knex = createKnex(fixture.config);
      try {
        for (const [sql, values] of statements) await knex.raw(sql, values ?? []);
      } finally {
        await knex.destroy();
      }
    }

    it('lists the boxes of an identity, the newest first, up to a limit', async () => {
      const owner = `${CAROL}-boxes`;
      for (const messageBox of ['a', 'A', 'b'])
        await store.storeMessages([createMessage({ recipient: owner, messageBox })]);
      await store.storeMessages([createMessage({ recipient: owner, messageBox: 'a' })]);
      expect(await store.listBoxNames(owner, 10)).toEqual(['b', 'A', 'a']);
      expect(await store.listBoxNames(owner, 2)).toEqual(['b', 'A']);
      expect(await store.listBoxNames(`${CAROL}-nobody`, 10)).toEqual([]);
    });

    describe('headers of new messages', () => {
      it('lists headers of all recipients in the order of row ids, from a row id to another', async () => {
        const after = await store.findNewestId();
        const sent = [
          createMessage({ messageBox: box, body: '🎉' }),
          createMessage({ recipient: CAROL, messageBox: `${box} too`, body: 'hello' }),
          createMessage({ messageBox: box, sender: CAROL }),
        ];
        for (const message of sent) await store.storeMessages([message]);
        const listed = await store.listHeaders({ after, limit: 10 });
        expect(listed.map(({ id, ...header }) => header)).toEqual(
          sent.map(({ body, ...header }) => ({ ...header, bodyBytes: Buffer.byteLength(body) })),
        );
        const [first, second, third] = listed.map(({ id }) => id) as [number, number, number];
        expect(await store.findNewestId()).toBe(third);
        expect(await store.listHeaders({ after: first, upTo: second, limit: 10 })).toEqual([listed[1]]);
        expect(await store.listHeaders({ after, limit: 2 })).toEqual(listed.slice(0, 2));
        expect(await store.listHeaders({ after: third, limit: 2 })).toEqual([]);
      });

      it('gives headers the cursors of lists', async () => {
        const after = await store.findNewestId();
        await store.storeMessages([createMessage({ messageBox: box })]);
        const [header] = await store.listHeaders({ after, limit: 1 });
        const { messages } = await list();
        expect(messages[0]?.cursor).toBe(String(header?.id));
      });

      it('tells the row id of each message that it stores or has', async () => {
        const [one, two, three] = repeat(3, () => createMessage({ messageBox: box })) as [
          NewMessage,
          NewMessage,
          NewMessage,
        ];
        const [alone] = await store.storeMessages([one]);
        const batch = await store.storeMessages([two, one, three, two]);
        const cursors = (await list()).messages.map(({ cursor }) => cursor);
        expect(cursors).toEqual([alone?.cursor, batch[0]?.cursor, batch[2]?.cursor]);
        expect(batch).toEqual([
          { outcome: 'stored', cursor: cursors[1] },
          { outcome: 'duplicate', cursor: cursors[0] },
          { outcome: 'stored', cursor: cursors[2] },
          { outcome: 'duplicate', cursor: cursors[1] },
        ]);
        expect(await store.storeMessages([one])).toEqual([{ outcome: 'duplicate', cursor: cursors[0] }]);
      });

      it('finds the row id that was given out some time before another one', async () => {
        const sent = repeat(40, () => createMessage({ messageBox: box }));
        for (const message of sent) await store.storeMessages([message]);
        const ids = (await list()).messages.map(({ cursor }) => Number(cursor));
        // One second apart, long ago.
        const start = Date.UTC(2020, 1, 1);
        for (const [i, id] of ids.entries()) {
          const time = start + i * 1_000;
          const value = fixture.config.client === 'mysql2' ? new Date(time) : time;
          await beside(['UPDATE messages SET created_at = ? WHERE id = ?', [value, id]]);
        }
        const [last, lastButOne] = [ids[39], ids[38]] as [number, number];
        expect(await store.findEarlierId(last, 10_000)).toBe(ids[29]);
        expect(await store.findEarlierId(last, 9_001)).toBe(ids[29]);
        expect(await store.findEarlierId(last, 1)).toBe(lastButOne);
        // Nothing was stored before: lower ids have later times here.
        expect(await store.findEarlierId(last, 60_000)).toBe(0);
        await store.acknowledgeMessages(ALICE, [sent[39]?.messageId as string]);
        // The next lower one counts instead.
        expect(await store.findEarlierId(last, 10_000)).toBe(ids[28]);
        expect(await store.findEarlierId(Number.MAX_SAFE_INTEGER, 10_000)).toBe(ids[28]);
        // An acknowledged row in between does not matter.
        await store.acknowledgeMessages(ALICE, [sent[28]?.messageId as string]);
        expect(await store.findEarlierId(last, 10_000)).toBeLessThan(ids[29] as number);
        expect(await store.findEarlierId(last, 10_000)).toBeGreaterThanOrEqual(ids[27] as number);
        expect(await store.findEarlierId(0, 1)).toBe(0);
      });

      it('lists a message that has lost its box', async () => {
        const after = await store.findNewestId();
        const orphan = createMessage({ messageBox: box });
        await store.storeMessages([orphan]);
        await beside(['UPDATE messages SET messageBoxId = NULL WHERE messageId = ?', [Buffer.from(orphan.messageId)]]);
        expect(await store.listHeaders({ after, limit: 1 })).toMatchObject([{ messageBox: undefined }]);
        await store.acknowledgeMessages(ALICE, [orphan.messageId]);
      });

      it('reads bodies by row id, and leaves out acknowledged messages', async () => {
        const after = await store.findNewestId();
        const sent = repeat(3, (n) => createMessage({ messageBox: box, body: `body ${n}` }));
        for (const message of sent) await store.storeMessages([message]);
        const [first, second, third] = (await store.listHeaders({ after, limit: 3 })).map(({ id }) => id) as number[];
        await store.acknowledgeMessages(ALICE, [sent[1]?.messageId as string]);
        expect(await store.readBodies([first, second, third] as number[])).toEqual(
          new Map([
            [first, 'body 0'],
            [third, 'body 2'],
          ]),
        );
        expect(await store.readBodies([])).toEqual(new Map());
      });
    });

    describe('what is written alongside messages', () => {
      const claims = async (key: Buffer) => store.claimRequest({ key, expiresAt: new Date(Date.now() + 60_000) });
      const insertClaim = prepared('INSERT INTO request_claims (claim_key, expires_at) VALUES (?, ?)');
      const expiry = new Date(Date.now() + 60_000);
      const write = (key: Buffer) => async (runner: SqlRunner) => {
        await runner.write(insertClaim, [key, fixture.config.client === 'mysql2' ? expiry : expiry.getTime()]);
      };

      it('is committed with them, and told which are new', async () => {
        const key = randomBytes(32);
        const [old, fresh] = [createMessage({ messageBox: box }), createMessage({ messageBox: box })];
        await store.storeMessages([old]);
        const told: string[][] = [];
        const outcomes = await getOutcomes(
          store.storeMessages([old, fresh], async (runner, stored) => {
            told.push(stored.map(({ messageId }) => messageId));
            await write(key)(runner);
          }),
        );
        expect(outcomes).toEqual(['duplicate', 'stored']);
        expect(told.at(-1)).toEqual([fresh.messageId]);
        expect(await claims(key)).toBe(false);
      });

      it('is written too when every message is there already', async () => {
        const key = randomBytes(32);
        const old = createMessage({ messageBox: box });
        await store.storeMessages([old]);
        expect(await getOutcomes(store.storeMessages([old], write(key)))).toEqual(['duplicate']);
        expect(await claims(key)).toBe(false);
      });

      it('undoes everything when it fails', async () => {
        const key = randomBytes(32);
        const failing = store.storeMessages([createMessage({ messageBox: box })], async (runner) => {
          await write(key)(runner);
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow(StoreUnavailableError);
        expect(await claims(key)).toBe(true);
        const page = await store.listMessages({ recipient: ALICE, messageBox: box, maxBytes: MEGABYTE });
        expect(page.messages).toEqual([]);
      });
    });

    describe('asking what is stored', () => {
      test('reports it for each message, and changes nothing', async () => {
        const [old, fresh] = [createMessage({ messageBox: box }), createMessage({ messageBox: box })];
        await store.storeMessages([old]);
        expect(await store.areStored([fresh, old, { ...old, body: 'another' }, fresh])).toEqual([
          false,
          true,
          true,
          false,
        ]);
        expect(await store.areStored([])).toEqual([]);
        expect(getIds(await list())).toEqual([old.messageId]);
      });

      test('reports an id of another sender or another box as taken', async () => {
        const old = createMessage({ messageBox: box });
        await store.storeMessages([old]);
        for (const other of [{ sender: CAROL }, { messageBox: `${box} other` }]) {
          await expect(store.areStored([createMessage({ messageBox: box }), { ...old, ...other }])).rejects.toThrow(
            MessageIdTakenError,
          );
        }
        expect(await store.areStored([{ ...old, recipient: CAROL }])).toEqual([false]);
      });
    });

    describe('storing', () => {
      test('a stored message comes back as it was sent', async () => {
        const sent = createMessage({ messageBox: box });
        const before = Date.now();
        expect(await getOutcomes(store.storeMessages([sent]))).toEqual(['stored']);
        const { messages, hasMore } = await list();
        expect(hasMore).toBe(false);
        expect(messages).toHaveLength(1);
        const [received] = messages;
        expect(received).toMatchObject({ messageId: sent.messageId, sender: BOB, body: 'hello' });
        expect(received?.cursor).toMatch(/^[0-9]+$/);
        // In UTC. The clock of a database on another machine may differ by up to 5 s.
        const createdAt = received?.createdAt.getTime() ?? 0;
        expect(createdAt).toBeGreaterThan(before - 5_000);
        expect(createdAt).toBeLessThan(Date.now() + 5_000);
        expect(received?.updatedAt).toEqual(received?.createdAt);
      });

      test('times have more than whole seconds', async () => {
        for (let i = 0; i < 10; i++) await store.storeMessages([createMessage({ messageBox: box })]);
        const { messages } = await list();
        expect(messages.some(({ createdAt }) => createdAt.getTime() % 1_000 !== 0)).toBe(true);
      });

      test('accepts an empty batch', async () => {
        expect(await getOutcomes(store.storeMessages([]))).toEqual([]);
      });

      test('boxes whose names differ in case, accent or a trailing space are different boxes', async () => {
        const names = ['Inbox', 'inbox', 'ínbox', 'Inbox '].map(
          (prefix) => `${prefix.trimEnd()}-${box}${prefix.endsWith(' ') ? ' ' : ''}`,
        );
        for (const messageBox of names) {
          expect(
            await getOutcomes(store.storeMessages([createMessage({ messageBox, messageId: `in ${messageBox}` })])),
          ).toEqual(['stored']);
        }
        for (const messageBox of names) expect(getIds(await list({ messageBox }))).toEqual([`in ${messageBox}`]);
      });

      test('ids that differ in case, accent, normal form or a trailing space are different messages', async () => {
        const messageIds = ['a', 'A', 'á', 'a\u0301', 'a ', ' a', 'a\u0000', 'ß', 'ss', '🎉', '🎊', '\u{1F600}'].map(
          (id) => `${box}${id}`,
        );
        for (const messageId of messageIds) {
          expect(await getOutcomes(store.storeMessages([createMessage({ messageBox: box, messageId })]))).toEqual([
            'stored',
          ]);
        }
        expect(getIds(await list())).toEqual(messageIds);
        expect(await store.acknowledgeMessages(ALICE, [`${box}A`])).toBe(1);
        expect(getIds(await list())).toEqual(messageIds.filter((id) => id !== `${box}A`));
      });

      test('keys that differ in case are different keys', async () => {
        await store.storeMessages([createMessage({ messageBox: box })]);
        expect(getIds(await list({ recipient: ALICE.toUpperCase() }))).toEqual([]);
      });

      test('a repeated message is a duplicate and stays as it was', async () => {
        const sent = createMessage({ messageBox: box, body: 'first' });
        expect(await getOutcomes(store.storeMessages([sent]))).toEqual(['stored']);
        expect(await getOutcomes(store.storeMessages([{ ...sent, body: 'second' }]))).toEqual(['duplicate']);
        expect((await list()).messages.map(({ body }) => body)).toEqual(['first']);
      });

      test('finds duplicates within a batch and of an earlier batch', async () => {
        const [first, second, third] = repeat(3, () => createMessage({ messageBox: box })) as [
          NewMessage,
          NewMessage,
          NewMessage,
        ];
        await store.storeMessages([second]);
        expect(await getOutcomes(store.storeMessages([first, second, third, first]))).toEqual([
          'stored',
          'duplicate',
          'stored',
          'duplicate',
        ]);
        expect(getIds(await list())).toEqual([second.messageId, first.messageId, third.messageId]);
      });

      test('stores a message once that is sent 20 times at once, and reports 19 duplicates', async () => {
        for (let round = 0; round < 10; round++) {
          const sent = createMessage({ messageBox: box });
          const outcomes = await Promise.all(repeat(20, () => getOutcomes(store.storeMessages([sent]))));
          expect(countOutcomes(outcomes.flat(), 'stored')).toBe(1);
          expect(countOutcomes(outcomes.flat(), 'duplicate')).toBe(19);
        }
        expect((await list()).messages).toHaveLength(10);
      });

      test('batches that overlap in opposite orders all end, each message stored once', async () => {
        const batch = repeat(20, () => createMessage({ messageBox: box }));
        const outcomes = await Promise.all(
          repeat(8, (n) => getOutcomes(store.storeMessages(n % 2 ? batch : [...batch].reverse()))),
        );
        expect(countOutcomes(outcomes.flat(), 'stored')).toBe(20);
        expect(countOutcomes(outcomes.flat(), 'duplicate')).toBe(7 * 20);
        expect((await list()).messages).toHaveLength(20);
      });

      test.each([
        ['another sender', { sender: CAROL }],
        ['another box', { messageBox: 'elsewhere' }],
      ])('an id that the recipient has from %s is taken, and nothing of the batch is stored', async (_, change) => {
        const taken = createMessage({ messageBox: box });
        await store.storeMessages([taken]);
        const others = repeat(2, () => createMessage({ messageBox: box })) as [NewMessage, NewMessage];
        const attempt = store.storeMessages([others[0], { ...taken, ...change }, others[1]]);
        await expect(attempt).rejects.toThrow(MessageIdTakenError);
        await expect(attempt).rejects.toMatchObject({ recipient: ALICE, messageId: taken.messageId });
        expect(getIds(await list())).toEqual([taken.messageId]);
        expect(getIds(await list({ messageBox: 'elsewhere' }))).toEqual([]);
      });

      test('a message whose id is taken leaves no box', async () => {
        const taken = createMessage({ messageBox: box });
        await store.storeMessages([taken]);
        const elsewhere = [createMessage({ messageBox: `${box} 1` }), { ...taken, messageBox: `${box} 2` }];
        await expect(store.storeMessages(elsewhere)).rejects.toThrow(MessageIdTakenError);
        const { sql, messages } = openDatabase(fixture.config);
        const names = elsewhere.map(({ messageBox }) => Buffer.from(messageBox));
        const count = prepared('SELECT COUNT(*) AS boxes FROM messageBox WHERE type IN (?, ?)');
        const [row] = await sql.read(count, names);
        await messages.close();
        expect(Number(row?.['boxes'])).toBe(0);
      });

      test('an id can be taken by the batch itself', async () => {
        const sent = createMessage({ messageBox: box });
        await expect(store.storeMessages([sent, { ...sent, sender: CAROL }])).rejects.toThrow(MessageIdTakenError);
        expect(getIds(await list())).toEqual([]);
      });

      test('gives an id that two senders use at once to one of them, and tells the other', async () => {
        const sent = createMessage({ messageBox: box });
        const results = await Promise.allSettled(
          repeat(20, (n) => store.storeMessages([{ ...sent, sender: n % 2 ? BOB : CAROL }])),
        );
        const refused = results.filter((result) => result.status === 'rejected');
        expect(refused).toHaveLength(10);
        for (const { reason } of refused) expect(reason).toBeInstanceOf(MessageIdTakenError);
        expect((await list()).messages).toHaveLength(1);
      });

      test('the same id for two recipients is two messages', async () => {
        const sent = createMessage({ messageBox: box });
        expect(await getOutcomes(store.storeMessages([sent, { ...sent, recipient: CAROL }]))).toEqual([
          'stored',
          'stored',
        ]);
        expect(getIds(await list({ recipient: CAROL }))).toEqual([sent.messageId]);
      });

      test('50 first sends to a new box at once are all stored, from two instances', async () => {
        const other = openStore(fixture.config);
        try {
          for (let round = 0; round < 4; round++) {
            const messageBox = `${box}-${round}`;
            const sends = repeat(50, (n) =>
              getOutcomes((n % 2 ? store : other).storeMessages([createMessage({ messageBox })])),
            );
            expect(countOutcomes((await Promise.all(sends)).flat(), 'stored')).toBe(50);
            expect((await list({ messageBox })).messages).toHaveLength(50);
          }
        } finally {
          await other.close();
        }
      });

      test('a box that was deleted behind the store comes back with the next message', async () => {
        await store.storeMessages([createMessage({ messageBox: box })]);
        await beside(['DELETE FROM messageBox WHERE type = ?', [Buffer.from(box)]]);
        expect(getIds(await list())).toEqual([]);
        const sent = createMessage({ messageBox: box });
        expect(await getOutcomes(store.storeMessages([sent]))).toEqual(['stored']);
        expect(getIds(await list())).toEqual([sent.messageId]);
      });

      test('reports an id as taken whose message has lost its box', async () => {
        const orphan = createMessage({ messageBox: box });
        await store.storeMessages([orphan]);
        await beside(['UPDATE messages SET messageBoxId = NULL WHERE messageId = ?', [Buffer.from(orphan.messageId)]]);
        await expect(store.storeMessages([orphan])).rejects.toThrow(MessageIdTakenError);
        expect(getIds(await list())).toEqual([]);
        expect(await store.acknowledgeMessages(ALICE, [orphan.messageId])).toBe(1);
        expect(await getOutcomes(store.storeMessages([orphan]))).toEqual(['stored']);
      });

      test('names of 255 code points of four bytes each fit, and are told apart by the last', async () => {
        const long = (last: string) => '🎉'.repeat(254) + last;
        const messageBox = long(String.fromCodePoint(0x1f300 + boxes));
        const messageIds = [long('😀'), long('😁')];
        const sent = messageIds.map((messageId) => createMessage({ recipient: CAROL, messageBox, messageId }));
        expect(await getOutcomes(store.storeMessages(sent))).toEqual(['stored', 'stored']);
        expect(getIds(await list({ recipient: CAROL, messageBox }))).toEqual(messageIds);
        expect(getIds(await list({ recipient: CAROL, messageBox: long('😂') }))).toEqual([]);
        expect(await getOutcomes(store.storeMessages(sent))).toEqual(['duplicate', 'duplicate']);
        expect(await store.acknowledgeMessages(CAROL, messageIds)).toBe(2);
      });

      test.each([
        ['empty', ''],
        ['of 1 MB', 'x'.repeat(MEGABYTE)],
        ['of 1 MB in four-byte characters', '🎉'.repeat(MEGABYTE / 4)],
        ['with a NUL', 'before\u0000after'],
        ['with quotes, backslashes and line breaks', `'"\\\n\r\u001a%_\\'--`],
        ['with text that is not in normal form', 'e\u0301 é \u200d\ufeff'],
      ])('a body %s comes back unchanged', async (_, body) => {
        const sent = [createMessage({ messageBox: box, body }), createMessage({ messageBox: box, body: `${body}!` })];
        await store.storeMessages([sent[0] as NewMessage]);
        await store.storeMessages(sent);
        const bodies = (await list()).messages.map((received) => received.body);
        expect(bodies.map((text) => text.length)).toEqual([body.length, body.length + 1]);
        expect(bodies[0] === body && bodies[1] === `${body}!`).toBe(true);
      });

      test('a batch larger than one statement is stored whole, in its order, or not at all', async () => {
        const batch = repeat(450, () => createMessage({ messageBox: box }));
        expect(countOutcomes(await getOutcomes(store.storeMessages(batch)), 'stored')).toBe(450);
        expect(getIds(await list())).toEqual(batch.map(({ messageId }) => messageId));
        const large = repeat(12, () => createMessage({ messageBox: box, body: 'y'.repeat(MEGABYTE) }));
        const taken = { ...(batch[0] as NewMessage), sender: CAROL };
        await expect(store.storeMessages([...large, taken])).rejects.toThrow(MessageIdTakenError);
        expect((await list()).messages).toHaveLength(450);
        expect(
          countOutcomes(await getOutcomes(store.storeMessages([...large, batch[0] as NewMessage])), 'stored'),
        ).toBe(12);
        expect((await list()).messages).toHaveLength(462);
      });
    });

    describe('order', () => {
      test('messages sent one after another are listed in that order', async () => {
        const sent: string[] = [];
        for (let n = 0; n < 30; n++) {
          // Ids that sort in another order than they are sent in.
          const next = createMessage({
            messageBox: box,
            messageId: createHash('sha256').update(`${box}${n}`).digest('hex'),
          });
          await store.storeMessages([next]);
          sent.push(next.messageId);
        }
        expect(getIds(await list())).toEqual(sent);
      });

      test('each sender keeps its order while many send at once, and cursors only grow', async () => {
        await Promise.all(
          repeat(10, async (sender) => {
            for (let n = 0; n < 10; n++) {
              await store.storeMessages([createMessage({ messageBox: box, messageId: `${box}/${sender}/${n}` })]);
            }
          }),
        );
        const { messages } = await list();
        expect(messages).toHaveLength(100);
        for (let sender = 0; sender < 10; sender++) {
          const own = messages.filter(({ messageId }) => messageId.startsWith(`${box}/${sender}/`));
          expect(own.map(({ messageId }) => messageId)).toEqual(repeat(10, (n) => `${box}/${sender}/${n}`));
        }
        const cursors = messages.map(({ cursor }) => Number(cursor));
        expect(cursors).toEqual([...new Set(cursors)].sort((a, b) => a - b));
      });
    });

    describe('listing', () => {
      test('an unknown box is empty', async () => {
        expect(await list({ messageBox: 'never used' })).toEqual({ messages: [], hasMore: false });
      });

      test('limit and after walk through a box page by page', async () => {
        const batch = repeat(7, () => createMessage({ messageBox: box }));
        await store.storeMessages(batch);
        const wanted = batch.map(({ messageId }) => messageId);
        const first = await list({ limit: 3 });
        expect([getIds(first), first.hasMore]).toEqual([wanted.slice(0, 3), true]);
        const second = await list({ limit: 3, after: first.messages[2]?.cursor as string });
        expect([getIds(second), second.hasMore]).toEqual([wanted.slice(3, 6), true]);
        const third = await list({ limit: 3, after: second.messages[2]?.cursor as string });
        expect([getIds(third), third.hasMore]).toEqual([wanted.slice(6), false]);
        const exact = await list({ limit: 7 });
        expect([getIds(exact), exact.hasMore]).toEqual([wanted, false]);
      });

      test('a box of more messages than are read at once is listed whole', async () => {
        const batch = repeat(600, () => createMessage({ messageBox: box }));
        await store.storeMessages(batch);
        expect(getIds(await list())).toEqual(batch.map(({ messageId }) => messageId));
        const page = await list({ limit: 599 });
        expect([page.messages.length, page.hasMore]).toEqual([599, true]);
      });

      test('maxBytes counts bytes, not characters, and stops before the message that would go over', async () => {
        // 12 bytes in 3 code points.
        await store.storeMessages(repeat(4, () => createMessage({ messageBox: box, body: '🎉🎉🎉' })));
        const page = await list({ maxBytes: 24 });
        expect([page.messages.length, page.hasMore]).toEqual([2, true]);
        const less = await list({ maxBytes: 23 });
        expect([less.messages.length, less.hasMore]).toEqual([1, true]);
        const all = await list({ maxBytes: 48 });
        expect([all.messages.length, all.hasMore]).toEqual([4, false]);
      });

      test('the first message is returned however large it is, and small ones behind a large one wait', async () => {
        const bodies = ['x'.repeat(100_000), 'small', 'y'.repeat(50_000), 'small too'];
        await store.storeMessages(bodies.map((body) => createMessage({ messageBox: box, body })));
        const first = await list({ maxBytes: 1 });
        expect([first.messages.map(({ body }) => body.length), first.hasMore]).toEqual([[100_000], true]);
        const second = await list({ maxBytes: 50_004, after: first.messages[0]?.cursor as string });
        expect([second.messages.map(({ body }) => body), second.hasMore]).toEqual([['small'], true]);
        const all = await list();
        expect(all.messages.map(({ body }) => body)).toEqual(bodies);
      });

      describe('by offset', () => {
        /** Reads a box to its end as clients do, and says how many messages each page had. */
        async function readAll(query: Partial<Parameters<MessageStore['listMessages']>[0]>): Promise<{
          messages: MessagePage['messages'];
          pages: number[];
        }> {
          const messages: MessagePage['messages'] = [];
          const pages: number[] = [];
          for (let hasMore = true; hasMore; ) {
            const page = await list({ offset: messages.length, ...query });
            if (page.hasMore && page.messages.length === 0) throw new Error('an empty page says that there is more');
            if (pages.length === 100) throw new Error('the pages never end');
            messages.push(...page.messages);
            pages.push(page.messages.length);
            hasMore = page.hasMore;
          }
          return { messages, pages };
        }

        test('25 messages by pages of 10 are 25 messages', async () => {
          const batch = repeat(25, () => createMessage({ messageBox: box }));
          await store.storeMessages(batch);
          // Others lie between them.
          await store.storeMessages([createMessage({ messageBox: `${box} too` }), createMessage({ recipient: CAROL })]);
          const { messages, pages } = await readAll({ limit: 10 });
          expect(pages).toEqual([10, 10, 5]);
          expect(messages.map(({ messageId }) => messageId)).toEqual(batch.map(({ messageId }) => messageId));
        });

        test('returns an empty page behind the last message and for an unknown box', async () => {
          const batch = repeat(5, () => createMessage({ messageBox: box }));
          await store.storeMessages(batch);
          const last = await list({ offset: 4, limit: 10 });
          expect([getIds(last), last.hasMore]).toEqual([[batch[4]?.messageId], false]);
          const exact = await list({ offset: 3, limit: 2 });
          expect([getIds(exact), exact.hasMore]).toEqual([batch.slice(3).map(({ messageId }) => messageId), false]);
          for (const offset of [5, 6, 100_000]) {
            expect(await list({ offset, limit: 10 })).toEqual({ messages: [], hasMore: false });
          }
          expect(await list({ messageBox: 'never used', offset: 3 })).toEqual({ messages: [], hasMore: false });
        });

        test('counts existing messages only: an acknowledgement moves later ones forward', async () => {
          const batch = repeat(5, () => createMessage({ messageBox: box }));
          await store.storeMessages(batch);
          await store.acknowledgeMessages(ALICE, [batch[0]?.messageId as string, batch[2]?.messageId as string]);
          const ids = [batch[1], batch[3], batch[4]].map((one) => one?.messageId);
          for (const offset of [0, 1, 2]) expect(getIds(await list({ offset }))).toEqual(ids.slice(offset));
        });

        test('continues from a cursor, too', async () => {
          const batch = repeat(6, () => createMessage({ messageBox: box }));
          await store.storeMessages(batch);
          const [, second] = (await list()).messages;
          const page = await list({ after: second?.cursor as string, offset: 1, limit: 2 });
          expect([getIds(page), page.hasMore]).toEqual([batch.slice(3, 5).map(({ messageId }) => messageId), true]);
        });

        test.each([
          ['5 MB', repeat(50, () => 100_000), 5],
          ['18 MB', repeat(90, (n) => (n % 3 === 0 ? 500_000 : 50_000)), 18],
          ['one of 4 MiB between small ones', [10, 4 * MEGABYTE, 10], 3],
        ])('a box of %s is read whole by pages of 1 MiB', async (_what, sizes, least) => {
          const batch = sizes.map((size, n) => createMessage({ messageBox: box, body: String(n).padEnd(size, '.') }));
          await store.storeMessages(batch);
          const { messages, pages } = await readAll({ limit: 1_000, maxBytes: MEGABYTE });
          expect(messages.map(({ messageId, body }) => [messageId, body.length, Number.parseInt(body, 10)])).toEqual(
            batch.map(({ messageId }, n) => [messageId, sizes[n], n]),
          );
          expect(pages.length).toBeGreaterThanOrEqual(least);
          expect(pages.length).toBeLessThanOrEqual(sizes.length);
        });
      });

      test('finds one message by its id, in this box and of this recipient only, byte by byte', async () => {
        const [wanted, other, foreign] = [
          createMessage({ messageBox: box, messageId: `${box}-Wanted` }),
          createMessage({ messageBox: `${box} too` }),
          createMessage({ messageBox: box, recipient: CAROL }),
        ];
        await store.storeMessages([
          createMessage({ messageBox: box }),
          wanted,
          createMessage({ messageBox: box }),
          other,
          foreign,
        ]);
        const byId = (messageId: string, more = {}) => list({ messageId, ...more });
        for (const paging of [{}, { limit: 1 }, { offset: 0 }, { offset: 0, limit: 1_000, maxBytes: MEGABYTE }]) {
          const page = await byId(wanted.messageId, paging);
          expect([getIds(page), page.hasMore]).toEqual([[wanted.messageId], false]);
        }
        const nothing = { messages: [], hasMore: false };
        expect(await byId(wanted.messageId, { offset: 1 })).toEqual(nothing);
        for (const messageId of [other.messageId, foreign.messageId, wanted.messageId.toLowerCase(), 'unknown', '']) {
          expect(await byId(messageId)).toEqual(nothing);
        }
      });

      test('a page of messages that are all acknowledged while it is read is not the end', async () => {
        // Large enough not to be read together with their sizes.
        const bodies = [...repeat(3, () => 'x'.repeat(100_000)), 'the last one'];
        const batch = bodies.map((body) => createMessage({ messageBox: box, body }));
        await store.storeMessages(batch);
        const ids = batch.map(({ messageId }) => messageId);
        const database = openDatabase(fixture.config);
        const read = database.sql.read.bind(database.sql);
        jest.spyOn(database.sql, 'read').mockImplementation(async (sql, values) => {
          if (sql.text.startsWith('SELECT m.id, CASE')) await store.acknowledgeMessages(ALICE, ids.slice(0, 3));
          return await read(sql, values);
        });
        const query = { recipient: ALICE, messageBox: box, offset: 0, maxBytes: 150_000 };
        const page = await database.messages.listMessages(query);
        expect([getIds(page), page.hasMore]).toEqual([ids.slice(3), false]);
        await database.messages.close();
      });

      test('a cursor beyond everything is an empty page, one that is no number a TypeError', async () => {
        await store.storeMessages([createMessage({ messageBox: box })]);
        expect(await list({ after: '99999999999999999999999999' })).toEqual({ messages: [], hasMore: false });
        for (const after of ['', '-1', '1.5', '1e3', 'abc', ' 1', '1; DROP TABLE messages']) {
          await expect(list({ after })).rejects.toThrow(TypeError);
        }
      });
    });

    describe('acknowledging', () => {
      test("deletes the recipient's own messages, and returns their number", async () => {
        const [kept, gone] = [createMessage({ messageBox: box }), createMessage({ messageBox: box })];
        const foreign = createMessage({ messageBox: box, recipient: CAROL });
        await store.storeMessages([kept, gone, foreign]);
        const ids = [gone.messageId, gone.messageId, foreign.messageId, 'unknown'];
        expect(await store.acknowledgeMessages(ALICE, ids)).toBe(1);
        expect(await store.acknowledgeMessages(ALICE, ids)).toBe(0);
        expect(await store.acknowledgeMessages(ALICE, [foreign.messageId])).toBe(0);
        expect(await store.acknowledgeMessages(ALICE, [])).toBe(0);
        expect(getIds(await list())).toEqual([kept.messageId]);
        expect(getIds(await list({ recipient: CAROL }))).toEqual([foreign.messageId]);
      });

      test('deletes one id in any box', async () => {
        const sent = createMessage({ messageBox: box });
        await store.storeMessages([sent]);
        expect(await store.acknowledgeMessages(ALICE, [sent.messageId])).toBe(1);
        expect(await getOutcomes(store.storeMessages([sent]))).toEqual(['stored']);
      });

      test('deletes 10,000 ids in one call', async () => {
        const batch = repeat(1_500, () => createMessage({ messageBox: box }));
        const survivor = createMessage({ messageBox: box });
        await store.storeMessages([...batch, survivor]);
        const unknown = repeat(8_500, (n) => `${box} unknown ${n}`);
        expect(await store.acknowledgeMessages(ALICE, [...unknown, ...batch.map(({ messageId }) => messageId)])).toBe(
          1_500,
        );
        expect(getIds(await list())).toEqual([survivor.messageId]);
      });

      test('the same ids from several callers at once are each deleted once', async () => {
        const batch = repeat(100, () => createMessage({ messageBox: box }));
        await store.storeMessages(batch);
        const ids = batch.map(({ messageId }) => messageId);
        const deleted = await Promise.all(
          repeat(8, (n) => store.acknowledgeMessages(ALICE, n % 2 ? ids : [...ids].reverse())),
        );
        expect(deleted.reduce((sum, n) => sum + n, 0)).toBe(100);
      });

      test('sends and acknowledgements at once lose and invent nothing', async () => {
        const sent = repeat(60, () => createMessage({ messageBox: box }));
        const acknowledged = await Promise.all(
          sent.map(async (one, n) => {
            await store.storeMessages([one]);
            return n % 2 ? store.acknowledgeMessages(ALICE, [one.messageId, `none ${n}`]) : 0;
          }),
        );
        expect(acknowledged.reduce((sum, n) => sum + n, 0)).toBe(30);
        expect(getIds(await list()).sort()).toEqual(
          sent
            .filter((_, n) => n % 2 === 0)
            .map(({ messageId }) => messageId)
            .sort(),
        );
      });
    });

    describe('claims', () => {
      const later = new Date(Date.now() + 60_000);

      test('a request can be claimed once', async () => {
        const once = createClaim(later);
        expect(await store.claimRequest(once)).toBe(true);
        expect(await store.claimRequest(once)).toBe(false);
        expect(await store.claimRequest({ ...once, expiresAt: new Date(later.getTime() + 1) })).toBe(false);
        expect(await store.claimRequest(createClaim(later))).toBe(true);
      });

      test('lets exactly one of many claims at once succeed', async () => {
        const once = createClaim(later);
        const results = await Promise.all(repeat(20, () => store.claimRequest(once)));
        expect(results.filter(Boolean)).toHaveLength(1);
      });

      test('compares keys to the last bit', async () => {
        const key = Buffer.alloc(32, 0x20);
        const other = Buffer.from(key);
        other[31] = 0x21;
        expect(await store.claimRequest({ key, expiresAt: later })).toBe(true);
        expect(await store.claimRequest({ key: other, expiresAt: later })).toBe(true);
        expect(await store.claimRequest({ key: Uint8Array.from(key), expiresAt: later })).toBe(false);
      });

      test('only expired claims are purged, at most as many as asked', async () => {
        // Long ago, so that no other claim of this suite is expired by then; and to the millisecond.
        const moment = new Date('2020-01-01T00:00:00.500Z');
        const early = new Date(moment.getTime() - 1);
        const expired = repeat(5, () => createClaim(early));
        const valid = createClaim(moment);
        for (const one of [...expired, valid]) await store.claimRequest(one);
        expect(await store.purgeClaims(moment, 3)).toBe(3);
        expect(await store.purgeClaims(moment, 3)).toBe(2);
        expect(await store.purgeClaims(moment, 3)).toBe(0);
        expect(await store.claimRequest(valid)).toBe(false);
        expect(await store.claimRequest(expired[0] as RequestClaim)).toBe(true);
      });
    });

    describe('the schema', () => {
      let empty: StoreFixture;
      const opened: MessageStore[] = [];

      function open(extra: Partial<StoreConfig> = {}): MessageStore {
        const one = openStore({ ...empty.config, ...extra } as StoreConfig);
        opened.push(one);
        return one;
      }

      async function onEmpty<T>(work: (knex: ReturnType<typeof createKnex>) => Promise<T>): Promise<T> {
        const knex = createKnex(empty.config);
        try {
          return await work(knex);
        } finally {
          await knex.destroy();
        }
      }

      beforeEach(async () => {
        empty = await createFixture();
      });

      afterEach(async () => {
        await Promise.all(opened.splice(0).map((one) => one.close()));
        await empty.drop();
      });

      test('an empty database has everything before it, and asking changes nothing', async () => {
        for (let n = 0; n < 2; n++) {
          expect(await open().getSchemaStatus()).toEqual({ current: false, pending: MIGRATION_NAMES, unknown: [] });
        }
        expect(await onEmpty((knex) => knex.schema.hasTable('knex_migrations'))).toBe(false);
      });

      test('a database as the reference left it needs only what came after', async () => {
        const last = '2025-01-31-002-device-registrations.js';
        await onEmpty(async (knex) => {
          for (let n = 0; n < 5; n++) await knex.migrate.up({ migrationSource });
        });
        const one = open();
        const pending = MIGRATION_NAMES.slice(MIGRATION_NAMES.indexOf(last) + 1);
        expect(pending.length).toBeGreaterThan(0);
        expect(await one.getSchemaStatus()).toEqual({ current: false, pending, unknown: [] });
        expect(await one.migrate()).toEqual(pending);
        expect(await one.getSchemaStatus()).toEqual({ current: true, pending: [], unknown: [] });
        expect(await getOutcomes(one.storeMessages([createMessage()]))).toEqual(['stored']);
      });

      test('a migrated database is current, and migrating again runs nothing', async () => {
        const one = open();
        expect(await one.migrate()).toEqual(MIGRATION_NAMES);
        expect(await one.getSchemaStatus()).toEqual({ current: true, pending: [], unknown: [] });
        expect(await one.migrate()).toEqual([]);
        const fees = await onEmpty((knex) => knex('server_fees').select('message_box', 'delivery_fee').orderBy('id'));
        expect(fees.map((row) => [String(row.message_box), row.delivery_fee])).toEqual([
          ['notifications', 10],
          ['inbox', 0],
          ['payment_inbox', 0],
        ]);
      });

      test('a database of a newer version names what is unknown, and is not touched', async () => {
        const one = open();
        await one.migrate();
        await onEmpty((knex) => knex('knex_migrations').insert({ name: '2999-01-01-001-future', batch: 9 }));
        expect(await one.getSchemaStatus()).toEqual({ current: true, pending: [], unknown: ['2999-01-01-001-future'] });
        await expect(one.migrate()).rejects.toThrow(MigrationError);
        await expect(one.migrate()).rejects.toThrow('2999-01-01-001-future');
        expect(await getOutcomes(one.storeMessages([createMessage()]))).toEqual(['stored']);
      });

      test('four instances may migrate at once, and each migration runs once', async () => {
        const all = repeat(4, () => open());
        const ran = await Promise.all(all.map((one) => one.migrate()));
        expect(ran.flat().sort()).toEqual([...MIGRATION_NAMES].sort());
        for (const one of all) expect((await one.getSchemaStatus()).current).toBe(true);
        const names = await onEmpty((knex) => knex('knex_migrations').pluck('name'));
        expect(names.sort()).toEqual([...MIGRATION_NAMES].sort());
        expect(await onEmpty((knex) => knex('knex_migrations_lock').pluck('is_locked'))).toEqual([0]);
        expect(await onEmpty((knex) => knex('server_fees').pluck('delivery_fee'))).toHaveLength(3);
      });

      test('a lock that nobody gives back ends in an error that says what to do', async () => {
        const one = open({ migrationLockTimeoutMs: 300 });
        await onEmpty(async (knex) => {
          await knex.migrate.up({ migrationSource });
          await knex('knex_migrations_lock').update({ is_locked: 1 });
        });
        const failure = await one.migrate().catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(MigrationError);
        expect((failure as Error).message).toContain('UPDATE knex_migrations_lock SET is_locked = 0');
        await onEmpty((knex) => knex('knex_migrations_lock').update({ is_locked: 0 }));
        expect(await one.migrate()).toEqual(MIGRATION_NAMES.slice(1));
      });

      test('a lock that is given back in time is waited for', async () => {
        await onEmpty(async (knex) => {
          await knex.migrate.up({ migrationSource });
          await knex('knex_migrations_lock').update({ is_locked: 1 });
        });
        let waiting: Promise<string[]> | undefined;
        const refused = await new Promise<string>((resolve) => {
          const one = openStore(empty.config, { info: () => {}, warn: (_, text) => resolve(text) });
          opened.push(one);
          waiting = one.migrate();
        });
        expect(refused).toMatch(/locked/);
        await onEmpty((knex) => knex('knex_migrations_lock').update({ is_locked: 0 }));
        expect(await waiting).toEqual(MIGRATION_NAMES.slice(1));
      });

      test('without a schema every call says that the store is unavailable', async () => {
        const one = open();
        await one.ping();
        await expect(one.storeMessages([createMessage()])).rejects.toThrow(StoreUnavailableError);
        await expect(one.listMessages({ recipient: ALICE, messageBox: 'inbox', maxBytes: 1 })).rejects.toThrow(
          StoreUnavailableError,
        );
        await expect(one.claimRequest(createClaim(new Date()))).rejects.toThrow(StoreUnavailableError);
      });
    });

    describe('closing', () => {
      test('a closed store refuses everything, and may be closed again', async () => {
        const one = openStore(fixture.config);
        await one.ping();
        await one.close();
        await one.close();
        const calls: (() => Promise<unknown>)[] = [
          () => one.ping(),
          () => one.storeMessages([createMessage()]),
          () => one.listMessages({ recipient: ALICE, messageBox: 'inbox', maxBytes: 1 }),
          () => one.acknowledgeMessages(ALICE, ['x']),
          () => one.claimRequest(createClaim(new Date())),
          () => one.purgeClaims(new Date(), 1),
          () => one.getSchemaStatus(),
          () => one.migrate(),
        ];
        for (const call of calls) await expect(call()).rejects.toThrow(StoreUnavailableError);
      });

      test('counts its connections, and reports none when it is closed', async () => {
        const one = openStore(fixture.config);
        await one.ping();
        expect(one.connections()).toEqual({ used: 0, idle: 1, waiting: 0 });
        await one.close();
        expect(one.connections()).toEqual({ used: 0, idle: 0, waiting: 0 });
      });

      test('settles the calls that were under way when it closed', async () => {
        const one = openStore(fixture.config);
        const sends = repeat(30, () => one.storeMessages([createMessage({ messageBox: box })]));
        const closed = one.close();
        const results = await Promise.allSettled(sends);
        await closed;
        const stored = results.filter(({ status }) => status === 'fulfilled').length;
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(StoreUnavailableError);
        }
        expect((await list()).messages).toHaveLength(stored);
      });
    });
  });
}
