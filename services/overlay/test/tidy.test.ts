import { Transaction } from '@bsv/sdk';
import { createLogger, type StoreConfig } from '@messagebox/shared';
import { ChainUnavailableError, type MerkleProof, parseProof } from '@messagebox/wallet';
import { createDatabase, describeWithMysql } from '../../../tests/support/with-mysql.js';
import { type Tidied, tidy } from '../src/engine/tidy.js';
import { bytesOf, TestChain } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

const A = 'https://a.mailboxes.org';
const TOPIC = ['tm_messagebox'];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** @param store default: SQLite */
function suite(createStore?: () => Promise<{ config: StoreConfig; drop(): Promise<void> }>) {
  const chain = new TestChain();
  /** What the network knows of. */
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
  const run = (after: number, signal?: AbortSignal): Promise<Tidied> =>
    tidy({
      engine: host.engine,
      storage: host.storage,
      chain: { proof },
      log: createLogger('overlay', false, { write: () => {} }),
      now: () => Date.now() + after,
      ...(signal === undefined ? {} : { signal }),
    });
  const submit = async (transaction: Transaction) =>
    (await host.engine.apply(bytesOf(transaction), TOPIC))[TOPIC[0] ?? ''];
  const mine = (transaction: Transaction) => mined.set(transaction.id('hex'), chain.mine(transaction));
  const found = async ({ identityKey }: Person) => await host.found({ identityKey });

  test('what is in a block by now is proven, kept without its ancestors, and stays', async () => {
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

  test('a revocation is proven too, though nothing is kept of it but that it was', async () => {
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

  test('what is in no block after 30 days is removed with all that was kept for it, and can come again', async () => {
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

  test('what was revoked by it can come again', async () => {
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

  /** As many as the chain is asked for in one run, and before what comes after them. */
  const flood = async () => {
    for (let n = 0; n < 100; n++) {
      await host.storage.claimApplied(n.toString(16).padStart(64, '0'), TOPIC[0] ?? '', false, Date.now() - HOUR);
    }
  };

  test('what the chain has not been asked for is not taken for what is in no block', async () => {
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

  test('it is removed after 90 days all the same', async () => {
    await flood();
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    await submit(ad);
    expect(await run(91 * DAY)).toEqual({ proven: 0, forgotten: 101 });
    expect(asked).not.toContain(ad.id('hex'));
    expect(await found(alice)).toEqual([]);
  });

  test('while the chain can not be asked, nothing is removed', async () => {
    for (let i = 0; i < 3; i++) await submit(await new Person().advertise(chain, A));
    down = true;
    for (const after of [31 * DAY, 31 * DAY + HOUR]) expect(await run(after)).toEqual({ proven: 0, forgotten: 0 });
    expect(asked).toHaveLength(2);
    down = false;
    expect(await run(31 * DAY + 2 * HOUR)).toEqual({ proven: 0, forgotten: 3 });
  });

  test('one that the chain can not be asked for does not keep it from being asked for others', async () => {
    for (let i = 0; i < 2; i++) await submit(await new Person().advertise(chain, A));
    down = true;
    for (let i = 0; i < 2; i++) await run(2 * HOUR);
    expect(new Set(asked).size).toBe(2);
  });

  test('it ends when it is told to', async () => {
    await submit(await new Person().advertise(chain, A));
    expect(await run(31 * DAY, AbortSignal.abort())).toEqual({ proven: 0, forgotten: 0 });
    expect(asked).toEqual([]);
  });

  test('what is there is counted', async () => {
    await submit(await new Person().advertise(chain, A));
    await submit(await new Person().advertise(chain, A));
    await submit(chain.mine(await new Person().advertise(chain, A)));
    expect(await Promise.all([host.storage.countApplied(true, 10), host.storage.countApplied(false, 10)])).toEqual([
      1, 2,
    ]);
    expect(await host.storage.countApplied(false, 1)).toBe(1);
  });
}

describe('tidying on SQLite', () => suite());
describeWithMysql('tidying on MySQL', () => suite(createDatabase));
