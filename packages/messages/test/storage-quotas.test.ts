import { type StorageAmount, StoreUnavailableError } from '@messagebox/store';
import { QuotaExceededError, type QuotaLimits } from '../src/quotas/quota-limits.js';
import { type StorageCharge, StorageQuotas, type UsageReader } from '../src/quotas/storage-quotas.js';

const NONE = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
const UNBOUNDED: QuotaLimits = { inbox: NONE, sender: NONE, pair: NONE };

/** A database: rows, and the number of sums that were read. */
class Rows implements UsageReader {
  readonly rows: StorageCharge[] = [];
  reads = 0;
  /** Called before a sum is read. */
  before: (kind: keyof QuotaLimits) => Promise<void> = async () => undefined;

  readInboxUsage = (recipient: string) => this.#sum('inbox', (row) => row.recipient === recipient);
  readSenderUsage = (sender: string) => this.#sum('sender', (row) => row.sender === sender);
  readPairUsage = (recipient: string, sender: string) =>
    this.#sum('pair', (row) => row.recipient === recipient && row.sender === sender);

  async #sum(kind: keyof QuotaLimits, isMeant: (row: StorageCharge) => boolean): Promise<StorageAmount> {
    this.reads += 1;
    await this.before(kind);
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

/** The time, which advances only when a caller waits. */
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
/** Stores like the rule: reserves, writes after a turn of the event loop, settles. */
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
])('the quota of the %s admits exactly its limit and refuses one more', async (quota, other, recipient) => {
  const quotas = process({ [quota]: { messages: 3, bytes: 1_000 } });
  for (let n = 0; n < 3; n++) await store(quotas, charge(n === 0 ? {} : other));
  expect(await refusal(quotas.reserve([charge(other)]))).toEqual({ quota, resource: 'messages', limit: 3, recipient });
  expect(database.rows).toHaveLength(3);
});

test('limits bytes like messages', async () => {
  const quotas = process({ inbox: { messages: 100, bytes: 10 } });
  await store(quotas, charge({ bytes: 6 }));
  expect(await refusal(quotas.reserve([charge({ bytes: 5 })]))).toMatchObject({ resource: 'bytes', limit: 10 });
  await store(quotas, charge({ bytes: 4 }));
});

test('applies no pair quota to an allowed sender, or to messages to oneself', async () => {
  const quotas = process({ pair: { messages: 1, bytes: 100 } });
  for (let n = 0; n < 3; n++) await store(quotas, charge({ isAllowed: true }), charge({ sender: 'bob' }));
  expect(database.rows).toHaveLength(6);
});

test('charges a batch for each message, and refuses all of it when the quota of one recipient is exceeded', async () => {
  const quotas = process({ inbox: { messages: 2, bytes: 100 }, sender: { messages: 5, bytes: 100 } });
  await store(quotas, charge({ recipient: 'carol', sender: 'x' }), charge({ recipient: 'carol', sender: 'y' }));
  const toBoth = [charge(), charge({ recipient: 'carol' })];
  expect(await refusal(quotas.reserve(toBoth))).toMatchObject({ quota: 'inbox', recipient: 'carol' });
  // The refused batch reserved nothing, so the others can use the whole quota.
  await store(quotas, charge(), charge());
  const many = ['d', 'e', 'f', 'g'].map((recipient) => charge({ recipient }));
  expect(await refusal(quotas.reserve(many))).toMatchObject({ quota: 'sender', recipient: undefined });
  await store(quotas, ...many.slice(1));
});

test('reads nothing without limits', async () => {
  const quotas = process({});
  for (let n = 0; n < 100; n++) await store(quotas, charge({ bytes: 1e9 }));
  expect(database.reads).toBe(0);
});

test('reads at one send in a hundred when far from the limit, and at none of the first fifty', async () => {
  const quotas = process({ inbox: { messages: 10_000, bytes: 1e9 } });
  for (let n = 0; n < 50; n++) await store(quotas, charge());
  expect(database.reads).toBe(0);
  for (let n = 0; n < 1_000; n++) await store(quotas, charge());
  expect(database.reads).toBeLessThanOrEqual(11);
});

test('does not count a released reservation', async () => {
  const quotas = process({ inbox: { messages: 1, bytes: 100 } });
  const reservation = await quotas.reserve([charge()]);
  reservation.release();
  await store(quotas, charge());
});

test('replaces a reservation by a larger one, or by nothing when the quota is exceeded', async () => {
  const quotas = process({ inbox: { messages: 10, bytes: 100 } });
  const reservation = await quotas.reserve([charge({ bytes: 90 })]);
  await reservation.replace([charge({ bytes: 100 })]);
  expect(await refusal(reservation.replace([charge({ bytes: 101 })]))).toMatchObject({ resource: 'bytes' });
  reservation.release();
  await store(quotas, charge({ bytes: 100 }));
});

