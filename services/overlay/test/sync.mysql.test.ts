import type { Transaction } from '@bsv/sdk';
import { createLogger, PublicFetch } from '@messagebox/shared';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import { type PeerSyncResult, Synchroniser, type SynchroniserOptions } from '../src/gasp/synchroniser.js';
import { TestChain, toBeefBytes } from './support/chain.js';
import { endlessAnswer, type FakePeer, jsonAnswer, startPeer } from './support/fake-peer.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

const A = 'https://a.mailboxes.org';
const B = 'https://b.mailboxes.org';
const LIST = '/requestSyncResponse';
const NODE = '/requestForeignGASPNode';

const fetch = new PublicFetch('local');
const silent = createLogger('test', 'info', { write: () => {} });
let chain: TestChain;
/** The host that synchronises. */
let host: Host;

beforeEach(async () => {
  chain = new TestChain();
  host = await startHost(chain, { network: 'local' });
});
afterEach(() => host.close());
afterAll(() => fetch.close());

const submit = (to: Host, transaction: Transaction, topic = 'tm_messagebox') =>
  to.engine.apply(toBeefBytes(transaction), [topic]);

const synchroniser = (peers: string[], options: Partial<SynchroniserOptions> = {}) =>
  new Synchroniser({
    engine: host.engine,
    storage: host.storage,
    sql: host.sql,
    fetch,
    network: 'local',
    peers,
    trackers: [],
    self: [host.url],
    metrics: host.metrics,
    log: silent,
    ...options,
  });
const sync = (peers: string[], options: Partial<SynchroniserOptions> = {}) => synchroniser(peers, options).run();

/** The result of one topic. */
const of = (done: readonly PeerSyncResult[], topic = 'tm_messagebox') => {
  const found = done.filter((one) => one.topic === topic);
  if (found.length !== 1) throw new Error(`${found.length} times ${topic}`);
  return found[0];
};
const hostsOf = async (at: Host, person: Person) =>
  (await at.found({ identityKey: person.identityKey })).map((found) => found.split(' ')[1]);

