import type { Transaction } from '@bsv/sdk';
import { createLogger } from '@messagebox/shared';
import { createDatabase, describeWithMysql } from '../../../tests/support/with-mysql.js';
import { type PeerSync, Synchroniser, type SynchroniserParts } from '../src/gasp/synchronise.js';
import { PublicFetch } from '../src/net/public-fetch.js';
import { bytesOf, TestChain } from './support/chain.js';
import { endlessAnswer, type FakePeer, jsonAnswer, startPeer } from './support/fake-peer.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

const A = 'https://a.mailboxes.org';
const B = 'https://b.mailboxes.org';
const LIST = '/requestSyncResponse';
const NODE = '/requestForeignGASPNode';

const fetch = new PublicFetch('local');
const silent = createLogger('test', false, { write: () => {} });
let chain: TestChain;
/** The one that synchronises. */
let host: Host;

beforeEach(async () => {
  chain = new TestChain();
  host = await startHost(chain, { network: 'local' });
});
afterEach(() => host.close());
afterAll(() => fetch.close());

const submit = (to: Host, transaction: Transaction, topic = 'tm_messagebox') =>
  to.engine.apply(bytesOf(transaction), [topic]);

const synchroniser = (peers: string[], parts: Partial<SynchroniserParts> = {}) =>
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
    ...parts,
  });
const sync = (peers: string[], parts: Partial<SynchroniserParts> = {}) => synchroniser(peers, parts).run();

/** What became of one topic. */
const of = (done: readonly PeerSync[], topic = 'tm_messagebox') => {
  const found = done.filter((one) => one.topic === topic);
  if (found.length !== 1) throw new Error(`${found.length} times ${topic}`);
  return found[0];
};
const hostsOf = async (at: Host, person: Person) =>
  (await at.found({ identityKey: person.identityKey })).map((found) => found.split(' ')[1]);