test('remembers a refusal for a second, then reads again', async () => {
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

test('admits again at once after an acknowledgement in the same process', async () => {
  const quotas = process({ inbox: { messages: 1, bytes: 100 } });
  await store(quotas, charge());
  await refusal(quotas.reserve([charge()]));
  database.rows.length = 0;
  quotas.noteFreed('bob');
  await store(quotas, charge());
});

test('shares one read among concurrent sends that need the same sum', async () => {
  const quotas = process({ inbox: { messages: 100, bytes: 1e6 } });
  await Promise.all(Array.from({ length: 12 }, () => store(quotas, charge())));
  expect(database.reads).toBeLessThanOrEqual(3);
  expect(database.rows).toHaveLength(12);
});

test('lets sends near the limit wait for each other, and fills the quota exactly', async () => {
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

test('a new process knows the use after its first read', async () => {
  const limits = { inbox: { messages: 1_000, bytes: 1e9 } };
  database.rows.push(...Array.from({ length: 1_000 }, () => charge()));
  const quotas = process(limits);
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => store(quotas, charge())));
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(5);
});

test('rejects while the use cannot be read, reserves nothing, and admits later', async () => {
  const quotas = process({ inbox: { messages: 1, bytes: 100 } });
  database.before = async () => {
    throw new Error('away');
  };
  await expect(quotas.reserve([charge()])).rejects.toThrow('away');
  database.before = async () => undefined;
  await store(quotas, charge());
});

test('refuses a send that waits too long for others that may use up the quota', async () => {
  const limits = { ...UNBOUNDED, inbox: { messages: 1, bytes: 100 } };
  const quotas = new StorageQuotas({ limits, usage: database, maxWaitMs: 1 });
  const held = await quotas.reserve([charge()]);
  expect(await refusal(quotas.reserve([charge()]))).toMatchObject({ quota: 'inbox', limit: 1 });
  held.release();
  await store(quotas, charge());
});

test('says that the store is not available when sends in flight take too long, and the quota has room for all', async () => {
  const limits = { ...UNBOUNDED, inbox: { messages: 1_000, bytes: 1e6 } };
  const quotas = new StorageQuotas({ limits, usage: database, maxWaitMs: 1 });
  const held = await Promise.all(Array.from({ length: 125 }, () => quotas.reserve([charge()])));
  await expect(quotas.reserve([charge()])).rejects.toBeInstanceOf(StoreUnavailableError);
  for (const reservation of held) reservation.release();
  await store(quotas, charge());
});

test('does not refuse because a sum takes long and others send meanwhile', async () => {
  const quotas = process({ sender: { messages: 10_000, bytes: 1e9 }, pair: { messages: 1_000, bytes: 1e8 } });
  for (let n = 0; n < 5; n++) await store(quotas, charge());
  // The quota of the pair is read next. Meanwhile the sender sends as much to others as is admitted without a read.
  let readsLeft = 4;
  database.before = async () => {
    time += 4_000;
    if (readsLeft-- === 4)
      for (let n = 0; n < 45; n++) await store(quotas, charge({ recipient: 'carol', isAllowed: true }));
  };
  await store(quotas, charge());
  expect(database.rows).toHaveLength(51);
});

test('reads a quota again together with one that became unsure meanwhile, so that the two cannot take turns', async () => {
  const share = { messages: 200, bytes: 1e6 };
  const quotas = process({ inbox: share, sender: share });
  await store(quotas, charge({ sender: 'dave' }));
  // While one quota is read, others use up what the other one admits without a read.
  const others = {
    inbox: [charge({ recipient: 'carol' })],
    sender: [charge({ sender: 'erin' }), charge({ sender: 'frank' })],
    pair: [],
  };
  const reads: string[] = [];
  database.before = async (kind) => {
    reads.push(kind);
    for (const other of others[kind].splice(0)) await store(quotas, other);
  };
  await store(quotas, charge());
  expect(reads).toEqual(['inbox', 'inbox', 'sender']);
  expect(database.rows).toHaveLength(5);
});

test('limits the reads of a quota that is nearly used up', async () => {
  database.rows.push(...Array.from({ length: 9_998 }, () => charge()));
  const quotas = process({ inbox: { messages: 10_000, bytes: 1e9 } });
  for (let n = 0; n < 50; n++) await store(quotas, charge({ recipient: 'carol' }));
  for (let n = 0; n < 100; n++) {
    // One identity sends to itself and acknowledges, many times.
    await store(quotas, charge());
    database.rows.pop();
    quotas.noteFreed('bob');
  }
  expect(database.reads).toBeLessThanOrEqual(time / 50 + 2);
  expect(database.reads).toBeGreaterThan(10);
});

test('remembers no more accounts than its capacity', async () => {
  const quotas = process({ inbox: { messages: 200, bytes: 1e6 } }, 2);
  await store(quotas, charge({ recipient: 'a' }));
  await store(quotas, charge({ recipient: 'b' }));
  await store(quotas, charge({ recipient: 'c' }));
  expect(database.reads).toBe(0);
  // The first account was evicted, so it may admit one message without a read again.
  await store(quotas, charge({ recipient: 'a' }));
  expect(database.reads).toBe(0);
  await store(quotas, charge({ recipient: 'a' }));
  expect(database.reads).toBe(1);
});
