import type { Transaction } from '@bsv/sdk';
import { createLogger, PublicFetch } from '@messagebox/shared';
import type { OwnedAd } from '../../src/advertising/ads.js';
import type { OwnTransaction } from '../../src/advertising/own-transaction-store.js';
import { NotAcceptedError, Trackers } from '../../src/advertising/trackers.js';
import { TestChain } from '../support/chain.js';
import { type Host, startHost } from '../support/host.js';
import { Person, PROTOCOLS } from '../support/person.js';
import { answering, refusing, startTrackerFront, type TrackerFront, type Treatment } from '../support/tracker-front.js';

const ORIGIN = 'https://messagebox-one.com';
/** The address of a port without a listener. */
const NOBODY = 'http://127.0.0.1:1';
const GARBAGE: [string, Treatment][] = [
  ['text that is not JSON', answering('<html>')],
  ['an empty body', answering('')],
  ['an empty object', answering('{}')],
  ['null', answering('null')],
  ['a STEAK without lists', answering('{"tm_ship":{"outputsToAdmit":"0","coinsToRetain":[]}}')],
  ['a number', answering('7')],
  ['other bytes', answering('\u0009\u0001\u0002', 'application/octet-stream')],
  ['too much', answering(`"${'x'.repeat(5_000_000)}"`)],
  ['a redirect', () => ({ status: 302, body: '' })],
];

const chain = new TestChain();
const me = new Person();
const fetch = new PublicFetch('local');
const lines: string[] = [];
const closers: (() => unknown)[] = [];
let host: Host;
let front: TrackerFront;

beforeEach(async () => {
  host = await tracker();
  front = await frontOf(host);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  lines.length = 0;
});
afterAll(() => fetch.close());

async function tracker(): Promise<Host> {
  const started = await startHost(chain, { network: 'local' });
  closers.push(() => started.close());
  return started;
}

async function frontOf(target?: Host): Promise<TrackerFront> {
  const started = await startTrackerFront(target?.url);
  closers.push(() => started.close());
  return started;
}

function trackers(origins: readonly string[], self: string | undefined = undefined): Trackers {
  const made = new Trackers({
    origins,
    self,
    identityKey: me.identityKey,
    network: 'local',
    fetch,
    log: createLogger('test', 'debug', { write: (line) => void lines.push(line) }),
  });
  closers.push(() => made.close());
  return made;
}

interface Made extends OwnTransaction {
  readonly transaction: Transaction;
}

/** Advertises topic and service of `domain`, and revokes those of `spent`. */
async function advertise(domain = ORIGIN, spent?: Made, person = me): Promise<Made> {
  const outputs = [
    await person.serviceAd('SHIP', domain, 'tm_messagebox'),
    await person.serviceAd('SLAP', domain, 'ls_messagebox'),
  ];
  return made(await person.transaction(chain, outputs, spent === undefined ? [] : tokensOf(spent)), domain);
}

async function revoke(spent: Made): Promise<Made> {
  return { ...made(await me.transaction(chain, [], tokensOf(spent)), ''), created: [] };
}

function made(transaction: Transaction, domain: string): Made {
  const txid = transaction.id('hex');
  const ads: OwnedAd[] = [
    { txid, outputIndex: 0, ad: { protocol: 'SHIP', name: 'tm_messagebox', domain } },
    { txid, outputIndex: 1, ad: { protocol: 'SLAP', name: 'ls_messagebox', domain } },
  ];
  return { txid, beef: Buffer.from(transaction.toAtomicBEEF()), created: ads, transaction };
}

const tokensOf = ({ transaction }: Made) =>
  (['SHIP', 'SLAP'] as const).map((kind, index) => ({ transaction, index, protocol: PROTOCOLS[kind] }));

async function domainsAt({ engine }: Host, service = 'ls_ship'): Promise<number> {
  return (await engine.lookup({ service, query: { domain: ORIGIN } })).outputs.length;
}

