import {
  type Amount,
  QuotaExceededError,
  type QuotaLimits,
  type StorageCharge,
  StorageQuotas,
  type UsageReader,
} from '../src/quotas/index.js';

const NONE = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
const UNBOUNDED: QuotaLimits = { inbox: NONE, sender: NONE, pair: NONE };

/** A database: rows, and how often they were summed up. */
class Rows implements UsageReader {
  readonly rows: StorageCharge[] = [];
  reads = 0;
  /** Called before a sum is made. */
  before: () => Promise<void> = async () => undefined;

  inbox = (recipient: string) => this.#sum((row) => row.recipient === recipient);
  sender = (sender: string) => this.#sum((row) => row.sender === sender);
  pair = (recipient: string, sender: string) =>
    this.#sum((row) => row.recipient === recipient && row.sender === sender);

  async #sum(isMeant: (row: StorageCharge) => boolean): Promise<Amount> {
    this.reads += 1;
    await this.before();
    const meant = this.rows.filter(isMeant);
    return { messages: meant.length, bytes: meant.reduce((sum, { bytes }) => sum + bytes, 0) };
  }
}

let database: Rows;
let time: number;

beforeEach(() => {
  database = new Rows();
  time = 0;
});

/** Time passes when somebody waits for it. */
const pause = async (ms: number) => {
  const end = time + ms;
  await new Promise(setImmediate);
  time = Math.max(time, end);
};
const process = (limits: Partial<QuotaLimits>, capacity?: number) =>
  new StorageQuotas({
    limits: { ...UNBOUNDED, ...limits },
    usage: database,
    now: () => time,
    pause,
    ...(capacity === undefined ? {} : { capacity }),
  });
const charge = (over: Partial<StorageCharge> = {}): StorageCharge => ({
  recipient: 'bob',
  sender: 'alice',
  bytes: 5,
  isAllowed: false,
  ...over,
});
/** Stores as the rule does it: reserved, written after a turn, settled. */
async function store(quotas: StorageQuotas, ...charges: StorageCharge[]): Promise<void> {
  const reservation = await quotas.reserve(charges);
  await new Promise(setImmediate);
  database.rows.push(...charges);
  reservation.settle();
}
const refusal = async (work: Promise<unknown>) => {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof QuotaExceededError)) throw new Error(`not refused: ${String(error)}`);
  const { quota, resource, limit, recipient } = error;
  return { quota, resource, limit, recipient };
};

test.each<[keyof QuotaLimits, Partial<StorageCharge>, string | undefined]>([
  ['inbox', { sender: 'carol' }, 'bob'],
  ['sender', { recipient: 'carol' }, undefined],
  ['pair', {}, 'bob'],
])('the quota of the %s takes what fits exactly and refuses one more', async (quota, other, recipient) => {
  const quotas = process({ [quota]: { messages: 3, bytes: 1_000 } });
  for (let n = 0; n < 3; n++) await store(quotas, charge(n === 0 ? {} : other));
  expect(await refusal(quotas.reserve([charge(other)]))).toEqual({ quota, resource: 'messages', limit: 3, recipient });
  expect(database.rows).toHaveLength(3);
});

test('bytes are bounded like messages', async () => {
  const quotas = process({ inbox: { messages: 100, bytes: 10 } });
  await store(quotas, charge({ bytes: 6 }));
  expect(await refusal(quotas.reserve([charge({ bytes: 5 })]))).toMatchObject({ resource: 'bytes', limit: 10 });
  await store(quotas, charge({ bytes: 4 }));
});

test('a pair whose recipient allows the sender, and oneself, have no quota of their own', async () => {
  const quotas = process({ pair: { messages: 1, bytes: 100 } });
  for (let n = 0; n < 3; n++) await store(quotas, charge({ isAllowed: true }), charge({ sender: 'bob' }));
  expect(database.rows).toHaveLength(6);
});

test('a batch is charged once for each message, and refused whole with the recipient who has no room', async () => {
  const quotas = process({ inbox: { messages: 2, bytes: 100 }, sender: { messages: 5, bytes: 100 } });
  await store(quotas, charge({ recipient: 'carol', sender: 'x' }), charge({ recipient: 'carol', sender: 'y' }));
  const toBoth = [charge(), charge({ recipient: 'carol' })];
  expect(await refusal(quotas.reserve(toBoth))).toMatchObject({ quota: 'inbox', recipient: 'carol' });
  // Nothing of it was reserved: all that the others may have is still there.
  await store(quotas, charge(), charge());
  const many = ['d', 'e', 'f', 'g'].map((recipient) => charge({ recipient }));
  expect(await refusal(quotas.reserve(many))).toMatchObject({ quota: 'sender', recipient: undefined });
  await store(quotas, ...many.slice(1));
});

test('without bounds nothing is read', async () => {
  const quotas = process({});
  for (let n = 0; n < 100; n++) await store(quotas, charge({ bytes: 1e9 }));
  expect(database.reads).toBe(0);
});

test('far from the bound one send in a hundred reads, and the first fifty of a quota none', async () => {
  const quotas = process({ inbox: { messages: 10_000, bytes: 1e9 } });
  for (let n = 0; n < 50; n++) await store(quotas, charge());
  expect(database.reads).toBe(0);
  for (let n = 0; n < 1_000; n++) await store(quotas, charge());
  expect(database.reads).toBeLessThanOrEqual(11);
});