describe('a peer that is a real host', () => {
  let peer: Host;
  beforeEach(async () => {
    peer = await startHost(chain, { network: 'local' });
  });
  afterEach(() => peer.close());

  test('what was advertised there before is found here after one run, the newest first as there', async () => {
    const [alice, bob] = [new Person(), new Person()];
    const first = await alice.advertise(chain, A);
    const second = await alice.advertise(chain, B, [{ transaction: first, index: 0 }]);
    await submit(peer, first);
    await submit(peer, second);
    // In a block: in none it could be anybody's copy of what she has revoked.
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
    // What was replaced there can't come back here.
    expect((await submit(host, first))['tm_messagebox']?.outputsToAdmit).toEqual([]);
    const { values } = await host.metrics.overlaySyncedOutputs.get();
    expect(values.find(({ labels }) => labels['outcome'] === 'admitted' && labels['topic'] === 'tm_ship')?.value).toBe(
      1,
    );
  });

  test('what is known is not fetched again, and only what is new is listed', async () => {
    const alice = new Person();
    await submit(peer, await alice.advertise(chain, A));
    await sync([peer.url]);
    const mark = peer.log.length;
    await submit(peer, await alice.advertise(chain, B));
    expect(of(await sync([peer.url]))).toMatchObject({ known: 1, admitted: 1 });
    const nodes = peer.log.slice(mark).filter((line) => line.includes(`"path":"${NODE}"`));
    expect(nodes).toHaveLength(2); // the new one and what paid for it
    const since = await host.storage.getLastInteraction(peer.url, 'tm_messagebox');
    expect(since).toBeGreaterThan(Date.now() - 60_000);
    expect(since).toBeLessThanOrEqual(Date.now());
  });

  test("each is the other's peer: both hold everything, and nothing goes round", async () => {
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

  test("a spend that is known here keeps a peer's stale advertisement out", async () => {
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    await submit(peer, ad);
    await submit(host, ad);
    await submit(host, await alice.transaction(chain, [], [{ transaction: ad, index: 0 }]));
    expect(of(await sync([peer.url]))).toMatchObject({ known: 1, admitted: 0 });
    expect(await hostsOf(host, alice)).toEqual([]);
  });

  test('is found by being advertised here, or by SLAP trackers; this host is never its own peer', async () => {
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

  test('trackers that are away leave the other peers', async () => {
    const alice = new Person();
    await submit(peer, await alice.advertise(chain, A));
    const gone = await startPeer();
    await gone.close();
    expect(of(await sync([peer.url], { trackers: [gone.url] }))).toMatchObject({ admitted: 1 });
  });

  test('a chain that is away: tried again the next time', async () => {
    const alice = new Person();
    await submit(peer, await alice.advertise(chain, A));
    chain.down = true;
    expect(of(await sync([peer.url]))).toMatchObject({ admitted: 0, failed: 1, problem: expect.any(String) });
    chain.down = false;
    expect(of(await sync([peer.url]))).toMatchObject({ admitted: 1, failed: 0 });
    expect(await hostsOf(host, alice)).toEqual([A]);
  });

  test('an aborted run ends', async () => {
    expect(await synchroniser([peer.url]).run(AbortSignal.abort())).toEqual([]);
  });
});

describeWithMysql('on MySQL', () => {
  test('a peer whose address is too long when it is written in full is not asked, and keeps nobody out', async () => {
    const store = await createDatabase();
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
  /** Serves transactions honestly, unless `instead` has something for one. */
  const nodes =
    (transactions: readonly Transaction[], instead: Record<string, unknown> = {}): (typeof peer.answers)[string] =>
    (response, body, request) => {
      const txid = String(body['txid']);
      const found = transactions.find((one) => one.id('hex') === txid);
      const node = found && { rawTx: found.toHex(), proof: found.merklePath?.toHex(), ...body };
      const answer = instead[txid] ?? node;
      jsonAnswer(answer ?? { status: 'error' }, answer === undefined ? 400 : 200)(response, body, request);
    };
  /** Only for its messages do lists of this topic come; the others are empty. */
  const onlyMessageBox =
    (answer: (typeof peer.answers)[string]): (typeof peer.answers)[string] =>
    (response, body, request) => {
      const isIt = request.headers['x-bsv-topic'] === 'tm_messagebox';
      (isIt ? answer : list())(response, body, request);
    };

  async function expectNothing(outcome: object, parts: Partial<SynchroniserParts> = {}): Promise<void> {
    const before = await host.rows();
    expect(of(await sync([peer.url], { limits, ...parts }))).toMatchObject({ admitted: 0, ...outcome });
    expect(await host.rows()).toEqual(before);
    // And the next one is heard.
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
  ])('lists: %s', async (_name, make) => {
    peer.answers[LIST] = onlyMessageBox(make());
    await expectNothing({ refused: 0, failed: 0, problem: expect.any(String) });
  });

  test('what is no output in a list is left out, and takes nothing with it', async () => {
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
        // As the published packages list what they admitted before there were scores.
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
    /** What came after it, long enough ago that the next run would not look at either again by itself. */
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

    test('is asked for again, and found when the chain knows it', async () => {
      expect(of(await again.run())).toMatchObject({ admitted: 1, refused: 1 });
      expect(await hostsOf(host, alice)).toEqual([B]);
      expect(of(await again.run())).toMatchObject({ known: 1, refused: 1 });
      chain.knownUpTo = chain.height;
      expect(of(await again.run())).toMatchObject({ known: 1, admitted: 1 });
      expect(await hostsOf(host, alice)).toEqual([B, A]);
    });

    test('is given up after a day', async () => {
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

  test('one that is silent holds up one run, and no second one begins beside it', async () => {
    const end = new AbortController();
    const one = synchroniser([peer.url]);
    let first: Promise<PeerSync[]> | undefined;
    await new Promise<void>((asked) => {
      peer.answers[LIST] = () => asked();
      first = one.run(end.signal);
    });
    expect(await one.run()).toEqual([]);
    expect(peer.asked).toEqual([LIST]);
    end.abort();
    expect(await first).toHaveLength(1);
    // Then the next one may.
    peer.answers[LIST] = list();
    expect(await one.run()).toHaveLength(3);
  });

  test('an output that it does not have, or has something else for', async () => {
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

  test('an output that is not what the topic holds, is not proven, or is spent already', async () => {
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
    // Without a merkle path, what paid for it rests on something that nobody has.
    peer.answers[NODE] = nodes(all, { [source?.id('hex') ?? '']: { rawTx: source?.toHex() } });
    await expectNothing({ refused: 4, failed: 0 });
  });

  test('an output with ancestors without end', async () => {
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

  test('an output that can not be had now does not stop the others, and is asked for again', async () => {
    const alice = new Person();
    const ads = await Promise.all([1, 2, 3].map((n) => alice.advertise(chain, `${A}/${n}`)));
    const all = ads.flatMap((ad) => [ad, ...ad.inputs.flatMap((input) => input.sourceTransaction ?? [])]);
    // Hours ago, so that the next run would not look at them again by itself.
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
    expect(await host.storage.getLastInteraction(peer.url, 'tm_messagebox')).toBe(times[1]);
    broken = false;
    expect(of(await sync([peer.url], { limits }))).toMatchObject({ admitted: 1, failed: 0 });
    expect(await host.storage.getLastInteraction(peer.url, 'tm_messagebox')).toBe(times[2]);
    expect(of(await sync([peer.url], { limits }))).toMatchObject({ known: 1, admitted: 0 });
    expect(await hostsOf(host, alice)).toEqual([3, 2, 1].map((n) => `${A}/${n}`));
  });

  describe('more that does not come in than a run has patience for', () => {
    const alice = new Person();
    const HOUR = 3_600_000;
    const paidBy = (one: Transaction) => one.inputs.flatMap((input) => input.sourceTransaction ?? []);
    /** Lists these an hour apart, since runs look at the last minutes again anyway. */
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

    test('too large ones are refused, and what comes after them is found at once', async () => {
      const ad = await alice.advertise(chain, A);
      const large = Array.from({ length: 6 }, (_, n) => ({ id: () => n.toString(16).padStart(64, '0') }));
      listHourly([...large, ad]);
      const tooLarge = { rawTx: '00'.repeat(1_150_000) };
      const instead = Object.fromEntries(large.map((one) => [one.id(), tooLarge]));
      peer.answers[NODE] = nodes([ad, ...paidBy(ad)], instead);
      expect(of(await sync([peer.url]))).toMatchObject({ admitted: 1, refused: 6, failed: 0 });
      expect(await hostsOf(host, alice)).toEqual([A]);
    });

    test('too large for what is left: asked for another time, behind the others', async () => {
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

    test('those that the chain can not be asked for are passed in the next runs, and come in when it can', async () => {
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

  test('a peer that goes down in the middle is left alone after a few failures', async () => {
    const alice = new Person();
    const ads = await Promise.all(Array.from({ length: 10 }, (_, i) => alice.advertise(chain, `${A}/${i}`)));
    peer.answers[LIST] = onlyMessageBox(list(...ads.map((ad) => utxo(ad))));
    peer.answers[NODE] = jsonAnswer({}, 500);
    await expectNothing({ failed: 5, problem: expect.stringContaining('500') });
  });

  test('a list of thousands, in pages, of which nothing can be had', async () => {
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
    expect(await host.storage.getLastInteraction(peer.url, 'tm_messagebox')).toBe(1_000 + Math.floor(2_499 / 3));
  });

  test('requests and bytes have an end', async () => {
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

  test('a peer whose clock is ahead does not make us deaf to what comes later', async () => {
    const alice = new Person();
    const ad = await alice.advertise(chain, A);
    peer.answers[LIST] = onlyMessageBox(list(utxo(ad, 2 ** 52)));
    peer.answers[NODE] = nodes([ad, ...ad.inputs.flatMap((input) => input.sourceTransaction ?? [])]);
    expect(of(await sync([peer.url]))).toMatchObject({ admitted: 1 });
    expect(await host.storage.getLastInteraction(peer.url, 'tm_messagebox')).toBeLessThanOrEqual(Date.now());
    // Nor does it put its own in front of what comes later.
    await submit(host, await alice.advertise(chain, B));
    expect(await hostsOf(host, alice)).toEqual([B, A]);
  });

  test('on a public network a private peer is not asked at all', async () => {
    const main = new PublicFetch('main');
    peer.answers[LIST] = list();
    const done = await sync([peer.url], { fetch: main, network: 'main', trackers: [] });
    expect(done.map(({ problem }) => problem)).toEqual(new Array(3).fill('The address is not https.'));
    expect(peer.asked).toEqual([]);
    await main.close();
  });
});
