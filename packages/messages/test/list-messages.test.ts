import { type MessageStore, openStore } from '@messagebox/store';
import { type ListMessagesOptions, listMessages } from '../src/list-messages.js';
import type { EncodedMessage, ListedMessage } from '../src/listed-message.js';
import { RuleError } from '../src/rule-error.js';

const ALICE = `02${'a'.repeat(64)}`;
const BOB = `03${'b'.repeat(64)}`;
const MEBIBYTE = 1_048_576;
const LIST_MAX_BYTES = 15_000_000;

let store: MessageStore;
let ids = 0;

beforeEach(async () => {
  store = openStore({ client: 'better-sqlite3', filename: ':memory:' });
  await store.migrate();
});
afterEach(() => store.close());

async function fill(bodies: readonly string[]): Promise<string[]> {
  const messages = bodies.map((body) => ({
    recipient: ALICE,
    messageBox: 'inbox',
    messageId: `id ${++ids}`,
    sender: BOB,
    body,
  }));
  await store.storeMessages(messages);
  return messages.map(({ messageId }) => messageId);
}

/** Lists Alice's box, and parses the answer as a client does. */
async function listInbox(parts: ListMessagesOptions, paging: object) {
  const { messages, ...rest } = await listMessages(parts, ALICE, { messageBox: 'inbox', ...paging });
  const decode = ({ pieces }: EncodedMessage): ListedMessage => JSON.parse(Buffer.concat(pieces).toString());
  return { ...rest, messages: messages.map(decode) };
}

const ask = (paging: object, maxBytes = LIST_MAX_BYTES) => listInbox({ store, maxBytes }, paging);
const codeOf = (paging: object) =>
  ask(paging).then(
    () => 'answered',
    (error: unknown) => (error instanceof RuleError ? error.code : error),
  );

/** Reads as today's clients do: on to `nextOffset` while `hasMore` is true. */
async function readByOffset(paging: object = {}): Promise<{ ids: string[]; sizes: number[]; counts: number[] }> {
  const read: { ids: string[]; sizes: number[]; counts: number[] } = { ids: [], sizes: [], counts: [] };
  for (let offset: number | null = 0; offset !== null; ) {
    const answer = await ask({ offset, ...paging });
    if (!('nextOffset' in answer)) throw new Error('the answer has no nextOffset');
    if (read.counts.length === 100) throw new Error('the pages never end');
    read.ids.push(...answer.messages.map(({ messageId }) => messageId));
    read.counts.push(answer.messages.length);
    read.sizes.push(Buffer.byteLength(JSON.stringify(answer)));
    expect(answer.hasMore).toBe(answer.nextOffset !== null);
    if (answer.nextOffset !== null) expect(answer.nextOffset).toBe(offset + answer.messages.length);
    offset = answer.nextOffset;
  }
  return read;
}

test('answers a page by offset with its offset, its limit and the start of the next page', async () => {
  const all = await fill(Array.from({ length: 5 }, () => 'hello'));
  expect(await ask({ offset: 1, limit: 2 })).toMatchObject({
    status: 'success',
    messages: [{ messageId: all[1] }, { messageId: all[2] }],
    limit: 2,
    offset: 1,
    nextOffset: 3,
    hasMore: true,
  });
  expect(await ask({ offset: 0 })).toMatchObject({ limit: 1_000, offset: 0, nextOffset: null, hasMore: false });
  const nothing = { status: 'success', messages: [], limit: 1_000, offset: 9, nextOffset: null, hasMore: false };
  expect(await ask({ offset: 9 })).toEqual(nothing);
  expect(await ask({ skip: 9 })).toEqual(nothing);
  expect(await ask({ skip: 9, offset: 9 })).toEqual(nothing);
});

test('answers a request without offset with a cursor, and without fields of offsets', async () => {
  const all = await fill(['one', 'two', 'three']);
  const first = await ask({ limit: 2 });
  expect(Object.keys(first).sort()).toEqual(['hasMore', 'messages', 'next', 'status']);
  expect(await ask({ after: 'next' in first ? first.next : '' })).toMatchObject({ messages: [{ messageId: all[2] }] });
  expect(Object.keys(await ask({})).sort()).toEqual(['messages', 'status']);
});

test.each([
  ['quotes, which take two bytes each', '"'],
  ['control characters, which take six', '\u0001'],
  ['characters of four bytes', '📬'],
])('limits a page to 1 MiB of JSON for any bodies: %s', async (_what, character) => {
  const all = await fill(Array.from({ length: 40 }, () => character.repeat(50_000)));
  const read = await readByOffset();
  expect(read.ids).toEqual(all);
  expect(Math.max(...read.sizes)).toBeLessThanOrEqual(MEBIBYTE + 1_000);
});

