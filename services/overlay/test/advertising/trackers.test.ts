import type { Transaction } from '@bsv/sdk';
import { createLogger } from '@messagebox/shared';
import type { HeldAd } from '../../src/advertising/ads.js';
import type { OwnTransaction } from '../../src/advertising/own-transactions.js';
import { NotAcceptedError, Trackers } from '../../src/advertising/trackers.js';
import { PublicFetch } from '../../src/net/public-fetch.js';
import { TestChain } from '../support/chain.js';
import { type Host, startHost } from '../support/host.js';
import { Person, PROTOCOLS } from '../support/person.js';
import { answering, refusing, startTrackerFront, type TrackerFront, type Treatment } from '../support/tracker-front.js';

const ORIGIN = 'https://messagebox-one.com';
/** A port on which nobody listens. */
const NOBODY = 'http://127.0.0.1:1';
const GARBAGE: [string, Treatment][] = [
  ['no JSON', answering('<html>')],
  ['nothing', answering('')],
  ['an empty object', answering('{}')],
  ['null', answering('null')],
  ['lists that are none', answering('{"tm_ship":{"outputsToAdmit":"0","coinsToRetain":[]}}')],
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
    log: createLogger('test', true, { write: (line) => void lines.push(line) }),
  });
  closers.push(() => made.close());
  return made;
}

interface Made extends OwnTransaction {
  readonly transaction: Transaction;
}