describe('announcing transactions to trackers', () => {
  test('does nothing without trackers', async () => {
    expect(await trackers([]).announce([await advertise()])).toEqual([]);
    expect(await trackers([front.url], front.url).announce([await advertise()])).toEqual([]);
    expect(front.requests).toEqual([]);
  });

  test('is accepted by a tracker, also when the tracker knows the transaction', async () => {
    const ad = await advertise();
    expect(await trackers([host.url]).announce([ad])).toEqual([host.url]);
    expect(await domainsAt(host)).toBe(1);
    expect(await domainsAt(host, 'ls_slap')).toBe(1);
    expect(await trackers([host.url]).announce([ad])).toEqual([host.url]);
    expect(await domainsAt(host)).toBe(1);
  });

  test('succeeds when one of several trackers accepts, and tells all of them', async () => {
    const bad = await Promise.all([frontOf(), frontOf(), frontOf(), frontOf()]);
    for (const [n, treatment] of [refusing(500), refusing(400), 'close' as const, answering('{}')].entries()) {
      bad[n]?.treat(treatment, treatment);
    }
    const ad = await advertise();
    const origins = [...bad.map(({ url }) => url), NOBODY, host.url];
    expect(await trackers(origins).announce([ad])).toEqual([host.url]);
    for (const { submitted } of bad) expect(submitted).toEqual([ad.txid]);
    expect(lines.filter((line) => line.includes('did not accept'))).toHaveLength(5);
  });

  test('throws the reason of each tracker when none accepts', async () => {
    const other = await frontOf();
    front.treat(refusing(503, 'too busy'));
    other.treat('close', 'close');
    const showing = trackers([front.url, other.url, NOBODY]).announce([await advertise()]);
    await expect(showing).rejects.toThrow(NotAcceptedError);
    await expect(showing).rejects.toThrow(
      new RegExp(
        `^No tracker accepted .* ${front.url}: The host answers 503: too busy\\.; ${other.url}: .+; ${NOBODY}: .+`,
      ),
    );
    expect(await domainsAt(host)).toBe(0);
  });

  test.each(GARBAGE)('does not count %s as acceptance', async (_what, treatment) => {
    front.treat(treatment, treatment);
    await expect(trackers([front.url]).announce([await advertise()])).rejects.toThrow(NotAcceptedError);
  });

  test.each([
    ['nothing', { tm_ship: { outputsToAdmit: [], coinsToRetain: [] } }],
    ['one of two', { tm_ship: { outputsToAdmit: [0], coinsToRetain: [] } }],
    [
      'other outputs',
      { tm_ship: { outputsToAdmit: [1], coinsToRetain: [] }, tm_slap: { outputsToAdmit: [0], coinsToRetain: [] } },
    ],
    ['another topic', { tm_messagebox: { outputsToAdmit: [0, 1], coinsToRetain: [] } }],
  ])('is not accepted by a tracker that admits %s and does not find the rest', async (_what, steak) => {
    front.treat(answering(JSON.stringify(steak)));
    await expect(trackers([front.url]).announce([await advertise()])).rejects.toThrow('The host admitted nothing.');
  });

  test('succeeds after a lost answer when the tracker has the advertisements', async () => {
    const ad = await advertise();
    front.next('lose');
    await expect(trackers([front.url]).announce([ad])).rejects.toThrow(NotAcceptedError);
    expect(await trackers([front.url]).announce([ad])).toEqual([front.url]);
    expect(front.submitted).toEqual([ad.txid, ad.txid]);
  });

  /** Makes the tracker know these as hosts of tm_ship. */
  async function advertiseHosts(...urls: string[]): Promise<void> {
    const stranger = new Person();
    const hosts = await stranger.transaction(chain, [
      await stranger.serviceAd('SLAP', front.url, 'ls_ship'),
      ...(await Promise.all(urls.map((url) => stranger.serviceAd('SHIP', url, 'tm_ship')))),
      await stranger.serviceAd('SHIP', NOBODY, 'tm_slap'),
      await stranger.serviceAd('SHIP', 'https://elsewhere.example', 'tm_messagebox'),
    ]);
    await host.engine.apply(Uint8Array.from(hosts.toBEEF()), ['tm_ship', 'tm_slap']);
  }

  test('tells all hosts that advertise tm_ship, and ignores their answers', async () => {
    const other = await tracker();
    const told = await frontOf(other);
    await advertiseHosts(`${told.url}/`);
    const all = trackers([front.url]);
    const ad = await advertise();
    expect(await all.announce([ad])).toEqual([front.url]);
    await all.idle();
    expect(told.submitted).toEqual([ad.txid]);

    const next = await advertise();
    front.treat(refusing(500));
    await expect(all.announce([next])).rejects.toThrow(NotAcceptedError);
    await all.idle();
    expect(told.submitted).toEqual([ad.txid, next.txid]);
    expect(await domainsAt(other)).toBe(2);
  });

  test('does not wait for a host that advertises tm_ship and never answers', async () => {
    const silent = await frontOf();
    silent.treat('hang', 'hang');
    await advertiseHosts(silent.url);
    const all = trackers([front.url]);
    const shown = [await advertise(), await advertise('https://messagebox-two.com')];
    const submitted = silent.submission();
    for (const ad of shown) expect(await all.announce([ad])).toEqual([front.url]);
    await submitted;
    await all.close();
    // The next announcement to other hosts has not started.
    expect(silent.submitted).toEqual([shown[0]?.txid]);
  });

  test('tells other hosts the transactions in their order during further announcements', async () => {
    const other = await tracker();
    const told = await frontOf(other);
    await advertiseHosts(told.url);
    const first = await advertise();
    const second = await advertise('https://messagebox-two.com', first);
    const all = trackers([front.url]);
    const release = told.hold();
    const begun = told.submission();
    await all.announce([first]);
    await begun;
    await all.announce([second]);
    expect(told.submitted).toEqual([first.txid]);
    release();
    await all.idle();
    expect(told.submitted).toEqual([first.txid, second.txid]);
    expect((await other.engine.lookup({ service: 'ls_ship', query: 'findAll' })).outputs).toHaveLength(1);
  });

  test('counts a revocation as accepted by a tracker that answers with success', async () => {
    const ad = await advertise();
    await trackers([host.url]).announce([ad]);
    expect(await trackers([front.url]).announce([await revoke(ad)])).toEqual([front.url]);
    expect(await domainsAt(host)).toBe(0);
    expect(await domainsAt(host, 'ls_slap')).toBe(0);
    front.treat(refusing(400));
    await expect(trackers([front.url]).announce([await revoke(ad)])).rejects.toThrow('The host answers 400');
  });
});

