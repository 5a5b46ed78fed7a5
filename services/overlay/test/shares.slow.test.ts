import type { LockingScript, Transaction } from '@bsv/sdk';
import { parseBeef } from '@messagebox/transactions';
import { decodeServiceAd } from '../src/topics/service-ad.js';
import { TestChain, toBeefBytes } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person, PROTOCOLS } from './support/person.js';

const [OLD, NEW] = ['https://old.mailboxes.org', 'https://new.mailboxes.org'];
let chain: TestChain;
let host: Host;

beforeEach(async () => {
  chain = new TestChain();
  host = await startHost(chain, { trustedProxies: 1 });
});
afterEach(() => host.close());

/** Submits from an address, and expects the submission to be accepted. */
async function submit(transaction: Transaction, topic = 'tm_messagebox', from = '203.0.113.1'): Promise<number[]> {
  const headers = { 'x-topics': JSON.stringify([topic]), 'x-forwarded-for': from };
  const answer = await fetch(`${host.url}/submit`, { method: 'POST', body: toBeefBytes(transaction), headers });
  expect(answer.status).toBe(200);
  const steak = (await answer.json()) as Record<string, { outputsToAdmit: number[] }>;
  return steak[topic]?.outputsToAdmit ?? [];
}

interface Found {
  readonly beef: number[];
  readonly outputIndex: number;
}

async function lookup(service: string, query: unknown): Promise<Found[]> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ service, query });
  const answer = await fetch(`${host.url}/lookup`, { method: 'POST', body, headers });
  return ((await answer.json()) as { outputs: Found[] }).outputs;
}

/** The domains of the hosts that `ls_ship` finds, in its order. */
async function domains(query: unknown = { topics: ['tm_messagebox'] }): Promise<string[]> {
  return (await lookup('ls_ship', query)).map(({ beef, outputIndex }) => {
    const script = parseBeef(Uint8Array.from(beef)).subject.outputs[outputIndex]?.script ?? new Uint8Array(0);
    return decodeServiceAd(script)?.domain ?? '';
  });
}

const hostsOf = async ({ identityKey }: Person) =>
  (await host.found({ identityKey })).map((found) => found.split(' ')[1]);

/** A stranger's transaction, in no block, with copies of another identity's signed advertisements. */
async function copies(script: LockingScript, count: number): Promise<Transaction> {
  return await new Person().transaction(chain, new Array<LockingScript>(count).fill(script));
}

describe('copies of an advertisement, in no block, ', () => {
  test('are not found after a revocation, and take no place of the current advertisement', async () => {
    const alice = new Person();
    const revoked = await alice.messageBoxAd(OLD);
    const first = await alice.transaction(chain, [revoked]);
    await submit(first);
    await submit(await alice.advertise(chain, NEW, [{ transaction: first, index: 0 }]));
    for (const from of ['198.51.100.1', '198.51.100.2']) {
      await submit(await copies(revoked, 100), 'tm_messagebox', from);
      expect(await hostsOf(alice)).toEqual([NEW]);
    }
    expect(await host.found({ host: OLD })).toEqual([]);
    expect((await host.found({})).length).toBe(1);
  });

  test('are not found when the revocation arrives before the advertisement', async () => {
    const alice = new Person();
    const ad = await alice.advertise(chain, OLD);
    await submit(await alice.transaction(chain, [], [{ transaction: ad, index: 0 }]));
    await submit(await copies(await alice.messageBoxAd(OLD), 2));
    expect(await hostsOf(alice)).toEqual([]);
  });

  test('do not make an older advertisement the newest', async () => {
    const alice = new Person();
    await submit(await alice.advertise(chain, OLD));
    await submit(await alice.advertise(chain, NEW));
    await submit(await copies(await alice.messageBoxAd(OLD), 100));
    expect((await hostsOf(alice)).slice(0, 2)).toEqual([NEW, OLD]);
  });

  test('for hosts unknown here are found after those in a block, and push none out', async () => {
    const alice = new Person();
    await submit(chain.mine(await alice.advertise(chain, NEW)));
    for (let round = 0; round < 2; round += 1) {
      const urls = Array.from({ length: 100 }, (_, i) => `${OLD}/${round}/${i}`);
      const scripts = await Promise.all(urls.map((url) => alice.messageBoxAd(url)));
      await submit(await new Person().transaction(chain, scripts));
    }
    expect((await hostsOf(alice))[0]).toBe(NEW);
  });

  test('are limited in number, and those of the largest submitter are removed first', async () => {
    const alice = new Person();
    const script = await alice.messageBoxAd(OLD);
    await submit(await copies(script, 60), 'tm_messagebox', '198.51.100.1');
    const own = await alice.transaction(chain, [script]);
    await submit(own, 'tm_messagebox', '203.0.113.7');
    expect(await host.rows()).toMatchObject({ overlay_message_box_ads: 20 });
    expect(await host.storage.outputs.listIndexes(own.id('hex'), 'tm_messagebox')).toEqual([0]);
  });
});

