import { Transaction } from '@bsv/sdk';
import { createLogger } from '@messagebox/shared';
import type { StoreConfig } from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import { ChainUnavailableError, type MerkleProof, parseProof } from '@messagebox/transactions';
import { type PruneResult, pruneOverlay } from '../src/engine/prune-overlay.js';
import { TestChain, toBeefBytes } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

const A = 'https://a.mailboxes.org';
const TOPIC = ['tm_messagebox'];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** @param store default: SQLite */
function suite(createStore?: () => Promise<{ config: StoreConfig; drop(): Promise<void> }>) {
  const chain = new TestChain();
  /** The transactions that the chain has a merkle path of. */
  const mined = new Map<string, Transaction>();
  let asked: string[] = [];
  let down = false;
  let store: { config: StoreConfig; drop(): Promise<void> } | undefined;
  let host: Host;

  beforeEach(async () => {
    store = await createStore?.();
    host = await startHost(chain, store === undefined ? {} : { store: store.config });
    asked = [];
    down = false;
  });
  afterEach(async () => {
    await host.close();
    await store?.drop();
  });

  async function proof(txid: string): Promise<MerkleProof | undefined> {
    asked.push(txid);
    if (down) throw new ChainUnavailableError(new Error('away'));
    const path = mined.get(txid)?.merklePath;
    return path && parseProof(Uint8Array.from(path.toBinary()));
  }
  const run = (after: number, signal?: AbortSignal): Promise<PruneResult> =>
    pruneOverlay({
      engine: host.engine,
      storage: host.storage,
      chain: { findProof: proof },
      log: createLogger('overlay', 'info', { write: () => {} }),
      now: () => Date.now() + after,
      ...(signal === undefined ? {} : { signal }),
    });
  const submit = async (transaction: Transaction) =>
    (await host.engine.apply(toBeefBytes(transaction), TOPIC))[TOPIC[0] ?? ''];
  const mine = (transaction: Transaction) => mined.set(transaction.id('hex'), chain.mine(transaction));
  const found = async ({ identityKey }: Person) => await host.found({ identityKey });

  test('a mined transaction is proven, stored without its ancestors, and never removed', async () => {
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    await submit(ad);
    mine(ad);
    expect(await run(2 * HOUR)).toEqual({ proven: 1, forgotten: 0 });
    const { outputs } = await host.engine.lookup({
      service: 'ls_messagebox',
      query: { identityKey: alice.identityKey },
    });
    const beef = Transaction.fromBEEF([...(outputs[0]?.beef ?? [])]);
    expect(await beef.verify(chain)).toBe(true);
    expect(beef.inputs[0]?.sourceTransaction).toBeUndefined();
    expect(await run(31 * DAY)).toEqual({ proven: 0, forgotten: 0 });
    expect(await found(alice)).toHaveLength(1);
    expect(asked).toEqual([ad.id('hex')]);
  });

  test('a mined revocation is proven, although its BEEF is not stored', async () => {
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    await submit(ad);
    const revocation = await alice.transaction(chain, [], [{ transaction: ad, index: 0 }]);
    await submit(revocation);
    mine(ad);
    mine(revocation);
    expect(await run(2 * HOUR)).toEqual({ proven: 2, forgotten: 0 });
    expect(await run(31 * DAY)).toEqual({ proven: 0, forgotten: 0 });
    expect((await submit(ad))?.outputsToAdmit).toEqual([]);
  });

  test('a transaction in no block is removed after 30 days, and can be submitted again', async () => {
    const alice = new Person();
    const before = await host.rows();
    const ad = await alice.advertise(chain, A);
    await submit(ad);
    expect(await run(29 * DAY)).toEqual({ proven: 0, forgotten: 0 });
    expect(await found(alice)).toHaveLength(1);
    expect(await run(31 * DAY)).toEqual({ proven: 0, forgotten: 1 });
    expect(await host.rows()).toEqual(before);
    expect((await submit(ad))?.outputsToAdmit).toEqual([0]);
  });

  test('an advertisement can be submitted again when its revocation is removed', async () => {
    const alice = new Person();
    const ad = chain.mine(await alice.advertise(chain, A));
    await submit(ad);
    await submit(await alice.transaction(chain, [], [{ transaction: ad, index: 0 }]));
    expect(await run(31 * DAY)).toEqual({ proven: 0, forgotten: 1 });
    expect((await submit(ad))?.outputsToAdmit).toEqual([0]);
  });

  test('the chain is asked after a quarter of an hour, each half an hour for two hours, and then once a day', async () => {
    await submit(await new Person().advertise(chain, A));
    for (const after of [0, 0.2 * HOUR]) await run(after);
    expect(asked).toHaveLength(0);
    for (const after of [0.3 * HOUR, 0.7 * HOUR]) await run(after);
    expect(asked).toHaveLength(1);
    for (const after of [0.9 * HOUR, 2.1 * HOUR]) await run(after);
    expect(asked).toHaveLength(3);
    for (const after of [3 * HOUR, 25 * HOUR]) await run(after);
    expect(asked).toHaveLength(3);
    await run(27 * HOUR);
    expect(asked).toHaveLength(4);
  });

  /** Stores as many transactions as one run can ask for. They are due before later ones. */
  const flood = async () => {
    for (let n = 0; n < 100; n++) {
      await host.storage.applied.claim(n.toString(16).padStart(64, '0'), TOPIC[0] ?? '', false, Date.now() - HOUR);
    }
  };

  test('a transaction that the chain was not asked for is not removed after 30 days', async () => {
    await flood();
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    await submit(ad);
    mine(ad);
    expect(await run(31 * DAY)).toEqual({ proven: 0, forgotten: 100 });
    expect(asked).not.toContain(ad.id('hex'));
    expect(await found(alice)).toHaveLength(1);
    expect(await run(31 * DAY)).toEqual({ proven: 1, forgotten: 0 });
  });

  test('a transaction that the chain was not asked for is removed after 90 days', async () => {
    await flood();
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    await submit(ad);
    expect(await run(91 * DAY)).toEqual({ proven: 0, forgotten: 101 });
    expect(asked).not.toContain(ad.id('hex'));
    expect(await found(alice)).toEqual([]);
  });

  test('nothing is removed while the chain is unavailable', async () => {
    for (let i = 0; i < 3; i++) await submit(await new Person().advertise(chain, A));
    down = true;
    for (const after of [31 * DAY, 31 * DAY + HOUR]) expect(await run(after)).toEqual({ proven: 0, forgotten: 0 });
    expect(asked).toHaveLength(2);
    down = false;
    expect(await run(31 * DAY + 2 * HOUR)).toEqual({ proven: 0, forgotten: 3 });
  });

  test('a failed query does not prevent queries for other transactions', async () => {
    for (let i = 0; i < 2; i++) await submit(await new Person().advertise(chain, A));
    down = true;
    for (let i = 0; i < 2; i++) await run(2 * HOUR);
    expect(new Set(asked).size).toBe(2);
  });

  test('a run ends by its signal', async () => {
    await submit(await new Person().advertise(chain, A));
    expect(await run(31 * DAY, AbortSignal.abort())).toEqual({ proven: 0, forgotten: 0 });
    expect(asked).toEqual([]);
  });

  test('proven and unproven transactions are counted', async () => {
    await submit(await new Person().advertise(chain, A));
    await submit(await new Person().advertise(chain, A));
    await submit(chain.mine(await new Person().advertise(chain, A)));
    expect(await Promise.all([host.storage.applied.count(true, 10), host.storage.applied.count(false, 10)])).toEqual([
      1, 2,
    ]);
    expect(await host.storage.applied.count(false, 1)).toBe(1);
  });
}

describe('pruning on SQLite', () => suite());
describeWithMysql('pruning on MySQL', () => suite(createMysqlDatabase));