describe('synchronising with a real host', () => {
  let peer: Host;
  beforeEach(async () => {
    peer = await startHost(chain, { network: 'local' });
  });
  afterEach(() => peer.close());

  test('one run copies all advertisements, and keeps their order', async () => {
    const [alice, bob] = [new Person(), new Person()];
    const first = await alice.advertise(chain, A);
    const second = await alice.advertise(chain, B, [{ transaction: first, index: 0 }]);
    await submit(peer, first);
    await submit(peer, second);
    // An advertisement in no block could be a copy of a revoked one, so this one is mined.
    await submit(peer, chain.mine(await alice.advertise(chain, A)));
    await submit(peer, chain.mine(await bob.advertise(chain, A)));
    const server = new Person();
    await submit(
      peer,
      await server.transaction(chain, [await server.serviceAd('SHIP', A, 'tm_messagebox')]),
      'tm_ship',
    );
    await submit(
      peer,
      await server.transaction(chain, [await server.serviceAd('SLAP', A, 'ls_messagebox')]),
      'tm_slap',
    );

    const done = await sync([peer.url]);
    expect(done.map(({ topic, admitted }) => [topic, admitted])).toEqual([
      ['tm_ship', 1],
      ['tm_slap', 1],
      ['tm_messagebox', 3],
    ]);
    expect(await hostsOf(peer, alice)).toEqual([A, B]);
    expect(await hostsOf(host, alice)).toEqual([A, B]);
    expect(await hostsOf(host, bob)).toEqual([A]);
    for (const service of ['ls_ship', 'ls_slap']) {
      expect((await host.engine.lookup({ service, query: 'findAll' })).outputs).toHaveLength(1);
    }
    // A replaced advertisement must not become valid again here.
    expect((await submit(host, first))['tm_messagebox']?.outputsToAdmit).toEqual([]);
    const { values } = await host.metrics.overlaySyncedOutputs.get();
    expect(values.find(({ labels }) => labels['outcome'] === 'admitted' && labels['topic'] === 'tm_ship')?.value).toBe(
      1,
    );
  });

  test('a second run lists only new outputs, and fetches no known one', async () => {
    const alice = new Person();
    await submit(peer, await alice.advertise(chain, A));
    await sync([peer.url]);
    const mark = peer.log.length;
    await submit(peer, await alice.advertise(chain, B));
    expect(of(await sync([peer.url]))).toMatchObject({ known: 1, admitted: 1 });
    const nodes = peer.log.slice(mark).filter((line) => line.includes(`"path":"${NODE}"`));
    expect(nodes).toHaveLength(2); // the new one and what paid for it
    const since = await host.storage.syncState.find(peer.url, 'tm_messagebox');
    expect(since).toBeGreaterThan(Date.now() - 60_000);
    expect(since).toBeLessThanOrEqual(Date.now());
  });

  test('two hosts that are peers of each other both hold everything, and then stop copying', async () => {
    const [alice, bob] = [new Person(), new Person()];
    await submit(peer, await alice.advertise(chain, A));
    await submit(host, await bob.advertise(chain, B));
    const back = { engine: peer.engine, storage: peer.storage, sql: peer.sql, self: [peer.url] };
    expect(of(await sync([peer.url]))).toMatchObject({ admitted: 1 });
    expect(of(await sync([host.url], back))).toMatchObject({ known: 1, admitted: 1 });
    expect(of(await sync([peer.url]))).toMatchObject({ known: 2, admitted: 0, refused: 0 });
    for (const at of [host, peer]) {
      expect([await hostsOf(at, alice), await hostsOf(at, bob)]).toEqual([[A], [B]]);
    }
  });

  test('a known revocation keeps a stale advertisement of a peer out', async () => {
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    await submit(peer, ad);
    await submit(host, ad);
    await submit(host, await alice.transaction(chain, [], [{ transaction: ad, index: 0 }]));
    expect(of(await sync([peer.url]))).toMatchObject({ known: 1, admitted: 0 });
    expect(await hostsOf(host, alice)).toEqual([]);
  });

  test('peers are found by advertisements and SLAP trackers, and this host is never its own peer', async () => {
    const alice = new Person();
    await submit(peer, await alice.advertise(chain, A));
    const server = new Person();
    const ship = await server.transaction(
      chain,
      await Promise.all(
        [peer.url, `${peer.url}/`, host.url, `${host.url}/`].map((url) =>
          server.serviceAd('SHIP', url, 'tm_messagebox'),
        ),
      ),
    );
    await submit(host, ship, 'tm_ship');
    expect((await sync([host.url])).map(({ peer: origin, topic }) => [origin, topic])).toEqual([
      [peer.url, 'tm_messagebox'],
    ]);
    expect(await hostsOf(host, alice)).toEqual([A]);

    const tracker = await startHost(chain, { network: 'local' });
    const other = await startHost(chain, { network: 'local' });
    await submit(tracker, ship, 'tm_ship');
    await submit(
      tracker,
      await server.transaction(chain, [await server.serviceAd('SLAP', tracker.url, 'ls_ship')]),
      'tm_slap',
    );
    const parts = { engine: other.engine, storage: other.storage, sql: other.sql, self: [host.url] };
    const done = await sync([], { ...parts, trackers: [tracker.url] });
    expect(done.map(({ peer: origin }) => origin)).toEqual([peer.url]);
    expect(await hostsOf(other, alice)).toEqual([A]);
    await other.close();
    await tracker.close();
  });

  test('other peers are asked while the trackers are unavailable', async () => {
    const alice = new Person();
    await submit(peer, await alice.advertise(chain, A));
    const gone = await startPeer();
    await gone.close();
    expect(of(await sync([peer.url], { trackers: [gone.url] }))).toMatchObject({ admitted: 1 });
  });

  test('outputs are fetched again in the next run when the chain was unavailable', async () => {
    const alice = new Person();
    await submit(peer, await alice.advertise(chain, A));
    chain.down = true;
    expect(of(await sync([peer.url]))).toMatchObject({ admitted: 0, failed: 1, problem: expect.any(String) });
    chain.down = false;
    expect(of(await sync([peer.url]))).toMatchObject({ admitted: 1, failed: 0 });
    expect(await hostsOf(host, alice)).toEqual([A]);
  });

  test('an aborted run ends early', async () => {
    expect(await synchroniser([peer.url]).run(AbortSignal.abort())).toEqual([]);
  });
});