describe('announcing several transactions', () => {
  test('sends them to each tracker in their order', async () => {
    const first = await advertise();
    const second = { ...(await advertise('https://messagebox-two.com', first)) };
    const third = await revoke(second);
    const all = [{ ...first, created: [] }, { ...second, created: [] }, third];
    expect(await trackers([front.url]).announce(all)).toEqual([front.url]);
    expect(front.submitted).toEqual(all.map(({ txid }) => txid));
    expect((await host.engine.lookup({ service: 'ls_ship', query: 'findAll' })).outputs).toEqual([]);
  });

  test('succeeds when an obsolete one is refused', async () => {
    const first = await advertise();
    const second = await advertise('https://messagebox-two.com', first);
    front.next(refusing(400));
    expect(await trackers([front.url]).announce([{ ...first, created: [] }, second])).toEqual([front.url]);
  });

  test.each([
    ['could not be shown', refusing(503)],
    ['came too often', refusing(429)],
    ['got no answer', 'close' as const],
  ])('fails when an obsolete one %s', async (_what, treatment) => {
    const first = await advertise();
    const second = await advertise('https://messagebox-two.com', first);
    front.next(treatment);
    await expect(trackers([front.url]).announce([{ ...first, created: [] }, second])).rejects.toThrow(NotAcceptedError);
  });

  test('fails when one with live advertisements is refused', async () => {
    front.next(refusing(400));
    const both = [await advertise(), await advertise('https://messagebox-two.com')];
    await expect(trackers([front.url]).announce(both)).rejects.toThrow(NotAcceptedError);
  });
});

describe('an advertisement', () => {
  test('is missing when a tracker does not find it, and not when none answers', async () => {
    const ad = await advertise();
    expect(await trackers([host.url]).findMissing(ad.created)).toEqual(ad.created);
    expect(await trackers([NOBODY]).findMissing(ad.created)).toEqual([]);
    expect(await trackers([NOBODY, host.url]).findMissing(ad.created)).toEqual(ad.created);
    expect(await trackers([]).findMissing(ad.created)).toEqual([]);
    await trackers([host.url]).announce([ad]);
    expect(await trackers([host.url]).findMissing(ad.created)).toEqual([]);
    expect(await trackers([NOBODY, host.url]).findMissing(ad.created)).toEqual([]);
    // One tracker that finds it is enough.
    expect(await trackers([host.url, (await tracker()).url]).findMissing(ad.created)).toEqual([]);
  });

  test.each([...GARBAGE, ['an error', refusing(500)], ['no answer', 'close']] as [string, Treatment][])(
    'is not missing when the tracker answers with %s',
    async (_what, treatment) => {
      front.treat('pass', treatment);
      expect(await trackers([front.url]).findMissing((await advertise()).created)).toEqual([]);
    },
  );

  test('of a topic can be missing without that of the service', async () => {
    const ship = made(await me.transaction(chain, [await me.serviceAd('SHIP', ORIGIN, 'tm_messagebox')]), ORIGIN);
    await host.engine.apply(Uint8Array.from(ship.transaction.toBEEF()), ['tm_ship', 'tm_slap']);
    expect(await trackers([host.url]).findMissing(ship.created)).toEqual(ship.created.slice(1));
  });

  test('is missing when only other identities advertise the address, even many of them', async () => {
    const ad = await advertise();
    await trackers([host.url]).announce([await advertise(ORIGIN, undefined, new Person())]);
    expect(await trackers([host.url]).findMissing(ad.created)).toEqual(ad.created);
    await trackers([host.url]).announce([ad]);
    const stranger = new Person();
    const many = Array.from({ length: 120 }, () => stranger.serviceAd('SHIP', ORIGIN, 'tm_messagebox'));
    const flood = await stranger.transaction(chain, await Promise.all(many));
    await host.engine.apply(Uint8Array.from(flood.toBEEF()), ['tm_ship']);
    expect(await trackers([host.url]).findMissing(ad.created)).toEqual([]);
  });

  test('is not missing when the tracker finds an equal one of this identity', async () => {
    await trackers([host.url]).announce([await advertise()]);
    expect(await trackers([host.url]).findMissing((await advertise()).created)).toEqual([]);
  });
});