describe('an identity that has revoked an advertisement', () => {
  test('is found by an equal advertisement once that is in a block', async () => {
    const alice = new Person();
    const first = await alice.advertise(chain, OLD);
    await submit(first);
    await submit(await alice.transaction(chain, [], [{ transaction: first, index: 0 }]));
    const again = await alice.advertise(chain, OLD);
    expect(await submit(again)).toEqual([0]);
    expect(await hostsOf(alice)).toEqual([]);
    await submit(chain.mine(again));
    expect(await hostsOf(alice)).toEqual([OLD]);
  });

  test('is found by an equal advertisement whose transaction spends another one of the identity', async () => {
    const alice = new Person();
    const first = await alice.advertise(chain, OLD);
    await submit(first);
    const second = await alice.advertise(chain, NEW, [{ transaction: first, index: 0 }]);
    await submit(second);
    await submit(await alice.advertise(chain, OLD, [{ transaction: second, index: 0 }]));
    expect(await hostsOf(alice)).toEqual([OLD]);
  });

  test('is found again at once when a mined transaction replaces the revocation', async () => {
    const alice = new Person();
    const script = await alice.messageBoxAd(OLD);
    const first = await alice.transaction(chain, [script]);
    await submit(first);
    const funding = chain.fund();
    await submit(await alice.transaction(chain, [], [{ transaction: first, index: 0 }], funding));
    await submit(chain.mine(await alice.transaction(chain, [await alice.messageBoxAd(NEW)], [], funding)));
    await submit(await copies(script, 1));
    expect(await hostsOf(alice)).toEqual([NEW, OLD]);
  });

  test('is not found by copies of a topic advertisement either', async () => {
    const server = new Person();
    const script = await server.serviceAd('SHIP', OLD, 'tm_messagebox');
    const ad = await server.transaction(chain, [script]);
    await submit(ad, 'tm_ship');
    const spent = { transaction: ad, index: 0, protocol: PROTOCOLS.SHIP };
    await submit(await server.transaction(chain, [], [spent]), 'tm_ship');
    await submit(await copies(script, 100), 'tm_ship');
    expect(await domains()).toEqual([]);
    expect(await domains('findAll')).toEqual([]);
  });
});