/** Advertises topic and service of `domain`, and spends the same two of `spent`. */
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
  const ads: HeldAd[] = [
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

describe('showing transactions to trackers', () => {
  test('without trackers there is nobody to ask', async () => {
    expect(await trackers([]).show([await advertise()])).toEqual([]);
    expect(await trackers([front.url], front.url).show([await advertise()])).toEqual([]);
    expect(front.requests).toEqual([]);
  });

  test('a tracker accepts, and says so of what it has already', async () => {
    const ad = await advertise();
    expect(await trackers([host.url]).show([ad])).toEqual([host.url]);
    expect(await domainsAt(host)).toBe(1);
    expect(await domainsAt(host, 'ls_slap')).toBe(1);
    expect(await trackers([host.url]).show([ad])).toEqual([host.url]);
    expect(await domainsAt(host)).toBe(1);
  });

  test('one good tracker among bad ones is enough, and all have been told', async () => {
    const bad = await Promise.all([frontOf(), frontOf(), frontOf(), frontOf()]);
    for (const [n, treatment] of [refusing(500), refusing(400), 'close' as const, answering('{}')].entries()) {
      bad[n]?.treat(treatment, treatment);
    }
    const ad = await advertise();
    const origins = [...bad.map(({ url }) => url), NOBODY, host.url];
    expect(await trackers(origins).show([ad])).toEqual([host.url]);
    for (const { submitted } of bad) expect(submitted).toEqual([ad.txid]);
    expect(lines.filter((line) => line.includes('has not accepted'))).toHaveLength(5);
  });

  test('when none accepts, the reason of each is told', async () => {
    const other = await frontOf();
    front.treat(refusing(503, 'too busy'));
    other.treat('close', 'close');
    const showing = trackers([front.url, other.url, NOBODY]).show([await advertise()]);
    await expect(showing).rejects.toThrow(NotAcceptedError);
    await expect(showing).rejects.toThrow(
      new RegExp(
        `^No tracker has accepted .* ${front.url}: The host answers 503: too busy\\.; ${other.url}: .+; ${NOBODY}: .+`,
      ),
    );
    expect(await domainsAt(host)).toBe(0);
  });

  test.each(GARBAGE)('%s is no acceptance', async (_what, treatment) => {
    front.treat(treatment, treatment);
    await expect(trackers([front.url]).show([await advertise()])).rejects.toThrow(NotAcceptedError);
  });

  test.each([
    ['nothing', { tm_ship: { outputsToAdmit: [], coinsToRetain: [] } }],
    ['one of two', { tm_ship: { outputsToAdmit: [0], coinsToRetain: [] } }],
    [
      'other outputs',
      { tm_ship: { outputsToAdmit: [1], coinsToRetain: [] }, tm_slap: { outputsToAdmit: [0], coinsToRetain: [] } },
    ],
    ['another topic', { tm_messagebox: { outputsToAdmit: [0, 1], coinsToRetain: [] } }],
  ])('who admits %s, and does not find the rest, has not accepted', async (_what, steak) => {
    front.treat(answering(JSON.stringify(steak)));
    await expect(trackers([front.url]).show([await advertise()])).rejects.toThrow('It has admitted nothing.');
  });

  test('an answer that was lost: the tracker turns out to have it', async () => {
    const ad = await advertise();
    front.next('lose');
    await expect(trackers([front.url]).show([ad])).rejects.toThrow(NotAcceptedError);
    expect(await trackers([front.url]).show([ad])).toEqual([front.url]);
    expect(front.submitted).toEqual([ad.txid, ad.txid]);
  });

  /** The tracker knows these as hosts of tm_ship. */
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

  test('any host that advertises tm_ship is told, and decides nothing', async () => {
    const other = await tracker();
    const told = await frontOf(other);
    await advertiseHosts(`${told.url}/`);
    const all = trackers([front.url]);
    const ad = await advertise();
    expect(await all.show([ad])).toEqual([front.url]);
    await all.told();
    expect(told.submitted).toEqual([ad.txid]);

    const next = await advertise();
    front.treat(refusing(500));
    await expect(all.show([next])).rejects.toThrow(NotAcceptedError);
    await all.told();
    expect(told.submitted).toEqual([ad.txid, next.txid]);
    expect(await domainsAt(other)).toBe(2);
  });

  test('nobody waits for a host that advertises tm_ship and is silent; it ends with the others', async () => {
    const silent = await frontOf();
    silent.treat('hang', 'hang');
    await advertiseHosts(silent.url);
    const all = trackers([front.url]);
    const shown = [await advertise(), await advertise('https://messagebox-two.com')];
    const submitted = silent.submission();
    for (const ad of shown) expect(await all.show([ad])).toEqual([front.url]);
    await submitted;
    await all.close();
    // What was to be told next was not begun.
    expect(silent.submitted).toEqual([shown[0]?.txid]);
  });

  test('other hosts get transactions in their order, whatever else is shown meanwhile', async () => {
    const other = await tracker();
    const told = await frontOf(other);
    await advertiseHosts(told.url);
    const first = await advertise();
    const second = await advertise('https://messagebox-two.com', first);
    const all = trackers([front.url]);
    const release = told.hold();
    const begun = told.submission();
    await all.show([first]);
    await begun;
    await all.show([second]);
    expect(told.submitted).toEqual([first.txid]);
    release();
    await all.told();
    expect(told.submitted).toEqual([first.txid, second.txid]);
    expect((await other.engine.lookup({ service: 'ls_ship', query: 'findAll' })).outputs).toHaveLength(1);
  });

  test('a revocation is accepted by who takes it', async () => {
    const ad = await advertise();
    await trackers([host.url]).show([ad]);
    expect(await trackers([front.url]).show([await revoke(ad)])).toEqual([front.url]);
    expect(await domainsAt(host)).toBe(0);
    expect(await domainsAt(host, 'ls_slap')).toBe(0);
    front.treat(refusing(400));
    await expect(trackers([front.url]).show([await revoke(ad)])).rejects.toThrow('The host answers 400');
  });
});

describe('showing several transactions', () => {
  test('each tracker gets them in their order', async () => {
    const first = await advertise();
    const second = { ...(await advertise('https://messagebox-two.com', first)) };
    const third = await revoke(second);
    const all = [{ ...first, created: [] }, { ...second, created: [] }, third];
    expect(await trackers([front.url]).show(all)).toEqual([front.url]);
    expect(front.submitted).toEqual(all.map(({ txid }) => txid));
    expect((await host.engine.lookup({ service: 'ls_ship', query: 'findAll' })).outputs).toEqual([]);
  });

  test('one that is refused, and of which nothing is left, does not stand in the way', async () => {
    const first = await advertise();
    const second = await advertise('https://messagebox-two.com', first);
    front.next(refusing(400));
    expect(await trackers([front.url]).show([{ ...first, created: [] }, second])).toEqual([front.url]);
  });

  test.each([
    ['could not be shown', refusing(503)],
    ['came too often', refusing(429)],
    ['got no answer', 'close' as const],
  ])('one that %s does', async (_what, treatment) => {
    const first = await advertise();
    const second = await advertise('https://messagebox-two.com', first);
    front.next(treatment);
    await expect(trackers([front.url]).show([{ ...first, created: [] }, second])).rejects.toThrow(NotAcceptedError);
  });

  test('one that is refused and still counts does as well', async () => {
    front.next(refusing(400));
    const both = [await advertise(), await advertise('https://messagebox-two.com')];
    await expect(trackers([front.url]).show(both)).rejects.toThrow(NotAcceptedError);
  });
});

describe('what trackers don’t know', () => {
  test('is missing when a tracker says so, and not when none answers', async () => {
    const ad = await advertise();
    expect(await trackers([host.url]).missing(ad.created)).toEqual(ad.created);
    expect(await trackers([NOBODY]).missing(ad.created)).toEqual([]);
    expect(await trackers([NOBODY, host.url]).missing(ad.created)).toEqual(ad.created);
    expect(await trackers([]).missing(ad.created)).toEqual([]);
    await trackers([host.url]).show([ad]);
    expect(await trackers([host.url]).missing(ad.created)).toEqual([]);
    expect(await trackers([NOBODY, host.url]).missing(ad.created)).toEqual([]);
    // One tracker is enough to be found.
    expect(await trackers([host.url, (await tracker()).url]).missing(ad.created)).toEqual([]);
  });

  test.each([...GARBAGE, ['an error', refusing(500)], ['no answer', 'close']] as [string, Treatment][])(
    'a tracker that answers with %s counts for nothing',
    async (_what, treatment) => {
      front.treat('pass', treatment);
      expect(await trackers([front.url]).missing((await advertise()).created)).toEqual([]);
    },
  );

  test('of topic and service, each by itself', async () => {
    const ship = made(await me.transaction(chain, [await me.serviceAd('SHIP', ORIGIN, 'tm_messagebox')]), ORIGIN);
    await host.engine.apply(Uint8Array.from(ship.transaction.toBEEF()), ['tm_ship', 'tm_slap']);
    expect(await trackers([host.url]).missing(ship.created)).toEqual(ship.created.slice(1));
  });

  test('an advertisement of somebody else for our address is not ours, and many of them hide nothing', async () => {
    const ad = await advertise();
    await trackers([host.url]).show([await advertise(ORIGIN, undefined, new Person())]);
    expect(await trackers([host.url]).missing(ad.created)).toEqual(ad.created);
    await trackers([host.url]).show([ad]);
    const stranger = new Person();
    const many = Array.from({ length: 120 }, () => stranger.serviceAd('SHIP', ORIGIN, 'tm_messagebox'));
    const flood = await stranger.transaction(chain, await Promise.all(many));
    await host.engine.apply(Uint8Array.from(flood.toBEEF()), ['tm_ship']);
    expect(await trackers([host.url]).missing(ad.created)).toEqual([]);
  });

  test('another advertisement of ours that says the same will do', async () => {
    await trackers([host.url]).show([await advertise()]);
    expect(await trackers([host.url]).missing((await advertise()).created)).toEqual([]);
  });
});