test('what is given up counts no more', async () => {
  const quotas = process({ inbox: { messages: 1, bytes: 100 } });
  const reservation = await quotas.reserve([charge()]);
  reservation.release();
  await store(quotas, charge());
});

test('a reservation is exchanged for a larger one, or for nothing when there is no room', async () => {
  const quotas = process({ inbox: { messages: 10, bytes: 100 } });
  const reservation = await quotas.reserve([charge({ bytes: 90 })]);
  await reservation.replace([charge({ bytes: 100 })]);
  expect(await refusal(reservation.replace([charge({ bytes: 101 })]))).toMatchObject({ resource: 'bytes' });
  reservation.release();
  await store(quotas, charge({ bytes: 100 }));
});

test('a refusal is remembered for a second, then the rows are asked again', async () => {
  const quotas = process({ inbox: { messages: 1, bytes: 100 } });
  await store(quotas, charge());
  await refusal(quotas.reserve([charge()]));
  const { reads } = database;
  database.rows.length = 0;
  time = 999;
  await refusal(quotas.reserve([charge()]));
  expect(database.reads).toBe(reads);
  time = 1_000;
  await store(quotas, charge());
});

test('an acknowledgement that this process sees makes room at once', async () => {
  const quotas = process({ inbox: { messages: 1, bytes: 100 } });
  await store(quotas, charge());
  await refusal(quotas.reserve([charge()]));
  database.rows.length = 0;
  quotas.freed('bob');
  await store(quotas, charge());
});

test('sends that need the same sum at the same moment share one reading', async () => {
  const quotas = process({ inbox: { messages: 100, bytes: 1e6 } });
  await Promise.all(Array.from({ length: 12 }, () => store(quotas, charge())));
  expect(database.reads).toBeLessThanOrEqual(3);
  expect(database.rows).toHaveLength(12);
});

test('near the bound sends wait for one another, and the bound is met exactly', async () => {
  const quotas = process({ inbox: { messages: 20, bytes: 1e6 } });
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => store(quotas, charge())));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
  expect(database.rows).toHaveLength(20);
});

test.each([
  [1_000, 5],
  [10_000, 100],
])('fifty senders through two processes store %d within 2 %%', async (limit, bytes) => {
  const quotas = [
    process({ inbox: { messages: limit, bytes: 1e9 } }),
    process({ inbox: { messages: limit, bytes: 1e9 } }),
  ];
  await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const own = quotas[n % 2] as StorageQuotas;
      for (;;) {
        try {
          await store(own, charge({ sender: `sender ${n}`, bytes }));
        } catch (error) {
          if (error instanceof QuotaExceededError) return;
          throw error;
        }
      }
    }),
  );
  expect(Math.abs(database.rows.length - limit)).toBeLessThanOrEqual(limit * 0.02);
});

test('a process that begins anew knows nothing and is right after its first reading', async () => {
  const limits = { inbox: { messages: 1_000, bytes: 1e9 } };
  database.rows.push(...Array.from({ length: 1_000 }, () => charge()));
  const quotas = process(limits);
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => store(quotas, charge())));
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(5);
});

test('what can not be read refuses nobody for good and reserves nothing', async () => {
  const quotas = process({ inbox: { messages: 1, bytes: 100 } });
  database.before = async () => {
    throw new Error('away');
  };
  await expect(quotas.reserve([charge()])).rejects.toThrow('away');
  database.before = async () => undefined;
  await store(quotas, charge());
});

test('a send that waits too long for others near the bound is refused', async () => {
  const limits = { ...UNBOUNDED, inbox: { messages: 2, bytes: 100 } };
  const quotas = new StorageQuotas({ limits, usage: database, maxWaitMs: 1 });
  const held = await quotas.reserve([charge()]);
  expect(await refusal(quotas.reserve([charge()]))).toMatchObject({ quota: 'inbox', limit: 2 });
  held.release();
  await store(quotas, charge());
});

test('a quota that is nearly used up is not read again and again, however often it is sent to', async () => {
  database.rows.push(...Array.from({ length: 9_998 }, () => charge()));
  const quotas = process({ inbox: { messages: 10_000, bytes: 1e9 } });
  for (let n = 0; n < 50; n++) await store(quotas, charge({ recipient: 'carol' }));
  for (let n = 0; n < 100; n++) {
    // Sent and acknowledged, again and again, by somebody who is both.
    await store(quotas, charge());
    database.rows.pop();
    quotas.freed('bob');
  }
  expect(database.reads).toBeLessThanOrEqual(time / 50 + 2);
  expect(database.reads).toBeGreaterThan(10);
});

test('no more accounts are remembered than there is room for', async () => {
  const quotas = process({ inbox: { messages: 200, bytes: 1e6 } }, 2);
  await store(quotas, charge({ recipient: 'a' }));
  await store(quotas, charge({ recipient: 'b' }));
  await store(quotas, charge({ recipient: 'c' }));
  expect(database.reads).toBe(0);
  // Of the first, nothing is known any more: it may admit one without reading, once again.
  await store(quotas, charge({ recipient: 'a' }));
  expect(database.reads).toBe(0);
  await store(quotas, charge({ recipient: 'a' }));
  expect(database.reads).toBe(1);
});