describe('an answer', () => {
  const honestHosts = async (count: number, mined: boolean) => {
    const urls = Array.from({ length: count }, (_, i) => `https://honest-${i}.mailboxes.org`);
    for (const url of urls) {
      const server = new Person();
      const ad = await server.transaction(chain, [await server.serviceAd('SHIP', url, 'tm_messagebox')]);
      await submit(mined ? chain.mine(ad) : ad, 'tm_ship');
    }
    return urls;
  };

  /** A transaction with an ancestor of the largest size, and advertisements of new identities and hosts. */
  const large = async (name: string, outputs: number) => {
    const scripts = await Promise.all(
      Array.from({ length: outputs }, (_, i) =>
        new Person().serviceAd('SHIP', `https://${name}-${i}.evil-hosts.org`, 'tm_messagebox'),
      ),
    );
    return await new Person().transaction(chain, scripts, [], chain.fund(1, 125_000));
  };

  /** 600 advertisements, each of a different identity and host. */
  const manyScripts = Promise.all(
    Array.from({ length: 6 }, (_, i) =>
      Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          new Person().serviceAd('SHIP', `https://evil-${i}-${n}.evil-hosts.org`, 'tm_messagebox'),
        ),
      ),
    ),
  );

  test('is not filled by one large transaction with 8 advertisements', async () => {
    const honest = await honestHosts(5, false);
    await submit(await large('one', 8), 'tm_ship');
    expect(await domains()).toEqual(expect.arrayContaining(honest));
    expect(await domains('findAll')).toEqual(expect.arrayContaining(honest));
  });

  test('is not filled by many large transactions of different identities, hosts and addresses', async () => {
    const honest = await honestHosts(5, false);
    for (let i = 0; i < 12; i += 1) await submit(await large(`n${i}`, 8), 'tm_ship', `198.51.100.${i}`);
    expect((await domains()).slice(0, 5).sort()).toEqual(honest);
  });

  test('begins with advertisements in a block', async () => {
    const honest = await honestHosts(3, true);
    for (const [i, scripts] of (await manyScripts).entries()) {
      await submit(await new Person().transaction(chain, scripts), 'tm_ship', `198.51.100.${i}`);
    }
    expect((await domains()).slice(0, 3).sort()).toEqual(honest);
  });

  test('contains older advertisements among many new ones', async () => {
    const honest = await honestHosts(3, false);
    for (const [i, scripts] of (await manyScripts).entries()) {
      await submit(await new Person().transaction(chain, scripts), 'tm_ship', `198.51.100.${i}`);
    }
    expect(await domains()).toEqual(expect.arrayContaining(honest));
  });
});

describe('a submitter of transactions in no block', () => {
  let small: Host;
  afterEach(() => small.close());
  const MOST_BYTES = 640_000;

  async function startSmall(): Promise<void> {
    small = await startHost(chain, { trustedProxies: 1, makesRoom: true, size: { maxBytes: MOST_BYTES } });
  }

  async function send(transaction: Transaction, from: string): Promise<number> {
    const headers = { 'x-topics': '["tm_messagebox"]', 'x-forwarded-for': from };
    const answer = await fetch(`${small.url}/submit`, { method: 'POST', body: toBeefBytes(transaction), headers });
    if (answer.status === 503) expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    return answer.status;
  }

  const largeAd = async (bytes: number) => {
    const alice = new Person();
    return await alice.transaction(chain, [await alice.messageBoxAd(OLD)], [], chain.fund(1, bytes));
  };

  test('has a limited share once half of the space is used, so that others are served', async () => {
    await startSmall();
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      statuses.push(await send(await largeAd(80_000), '198.51.100.1'));
      await small.recount();
    }
    expect(statuses.slice(0, 4)).toEqual([200, 200, 200, 200]);
    expect(statuses.at(-1)).toBe(503);
    expect(await send(await new Person().advertise(chain, NEW), '203.0.113.1')).toBe(200);
    expect(await send(chain.mine(await new Person().advertise(chain, NEW)), '198.51.100.1')).toBe(200);
  });

  test('loses transactions when it has submitted most and space is scarce', async () => {
    await startSmall();
    const honest = new Person();
    expect(await send(await honest.advertise(chain, NEW), '203.0.113.1')).toBe(200);
    for (let i = 0; i < 12; i += 1) {
      await send(await largeAd(100_000), `198.51.100.${i}`);
      await small.recount();
    }
    expect(await small.found({ identityKey: honest.identityKey })).toHaveLength(1);
    expect(await send(await new Person().advertise(chain, NEW), '203.0.113.2')).toBe(200);
  });
});