describeWithMysql('on MySQL', () => {
  test('a peer whose normalized address is too long is skipped, and others are asked', async () => {
    const store = await createMysqlDatabase();
    const here = await startHost(chain, { network: 'local', store: store.config });
    const honest = await startHost(chain, { network: 'local' });
    const hostile = await startPeer();
    try {
      const domain = `http://127.1:${new URL(hostile.url).port}/`.padEnd(255, 'a');
      const ads = [{ txid: 'ab'.repeat(32), outputIndex: 0, score: 1_000 }];
      hostile.answers[`${new URL(domain).pathname}${LIST}`] = jsonAnswer({ UTXOList: ads, since: 0 });
      const [mallory, alice] = [new Person(), new Person()];
      const ship = await mallory.transaction(chain, [await mallory.serviceAd('SHIP', domain, 'tm_ship')]);
      expect((await submit(here, ship, 'tm_ship'))['tm_ship']?.outputsToAdmit).toEqual([0]);
      await submit(honest, await alice.advertise(chain, A));
      const done = await sync([honest.url], { engine: here.engine, storage: here.storage, sql: here.sql });
      expect(new Set(done.map(({ peer: origin }) => origin))).toEqual(new Set([honest.url]));
      expect(await hostsOf(here, alice)).toEqual([A]);
    } finally {
      await hostile.close();
      await honest.close();
      await here.close();
      await store.drop();
    }
  });
});