test('limits a page of 1,000 small messages with ids that grow in JSON to 1 MiB', async () => {
  const messages = Array.from({ length: 1_000 }, (_, n) => ({
    recipient: ALICE,
    messageBox: 'inbox',
    messageId: `${'\u0001'.repeat(250)}${String(n).padStart(4)}`,
    sender: BOB,
    body: 'x',
  }));
  await store.storeMessages(messages);
  const read = await readByOffset();
  expect(read.ids).toEqual(messages.map(({ messageId }) => messageId));
  expect(Math.max(...read.sizes)).toBeLessThanOrEqual(MEBIBYTE + 1_000);
});

test('returns a message larger than a page alone, and loses none around it', async () => {
  const all = await fill(['small', 'x'.repeat(4 * MEBIBYTE), 'small', '\u0001'.repeat(MEBIBYTE), 'small']);
  const read = await readByOffset();
  expect(read.ids).toEqual(all);
  expect(read.counts).toEqual([1, 1, 1, 1, 1]);
});

test('limits pages by offset to a smaller LIST_MAX_BYTES', async () => {
  await fill(Array.from({ length: 10 }, () => 'x'.repeat(1_000)));
  expect((await ask({ offset: 0 }, 5_000)).messages).toHaveLength(3);
});

test('limits the JSON of an answer without offset to LIST_MAX_BYTES', async () => {
  const all = await fill(Array.from({ length: 20 }, () => '"'.repeat(1_000_000)));
  const answer = await ask({});
  expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(LIST_MAX_BYTES + 1_000);
  expect(answer).toMatchObject({ hasMore: true });
  await store.acknowledgeMessages(
    ALICE,
    answer.messages.map(({ messageId }) => messageId),
  );
  const seen = [...answer.messages, ...(await readRest())].map(({ messageId }) => messageId);
  expect(seen).toEqual(all);
});

async function readRest(): Promise<{ messageId: string }[]> {
  const answer = await ask({});
  await store.acknowledgeMessages(
    ALICE,
    answer.messages.map(({ messageId }) => messageId),
  );
  return answer.hasMore === true ? [...answer.messages, ...(await readRest())] : answer.messages;
}

test('marks a page as the last one when the next offset would be refused', async () => {
  const page = async (count: number) => {
    const messages = Array.from({ length: count }, (_, n) => ({
      messageId: `id ${n}`,
      sender: BOB,
      body: 'x',
      createdAt: new Date(),
      updatedAt: new Date(),
      cursor: String(n),
    }));
    const long = { listMessages: async () => ({ messages, hasMore: true }) } as unknown as MessageStore;
    return await listInbox({ store: long, maxBytes: LIST_MAX_BYTES }, { offset: 99_990 });
  };
  expect(await page(10)).toMatchObject({ hasMore: true, nextOffset: 100_000 });
  expect(await page(11)).toMatchObject({ hasMore: false, nextOffset: null });
});

test('finds one message by its id, with and without an offset', async () => {
  const [, wanted] = await fill(['one', 'two', 'three']);
  const messages = [{ messageId: wanted, body: 'two' }];
  expect(await ask({ messageId: wanted })).toMatchObject({ messages });
  expect(await ask({ messageId: wanted, offset: 0 })).toMatchObject({ messages, hasMore: false, nextOffset: null });
  expect((await ask({ messageId: 'unknown' })).messages).toEqual([]);
});

test.each<[string, object]>([
  ...[-1, 0.5, 100_001, '0', '', null, true, [], [0], {}, Number.NaN, Number.POSITIVE_INFINITY].flatMap(
    (offset): [string, object][] => [
      ['ERR_INVALID_OFFSET', { offset }],
      ['ERR_INVALID_OFFSET', { skip: offset }],
    ],
  ),
  ['ERR_INVALID_OFFSET', { offset: 1, skip: 2 }],
  ['ERR_INVALID_OFFSET', { offset: 1, skip: null }],
  ...[-1, 0, 1.5, 1_001, '1', null, Number.NaN].map((limit): [string, object] => [
    'ERR_INVALID_LIMIT',
    { offset: 0, limit },
  ]),
  ['ERR_INVALID_LIMIT', { limit: 10_001 }],
  ['ERR_INVALID_AFTER', { offset: 0, after: '5' }],
  ...['', ' ', 'x'.repeat(257), '\ud800', 'a\0b', 7, null, [], ['id 1']].flatMap((messageId): [string, object][] => [
    ['ERR_INVALID_MESSAGEID', { messageId }],
    ['ERR_INVALID_MESSAGEID', { messageId, offset: 0 }],
  ]),
])('answers %s for %j', async (code, paging) => {
  expect(await codeOf(paging)).toBe(code);
});

test.each([
  { offset: 0 },
  { offset: 100_000, limit: 1_000 },
  { limit: 10_000 },
  { messageId: 'x'.repeat(256) },
  { messageId: '📬'.repeat(255) },
])('accepts values at the limits: %j', async (paging) => {
  expect(await codeOf(paging)).toBe('answered');
});