describe('a peer that is broken or hostile', () => {
  let peer: FakePeer;
  beforeEach(async () => {
    peer = await startPeer();
  });
  afterEach(() => peer.close());

  const limits = { requestMs: 500, topicMs: 5_000 };
  const list = (...utxos: unknown[]) => jsonAnswer({ UTXOList: utxos, since: 0 });
  const utxo = (transaction: Transaction, score = 1_000, outputIndex = 0) => ({
    txid: transaction.id('hex'),
    outputIndex,
    score,
  });
  /** Serves transactions, or what `instead` has for them. */
  const nodes =
    (transactions: readonly Transaction[], instead: Record<string, unknown> = {}): (typeof peer.answers)[string] =>
    (response, body, request) => {
      const txid = String(body['txid']);
      const found = transactions.find((one) => one.id('hex') === txid);
      const node = found && { rawTx: found.toHex(), proof: found.merklePath?.toHex(), ...body };
      const answer = instead[txid] ?? node;
      jsonAnswer(answer ?? { status: 'error' }, answer === undefined ? 400 : 200)(response, body, request);
    };
  /** Only `tm_messagebox` has a list; the other topics are empty. */
  const onlyMessageBox =
    (answer: (typeof peer.answers)[string]): (typeof peer.answers)[string] =>
    (response, body, request) => {
      const isIt = request.headers['x-bsv-topic'] === 'tm_messagebox';
      (isIt ? answer : list())(response, body, request);
    };

  async function expectNothing(outcome: object, parts: Partial<SynchroniserOptions> = {}): Promise<void> {
    const before = await host.rows();
    expect(of(await sync([peer.url], { limits, ...parts }))).toMatchObject({ admitted: 0, ...outcome });
    expect(await host.rows()).toEqual(before);
    // The next peer is asked.
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    peer.answers[LIST] = onlyMessageBox(list(utxo(ad, Date.now())));
    peer.answers[NODE] = nodes([ad, ...ad.inputs.flatMap(({ sourceTransaction }) => sourceTransaction ?? [])]);
    expect(of(await sync([peer.url], { limits }))).toMatchObject({ admitted: 1 });
    expect(await hostsOf(host, alice)).toEqual([A]);
  }

  test.each<[string, () => (typeof peer.answers)[string]]>([
    ['no such path', () => jsonAnswer({}, 404)],
    ['an error', () => jsonAnswer({}, 500)],
    ['garbage', () => (response) => response.end('<html>')],
    ['null', () => jsonAnswer(null)],
    ['no list', () => jsonAnswer({ UTXOList: 'x' })],
    ['an endless list', () => endlessAnswer('application/json')],
    ['silence', () => () => {}],
    [
      'a redirect to this very host',
      () => (response) => response.writeHead(307, { location: `${host.url}${LIST}` }).end(),
    ],
  ])('does no harm when it answers a list with %s', async (_name, make) => {
    peer.answers[LIST] = onlyMessageBox(make());
    await expectNothing({ refused: 0, failed: 0, problem: expect.any(String) });
  });

  test('has invalid entries of its list ignored, and the others fetched', async () => {
    const alice = new Person();
    const ads = await Promise.all([A, B].map((url) => alice.advertise(chain, url)));
    const [first, second] = ads.map((ad) => utxo(ad));
    const txid = 'ab'.repeat(32);
    peer.answers[LIST] = onlyMessageBox(
      list(
        null,
        7,
        [],
        { txid: '../../etc', outputIndex: 0, score: 1 },
        { txid: txid.toUpperCase(), outputIndex: 0, score: 1 },
        // The published packages list outputs that they admitted before scores existed without one.
        { ...first, score: null },
        { txid, outputIndex: -1, score: 1 },
        { txid, outputIndex: 0.5, score: 1 },
        { txid, outputIndex: 0, score: 'x' },
        { txid, outputIndex: 0, score: -1 },
        { txid, outputIndex: 0, score: 1.5 },
        { ...second, score: undefined },
      ),
    );
    peer.answers[NODE] = nodes(
      ads.flatMap((ad) => [ad, ...ad.inputs.flatMap((input) => input.sourceTransaction ?? [])]),
    );
    expect(of(await sync([peer.url]))).toEqual({
      peer: peer.url,
      topic: 'tm_messagebox',
      known: 0,
      admitted: 2,
      refused: 0,
      failed: 0,
    });
    expect((await hostsOf(host, alice)).sort()).toEqual([A, B]);
  });

  describe('an output in a block that the chain does not know yet', () => {
    const HOUR = 3_600_000;
    const alice = new Person();
    let early: Transaction;
    /** A later output. Both are too old for the overlap that the next run lists again. */
    let later: Transaction;
    let time: number;
    let again: Synchroniser;
    let txids: string[];

    beforeEach(async () => {
      later = await alice.advertise(chain, B);
      chain.knownUpTo = chain.height;
      early = await alice.advertise(chain, A);
      const listed = [utxo(early, Date.now() - 3 * HOUR), utxo(later, Date.now() - HOUR)];
      peer.answers[LIST] = onlyMessageBox((response, body, request) => {
        list(...listed.filter(({ score }) => score >= Number(body['since'])))(response, body, request);
      });
      const all = [early, later].flatMap((ad) => [ad, ...ad.inputs.flatMap((input) => input.sourceTransaction ?? [])]);
      const honest = nodes(all);
      txids = [];
      peer.answers[NODE] = (response, body, request) => {
        txids.push(String(body['txid']));
        honest(response, body, request);
      };
      time = Date.now();
      again = synchroniser([peer.url], { now: () => time });
    });

    test('is fetched again, and admitted when the chain knows the block', async () => {
      expect(of(await again.run())).toMatchObject({ admitted: 1, refused: 1 });
      expect(await hostsOf(host, alice)).toEqual([B]);
      expect(of(await again.run())).toMatchObject({ known: 1, refused: 1 });
      chain.knownUpTo = chain.height;
      expect(of(await again.run())).toMatchObject({ known: 1, admitted: 1 });
      expect(await hostsOf(host, alice)).toEqual([B, A]);
    });

    test('is not fetched again after a day', async () => {
      await again.run();
      time += 23 * HOUR;
      expect(of(await again.run())).toMatchObject({ known: 1, refused: 1 });
      time += 2 * HOUR;
      expect(of(await again.run())).toMatchObject({ known: 1, refused: 1 });
      txids.length = 0;
      expect(of(await again.run())).toMatchObject({ known: 1, refused: 0 });
      expect(txids).toEqual([]);
    });
  });

  test('delays one run when it does not answer, and no second run starts meanwhile', async () => {
    const end = new AbortController();
    const one = synchroniser([peer.url]);
    let first: Promise<PeerSyncResult[]> | undefined;
    await new Promise<void>((asked) => {
      peer.answers[LIST] = () => asked();
      first = one.run(end.signal);
    });
    expect(await one.run()).toEqual([]);
    expect(peer.asked).toEqual([LIST]);
    end.abort();
    expect(await first).toHaveLength(1);
    // The next run can start.
    peer.answers[LIST] = list();
    expect(await one.run()).toHaveLength(3);
  });

  test('has an output refused that it does not send, or for which it sends something else', async () => {
    const alice = new Person();
    const [ad, other] = [await alice.advertise(chain, A), await alice.advertise(chain, B)];
    const txid = ad.id('hex');
    peer.answers[LIST] = onlyMessageBox(list(utxo(ad)));
    for (const instead of [
      null,
      {},
      { rawTx: 1 },
      { rawTx: '' },
      { rawTx: 'zz' },
      { rawTx: '00' },
      { rawTx: other.toHex() },
      { rawTx: `${ad.toHex()}00` },
      { rawTx: '01000000fdffff' },
      { rawTx: ad.toHex(), proof: 'ff' },
      { rawTx: ad.toHex(), proof: chain.fund().merklePath?.toHex() },
      { rawTx: ad.toHex(), proof: 5 },
    ]) {
      peer.answers[NODE] = nodes([], { [txid]: instead });
      expect(of(await sync([peer.url], { limits }))).toMatchObject({ admitted: 0, refused: 1, failed: 0 });
    }
    peer.answers[NODE] = nodes([]);
    await expectNothing({ refused: 1, failed: 0 });
  });

  test('has an output refused that is no token, not proven, or spent already', async () => {
    const alice = new Person();
    const plain = await alice.transaction(chain, []);
    const unproven = await alice.advertise(chain, A);
    const source = unproven.inputs[0]?.sourceTransaction;
    const invented = new TestChain().mine(await alice.advertise(new TestChain(), B));
    const spent = await alice.advertise(chain, A);
    await submit(host, await alice.advertise(chain, B, [{ transaction: spent, index: 0 }]));
    peer.answers[LIST] = onlyMessageBox(list(utxo(plain), utxo(unproven), utxo(invented), utxo(spent)));
    const paidBy = (one: Transaction) => one.inputs.flatMap((input) => input.sourceTransaction ?? []);
    const all = [plain, ...paidBy(plain), unproven, invented, spent, ...paidBy(spent)];
    // Without a merkle path, its funding needs an ancestor that does not exist.
    peer.answers[NODE] = nodes(all, { [source?.id('hex') ?? '']: { rawTx: source?.toHex() } });
    await expectNothing({ refused: 4, failed: 0 });
  });

  test('has an output with endless ancestors refused', async () => {
    const chainOf: Transaction[] = [];
    let tip = chain.fund();
    const alice = new Person();
    for (let i = 0; i < 250; i++) {
      const next = await alice.transaction(chain, [], [], tip);
      chainOf.push(next);
      tip = next;
    }
    peer.answers[LIST] = onlyMessageBox(list(utxo(tip)));
    peer.answers[NODE] = nodes(chainOf);
    expect(of(await sync([peer.url], { limits }))).toMatchObject({ refused: 1 });
    expect(peer.asked.filter((path) => path === NODE).length).toBeLessThanOrEqual(202);
  });

  test('has an unavailable output fetched again in the next run, and the others fetched now', async () => {
    const alice = new Person();
    const ads = await Promise.all([1, 2, 3].map((n) => alice.advertise(chain, `${A}/${n}`)));
    const all = ads.flatMap((ad) => [ad, ...ad.inputs.flatMap((input) => input.sourceTransaction ?? [])]);
    // These are hours old, so the next run would not list them again without a reason.
    const times = [3, 2, 1].map((hours) => Date.now() - hours * 3_600_000);
    peer.answers[LIST] = onlyMessageBox((response, body, request) => {
      const listed = ads.map((ad, i) => utxo(ad, times[i])).filter(({ score }) => score >= Number(body['since']));
      list(...listed)(response, body, request);
    });
    let broken = true;
    const honest = nodes(all);
    peer.answers[NODE] = (response, body, request) => {
      if (broken && body['txid'] === ads[1]?.id('hex')) jsonAnswer({}, 503)(response, body, request);
      else honest(response, body, request);
    };
    expect(of(await sync([peer.url], { limits }))).toMatchObject({ admitted: 2, failed: 1, refused: 0 });
    expect(await host.storage.syncState.find(peer.url, 'tm_messagebox')).toBe(times[1]);
    broken = false;
    expect(of(await sync([peer.url], { limits }))).toMatchObject({ admitted: 1, failed: 0 });
    expect(await host.storage.syncState.find(peer.url, 'tm_messagebox')).toBe(times[2]);
    expect(of(await sync([peer.url], { limits }))).toMatchObject({ known: 1, admitted: 0 });
    expect(await hostsOf(host, alice)).toEqual([3, 2, 1].map((n) => `${A}/${n}`));
  });

  describe('with more failing outputs than the limit of a run', () => {
    const alice = new Person();
    const HOUR = 3_600_000;
    const paidBy = (one: Transaction) => one.inputs.flatMap((input) => input.sourceTransaction ?? []);
    /** Lists these an hour apart, because each run lists the last minutes again. */
    const listHourly = (transactions: readonly { id(encoding: 'hex'): string }[]) => {
      const all = transactions.map((one, index) => ({
        txid: one.id('hex'),
        outputIndex: 0,
        score: Date.now() - (transactions.length - index) * HOUR,
      }));
      peer.answers[LIST] = onlyMessageBox((response, body, request) => {
        list(...all.filter(({ score }) => score >= Number(body['since'])))(response, body, request);
      });
    };

    test('has too large outputs refused, and later ones admitted in the same run', async () => {
      const ad = await alice.advertise(chain, A);
      const large = Array.from({ length: 6 }, (_, n) => ({ id: () => n.toString(16).padStart(64, '0') }));
      listHourly([...large, ad]);
      const tooLarge = { rawTx: '00'.repeat(1_150_000) };
      const instead = Object.fromEntries(large.map((one) => [one.id(), tooLarge]));
      peer.answers[NODE] = nodes([ad, ...paidBy(ad)], instead);
      expect(of(await sync([peer.url]))).toMatchObject({ admitted: 1, refused: 6, failed: 0 });
      expect(await hostsOf(host, alice)).toEqual([A]);
    });

    test('has outputs that exceed the remaining bytes fetched in a later run, after the others', async () => {
      const [early, later] = [await alice.advertise(chain, A), await alice.advertise(chain, B)];
      listHourly([early, later]);
      peer.answers[NODE] = nodes([early, later, ...paidBy(early), ...paidBy(later)], {
        [early.id('hex')]: { rawTx: early.toHex(), and: 'x'.repeat(100_000) },
      });
      const again = synchroniser([peer.url], { limits: { ...limits, bytes: 50_000 } });
      const outcomes = [of(await again.run()), of(await again.run())];
      expect(outcomes).toMatchObject([
        { admitted: 0, refused: 0, failed: 1, problem: expect.stringContaining('used up') },
        { admitted: 1, refused: 0, failed: 1, problem: expect.stringContaining('used up') },
      ]);
      expect(await hostsOf(host, alice)).toEqual([B]);
      expect(of(await sync([peer.url]))).toMatchObject({ known: 1, admitted: 1 });
    });

    test('has outputs of an unavailable block skipped, and admitted when the chain answers', async () => {
      const unasked = await Promise.all(Array.from({ length: 12 }, (_, n) => alice.advertise(chain, `${A}/${n}`)));
      const ad = await alice.advertise(chain, B);
      listHourly([...unasked, ad]);
      peer.answers[NODE] = nodes([...unasked, ad].flatMap((one) => [one, ...paidBy(one)]));
      chain.silentOf = new Set(unasked.flatMap(paidBy).map((one) => one.id('hex')));
      const again = synchroniser([peer.url]);
      for (let run = 0; run < 2; run++) expect(of(await again.run())).toMatchObject({ admitted: 0, failed: 5 });
      expect(of(await again.run())).toMatchObject({ admitted: 1, failed: 7 });
      expect(await hostsOf(host, alice)).toEqual([B]);
      chain.silentOf = new Set();
      expect(of(await again.run())).toMatchObject({ known: 1, admitted: 12, failed: 0 });
    });
  });

  test('ends its run after 5 failures in a row when it goes down', async () => {
    const alice = new Person();
    const ads = await Promise.all(Array.from({ length: 10 }, (_, i) => alice.advertise(chain, `${A}/${i}`)));
    peer.answers[LIST] = onlyMessageBox(list(...ads.map((ad) => utxo(ad))));
    peer.answers[NODE] = jsonAnswer({}, 500);
    await expectNothing({ failed: 5, problem: expect.stringContaining('500') });
  });

  test('ends its run when it lists thousands of outputs and sends none', async () => {
    const utxos = Array.from({ length: 2_500 }, (_, i) => ({
      txid: i.toString(16).padStart(64, '0'),
      outputIndex: 0,
      score: 1_000 + Math.floor(i / 3),
    }));
    peer.answers[LIST] = onlyMessageBox((response, body, request) => {
      const page = utxos.filter(({ score }) => score >= Number(body['since'])).slice(0, Number(body['limit']));
      list(...page)(response, body, request);
    });
    peer.answers[NODE] = jsonAnswer({}, 400);
    expect(of(await sync([peer.url]))).toMatchObject({ refused: 2_500, admitted: 0 });
    expect(peer.asked.filter((path) => path === LIST).length).toBeLessThan(10);
    expect(await host.storage.syncState.find(peer.url, 'tm_messagebox')).toBe(1_000 + Math.floor(2_499 / 3));
  });

  test('cannot exceed the limits of requests and bytes', async () => {
    const utxos = Array.from({ length: 100 }, (_, i) => ({
      txid: i.toString(16).padStart(64, '0'),
      outputIndex: 0,
      score: i,
    }));
    peer.answers[LIST] = onlyMessageBox(list(...utxos));
    peer.answers[NODE] = jsonAnswer({}, 400);
    expect(of(await sync([peer.url], { limits: { ...limits, requests: 20 } }))).toMatchObject({
      refused: 19,
      failed: 1,
      problem: expect.stringContaining('used up'),
    });
    peer.answers[NODE] = jsonAnswer({ rawTx: 'ab'.repeat(5_000) });
    const bounded = of(await sync([peer.url], { limits: { ...limits, bytes: 100_000 } }));
    expect(bounded?.problem).toMatch(/used up|more than/);
  });

  test('cannot hide later outputs by a clock that is ahead', async () => {
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    peer.answers[LIST] = onlyMessageBox(list(utxo(ad, 2 ** 52)));
    peer.answers[NODE] = nodes([ad, ...ad.inputs.flatMap((input) => input.sourceTransaction ?? [])]);
    expect(of(await sync([peer.url]))).toMatchObject({ admitted: 1 });
    expect(await host.storage.syncState.find(peer.url, 'tm_messagebox')).toBeLessThanOrEqual(Date.now());
    // Its outputs don't become newer than later ones either.
    await submit(host, await alice.advertise(chain, B));
    expect(await hostsOf(host, alice)).toEqual([B, A]);
  });

  test('is not asked at a private address on a public network', async () => {
    const main = new PublicFetch('main');
    peer.answers[LIST] = list();
    const done = await sync([peer.url], { fetch: main, network: 'main', trackers: [] });
    expect(done.map(({ problem }) => problem)).toEqual(new Array(3).fill('The address is not https.'));
    expect(peer.asked).toEqual([]);
    await main.close();
  });
});