describe('an answer without offset that is larger than a page', () => {
  const reserving = async (bodies: readonly string[], maxBytes: number, paging: object = {}) => {
    const all = await fill(bodies);
    const reserved: number[] = [];
    const parts = { store, maxBytes, reserve: (bytes: number) => void reserved.push(bytes) };
    const answer = await listInbox(parts, paging);
    return { all, reserved, ids: answer.messages.map(({ messageId }) => messageId), answer };
  };
  const halves = (count: number) => Array.from({ length: count }, () => 'x'.repeat(MEBIBYTE / 2));

  test('is read after its bytes were reserved, and has every message once, in order', async () => {
    const { all, ids, reserved, answer } = await reserving(halves(9), LIST_MAX_BYTES);
    expect(ids).toEqual(all);
    expect(reserved).toEqual([LIST_MAX_BYTES]);
    expect(answer).not.toHaveProperty('hasMore');
  });

  test('keeps to its limit of messages and of bytes', async () => {
    const { all, ids, answer } = await reserving(halves(9), LIST_MAX_BYTES, { limit: 4 });
    expect(ids).toEqual(all.slice(0, 4));
    expect(answer).toMatchObject({ hasMore: true });
    const bounded = await ask({}, 2 * MEBIBYTE);
    expect(bounded.messages.map(({ messageId }) => messageId)).toEqual(all.slice(0, 3));
    expect(bounded).toMatchObject({ hasMore: true });
    expect(await ask({ after: 'next' in bounded ? bounded.next : '' })).toMatchObject({
      messages: all.slice(3).map((messageId) => ({ messageId })),
    });
  });

  test('leaves a message that does not fit to the next answer', async () => {
    const bodies = ['x'.repeat(900_000), 'y'.repeat(3 * MEBIBYTE), 'z'];
    const { all, ids, answer } = await reserving(bodies, 2 * MEBIBYTE);
    expect(ids).toEqual(all.slice(0, 1));
    expect(await ask({ after: 'next' in answer ? answer.next : '' })).toMatchObject({
      messages: all.slice(1).map((messageId) => ({ messageId })),
    });
  });

  test('is not read when its bytes cannot be reserved', async () => {
    await fill(halves(9));
    const reserve = () => {
      throw new Error('no room');
    };
    const storeList = jest.spyOn(store, 'listMessages');
    await expect(
      listMessages({ store, maxBytes: LIST_MAX_BYTES, reserve }, ALICE, { messageBox: 'inbox' }),
    ).rejects.toThrow('no room');
    expect(storeList).toHaveBeenCalledTimes(1);
  });

  test('reserves nothing when all messages fit into a page', async () => {
    expect((await reserving(['x'.repeat(500_000), 'y'], LIST_MAX_BYTES)).reserved).toEqual([]);
  });
});

describe('large bodies', () => {
  /** Listed as a client reads them, whatever the pieces in which they were encoded. */
  test.each([
    ['of one piece', 'x'.repeat(65_536)],
    ['of several pieces', 'x'.repeat(300_000)],
    ['with quotes and control characters', '"\\\n\u0001'.repeat(60_000)],
    ['with characters outside the basic plane at every position', `a${'📬'.repeat(100_000)}`],
    ['with the same at the other positions', '📬'.repeat(100_000)],
  ])('%s are listed as they were stored', async (_, body) => {
    await fill([body, 'after']);
    expect((await ask({})).messages.map((message) => message.body)).toEqual([body, 'after']);
    expect((await ask({ offset: 0 })).messages[0]?.body).toBe(body);
  });

  test('are read when it is their turn, and a list without any waits for nothing', async () => {
    const asked: number[] = [];
    const parts = { store, maxBytes: LIST_MAX_BYTES, waitToRead: async (bytes: number) => void asked.push(bytes) };
    await fill(['small', 'x'.repeat(16_384)]);
    await listInbox(parts, {});
    expect(asked).toEqual([]);
    await fill(['x'.repeat(20_000), 'y'.repeat(30_000), 'z'.repeat(2 * MEBIBYTE)]);
    await listInbox(parts, {});
    expect(asked).toEqual([50_000, 2 * MEBIBYTE]);
  });

  test('are not read when their turn is refused', async () => {
    await fill(['x'.repeat(20_000)]);
    const read = jest.spyOn(store, 'readBodies');
    const waitToRead = () => Promise.reject(new Error('not now'));
    await expect(listInbox({ store, maxBytes: LIST_MAX_BYTES, waitToRead }, {})).rejects.toThrow('not now');
    expect(read).not.toHaveBeenCalled();
  });

  test.each([{}, { offset: 0 }])(
    'that are acknowledged while they wait are left out, with paging %j',
    async (paging) => {
      const ids = await fill(['x'.repeat(MEBIBYTE), 'y'.repeat(20_000), 'z']);
      const gone = [ids.slice(0, 1)];
      const waitToRead = async () => void (await store.acknowledgeMessages(ALICE, gone.pop() ?? []));
      const answer = await listInbox({ store, maxBytes: LIST_MAX_BYTES, waitToRead }, paging);
      expect(answer.messages.map(({ messageId }) => messageId)).toEqual(ids.slice(1));
    },
  );
});
