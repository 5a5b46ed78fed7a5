import { gzipSync } from 'node:zlib';
import { OverlayGASPRemote } from '@bsv/overlay/GASP/OverlayGASPRemote.ts';
import {
  HTTPSOverlayBroadcastFacilitator,
  HTTPSOverlayLookupFacilitator,
  LookupResolver,
  PushDrop,
  TopicBroadcaster,
  Transaction,
  Utils,
} from '@bsv/sdk';
import { createErrorHandler, createLogger, createRateLimit, JsonServer } from '@messagebox/shared';
import { documentedErrors } from '@messagebox/test-support/documented-errors';
import { freezeClock } from '@messagebox/test-support/freeze-clock';
import express from 'express';
import { BoundedResponder } from '../src/http/bounded-responder.js';
import type { DevelopmentChain } from '../src/http/development-routes.js';
import { readRawBody } from '../src/http/request-body.js';
import { createSyncRoutes } from '../src/http/sync-routes.js';
import { addFunding, TestChain, toBeefBytes } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

const A = 'https://a.mailboxes.org';
const B = 'https://b.mailboxes.org';
const chain = new TestChain();
let host: Host;

beforeAll(async () => {
  host = await startHost(chain);
});
afterAll(() => host.close());

const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}, to = host) =>
  fetch(`${to.url}${path}`, { method: 'POST', body, headers });
const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
const submit = (beef: Uint8Array, topics: string, headers: Record<string, string> = {}) =>
  post('/submit', beef, { 'content-type': 'application/octet-stream', 'x-topics': topics, ...headers });
const lookup = (question: unknown) => post('/lookup', JSON.stringify(question), { 'content-type': 'application/json' });

/** Expects the documented code and status, as JSON for any origin, and no changed row. */
async function expectRefused(send: () => Promise<Response>, code: string, details: object = {}): Promise<Response> {
  const before = await host.rows();
  const response = await send();
  const body = await json(response);
  expect({ ...body, description: undefined }).toEqual({ status: 'error', code, description: undefined, ...details });
  expect(body['description']).toMatch(/^\w[^<>]{5,300}$/);
  expect(documentedErrors.get(code)).toContain(response.status);
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await host.rows()).toEqual(before);
  return response;
}

/** The SDK's clients, with this host in place of the network's trackers. */
function clients() {
  const resolver = new LookupResolver({
    slapTrackers: [host.url],
    hostOverrides: { ls_messagebox: [host.url], ls_ship: [host.url] },
    facilitator: new HTTPSOverlayLookupFacilitator(undefined, true),
    reputationStorage: { get: () => undefined, set: () => {} },
  });
  return { resolver, facilitator: new HTTPSOverlayBroadcastFacilitator(undefined, true) };
}

describe("the SDK's clients", () => {
  test('advertise, find, replace and revoke', async () => {
    const { resolver, facilitator } = clients();
    // The broadcaster finds this host by its SHIP advertisement.
    const server = new Person();
    const ship = await server.transaction(chain, [
      await server.serviceAd('SHIP', 'https://box.mailboxes.org', 'tm_messagebox'),
    ]);
    expect((await json(await submit(toBeefBytes(ship), '["tm_ship"]')))['tm_ship']).toMatchObject({
      outputsToAdmit: [0],
    });
    const broadcaster = new TopicBroadcaster(['tm_messagebox'], {
      resolver,
      facilitator: { send: (_url, tagged) => facilitator.send(host.url, tagged) },
    });
    const alice = new Person();
    const query = { identityKey: alice.identityKey };
    const find = async () => {
      const answer = await resolver.query({ service: 'ls_messagebox', query });
      return answer.outputs.map(({ beef, outputIndex }) => {
        const transaction = Transaction.fromBEEF(beef);
        const script = transaction.outputs[outputIndex]?.lockingScript;
        if (script === undefined) throw new Error('no such output');
        return { transaction, host: Utils.toUTF8(PushDrop.decode(script).fields[1] ?? []) };
      });
    };

    const first = await alice.advertise(chain, A);
    expect(await broadcaster.broadcast(first)).toMatchObject({ status: 'success', txid: first.id('hex') });
    const [found, ...others] = await find();
    expect([found?.host, others]).toEqual([A, []]);
    expect(await found?.transaction.verify(chain)).toBe(true);

    const second = await alice.advertise(chain, B, [{ transaction: first, index: 0 }]);
    expect(await broadcaster.broadcast(second)).toMatchObject({ status: 'success' });
    expect((await find()).map((one) => one.host)).toEqual([B]);

    const revocation = await alice.transaction(chain, [], [{ transaction: second, index: 0 }]);
    expect(await broadcaster.broadcast(revocation)).toMatchObject({ status: 'success' });
    expect(await find()).toEqual([]);
  });

  test('find this host through SLAP', async () => {
    const server = new Person();
    const slap = await server.transaction(chain, [
      await server.serviceAd('SLAP', 'https://box.mailboxes.org', 'ls_other'),
    ]);
    await submit(toBeefBytes(slap), '["tm_slap"]');
    const asked: string[] = [];
    const direct = new HTTPSOverlayLookupFacilitator(undefined, true);
    const resolver = new LookupResolver({
      slapTrackers: [host.url],
      reputationStorage: { get: () => undefined, set: () => {} },
      facilitator: {
        lookup: (url, question, timeout) => {
          asked.push(url);
          return direct.lookup(url === host.url ? url : host.url, question, timeout);
        },
      },
    });
    await resolver.query({ service: 'ls_other', query: {} }).catch(() => {});
    expect(asked).toEqual([host.url, 'https://box.mailboxes.org']);
  });

  test('get the same outputs in both forms of an answer, also for 40 outputs with common ancestors', async () => {
    const alice = new Person();
    const funding = chain.fund(20);
    for (let i = 0; i < 20; i++) {
      const ad = new Transaction();
      addFunding(ad, funding, i);
      for (let n = 0; n < 2; n++)
        ad.addOutput({ lockingScript: await alice.messageBoxAd(`${A}/${i}/${n}`), satoshis: 1 });
      await submit(toBeefBytes(ad), '["tm_messagebox"]');
    }
    const question = { service: 'ls_messagebox', query: { identityKey: alice.identityKey } };
    const binary = await new HTTPSOverlayLookupFacilitator(undefined, true).lookup(host.url, question);
    const response = await lookup(question);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    const plain = (await response.json()) as typeof binary;
    expect(plain.type).toBe('output-list');
    const outpoints = ({ outputs }: typeof binary) =>
      outputs.map(({ beef, outputIndex }) => `${Transaction.fromBEEF(beef).id('hex')}.${outputIndex}`);
    expect(outpoints(binary)).toHaveLength(40);
    expect(outpoints(binary)).toEqual(outpoints(plain));
    for (const { beef } of binary.outputs) expect(await Transaction.fromBEEF(beef).verify(chain)).toBe(true);

    const raw = await post('/lookup', JSON.stringify(question), { 'x-aggregation': 'yes' });
    expect(raw.headers.get('content-type')).toBe('application/octet-stream');
    const bytes = await raw.arrayBuffer();
    const together = plain.outputs.reduce((sum, { beef }) => sum + beef.length, 0);
    expect(bytes.byteLength).toBeLessThan(together);
  });

  test('get an empty answer in both forms', async () => {
    const question = { service: 'ls_messagebox', query: { identityKey: new Person().identityKey } };
    const binary = await new HTTPSOverlayLookupFacilitator(undefined, true).lookup(host.url, question);
    expect(binary).toEqual({ type: 'output-list', outputs: [] });
    expect(await json(await lookup(question))).toEqual({ type: 'output-list', outputs: [] });
  });

  test('can submit off-chain values', async () => {
    const alice = new Person();
    const steak = await new HTTPSOverlayBroadcastFacilitator(undefined, true).send(host.url, {
      beef: (await alice.advertise(chain, A)).toBEEF(),
      topics: ['tm_messagebox'],
      offChainValues: [1, 2, 3],
    });
    expect(steak['tm_messagebox']?.outputsToAdmit).toEqual([0]);
  });
});

describe('submitting', () => {
  test('admits nothing when a transaction is submitted again', async () => {
    const beef = toBeefBytes(await new Person().advertise(chain, A));
    await submit(beef, '["tm_messagebox"]');
    const again = await submit(beef, '["tm_messagebox"]');
    expect(again.status).toBe(200);
    expect(await json(again)).toEqual({ tm_messagebox: { outputsToAdmit: [], coinsToRetain: [] } });
  });

  test.each([
    ['none', undefined],
    ['no list', '"tm_messagebox"'],
    ['neither JSON nor names', '{tm_messagebox}'],
    ['a list without its end', '["tm_messagebox"'],
    ['two lists', '["tm_messagebox"], ["tm_ship"]'],
    ['names with spaces between', 'tm_messagebox tm_ship'],
    ['nothing between commas', 'tm_messagebox,,tm_ship'],
    ['a comma at the end', 'tm_messagebox,'],
    ['a comma alone', ','],
    ['spaces alone', '  '],
    ['too many names', Array.from({ length: 17 }, () => 'tm_messagebox').join(',')],
    ['too long a name', 'x'.repeat(4_000)],
    ['an empty list', '[]'],
    ['numbers', '[1]'],
    ['too many', JSON.stringify(Array.from({ length: 17 }, () => 'tm_messagebox'))],
    ['too long', JSON.stringify(['x'.repeat(4_000)])],
  ])('refuses topics: %s', async (_name, topics) => {
    const beef = toBeefBytes(await new Person().advertise(chain, A));
    const headers: Record<string, string> = topics === undefined ? {} : { 'x-topics': topics };
    await expectRefused(() => post('/submit', beef, headers), 'ERR_INVALID_TOPICS');
  });

  test('refuses an unknown topic', async () => {
    const beef = toBeefBytes(await new Person().advertise(chain, A));
    await expectRefused(() => submit(beef, '["tm_messagebox", "tm_other"]'), 'ERR_UNKNOWN_TOPIC');
    await expectRefused(() => submit(beef, 'tm_messagebox,tm_other'), 'ERR_UNKNOWN_TOPIC');
  });

  test.each(['tm_messagebox', 'tm_messagebox,tm_ship', ' tm_ship , tm_messagebox '])(
    'accepts topics that are separated by commas: %s',
    async (topics) => {
      const response = await submit(toBeefBytes(await new Person().advertise(chain, A)), topics);
      expect(response.status).toBe(200);
      const steak = (await json(response)) as Record<string, { outputsToAdmit: number[] }>;
      expect(Object.keys(steak).sort()).toEqual(topics.trim().split(/ *, */).sort());
      expect(steak['tm_messagebox']?.outputsToAdmit).toEqual([0]);
    },
  );

  test.each<[string, () => Uint8Array]>([
    ['an empty body', () => new Uint8Array(0)],
    ['garbage', () => Buffer.alloc(1_000, 7)],
    ['a BEEF without end', () => Buffer.from('0100beef00ffffffffffffffff', 'hex')],
  ])('refuses %s', async (_name, body) => {
    await expectRefused(() => submit(body(), '["tm_messagebox"]'), 'ERR_INVALID_TRANSACTION');
  });

  test('refuses a body that is shorter than its length says', async () => {
    const header = { 'x-includes-off-chain-values': 'true' };
    for (const body of ['', 'fe', 'ffffffffffffffffff', '05aabb']) {
      await expectRefused(
        () => submit(Buffer.from(body, 'hex'), '["tm_messagebox"]', header),
        'ERR_INVALID_TRANSACTION',
      );
    }
  });

  test('refuses a double spend', async () => {
    const alice = new Person();
    const funding = chain.fund();
    await submit(
      toBeefBytes(await alice.transaction(chain, [await alice.messageBoxAd(A)], [], funding)),
      '["tm_messagebox"]',
    );
    const second = toBeefBytes(await alice.transaction(chain, [await alice.messageBoxAd(B)], [], funding));
    await expectRefused(() => submit(second, '["tm_messagebox"]'), 'ERR_DOUBLE_SPEND');
  });

  test('refuses a body of more than 1 MiB', async () => {
    await expectRefused(() => submit(Buffer.alloc(1_048_577), '["tm_messagebox"]'), 'ERR_BODY_TOO_LARGE', {
      field: 'requestBody',
      limit: 1_048_576,
      size: 1_048_577,
    });
  });

  test('refuses a compressed body', async () => {
    const beef = gzipSync(toBeefBytes(await new Person().advertise(chain, A)));
    await expectRefused(
      () => submit(beef, '["tm_messagebox"]', { 'content-encoding': 'gzip' }),
      'ERR_UNSUPPORTED_ENCODING',
    );
  });

  test('answers 503 with retry-after while the chain is unavailable', async () => {
    const beef = toBeefBytes(await new Person().advertise(chain, A));
    chain.down = true;
    const response = await expectRefused(() => submit(beef, '["tm_messagebox"]'), 'ERR_CHAIN_UNAVAILABLE');
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    chain.down = false;
    expect((await submit(beef, '["tm_messagebox"]')).status).toBe(200);
  });

  test('answers 503 with retry-after when too many verifications wait', async () => {
    const alice = new Person();
    const beefs = await Promise.all(
      Array.from({ length: 50 }, async () => toBeefBytes(await alice.advertise(chain, A))),
    );
    let release = () => {};
    chain.held = new Promise((resolve) => {
      release = resolve;
    });
    const sent = beefs.map((beef) => submit(beef, '["tm_messagebox"]'));
    // While the chain does not answer, only the surplus requests are answered.
    expect((await Promise.race(sent)).status).toBe(503);
    release();
    const responses = await Promise.all(sent);
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 503]));
    const busy = responses.find(({ status }) => status === 503);
    expect(await busy?.json()).toMatchObject({ code: 'ERR_OVERLOADED' });
    expect(busy?.headers.get('retry-after')).toBe('1');
  });
});

describe('looking up', () => {
  const messageBox = (query: unknown) => ({ service: 'ls_messagebox', query });
  test.each<[string, unknown]>([
    ['no service', { query: {} }],
    ['a service that is not a string', { service: 1, query: {} }],
    ['no query', { service: 'ls_messagebox' }],
    ['a list', []],
    ['null', null],
    ['query: a text', messageBox('findAll')],
    ['query: a list', messageBox([])],
    ['query: null', messageBox(null)],
    ['identityKey: a number', messageBox({ identityKey: 1 })],
    ['identityKey: an object', messageBox({ identityKey: { $ne: '' } })],
    ['identityKey: an invalid key', messageBox({ identityKey: 'alice' })],
    ['identityKey: empty', messageBox({ identityKey: '' })],
    ['host: a list', messageBox({ host: [A] })],
    ['host: too long', messageBox({ host: 'x'.repeat(256) })],
    ['host: a lone surrogate', messageBox({ host: '\ud800' })],
    ['topics: a text', { service: 'ls_ship', query: { topics: 'tm_messagebox' } }],
    ['topics: numbers', { service: 'ls_ship', query: { topics: [1] } }],
    ['topics: too many', { service: 'ls_ship', query: { topics: new Array(51).fill('tm_x') } }],
    ['domain: a number', { service: 'ls_ship', query: { domain: 1 } }],
    ['another word', { service: 'ls_ship', query: 'findSome' }],
    ['service: a list', { service: 'ls_slap', query: { service: ['ls_x'] } }],
  ])('refuses %s', async (_name, question) => {
    await expectRefused(() => lookup(question), 'ERR_INVALID_QUERY');
  });

  test.each(['ls_other', '', 'constructor', '__proto__'])('refuses the unknown service %j', async (service) => {
    await expectRefused(() => lookup({ service, query: {} }), 'ERR_UNKNOWN_LOOKUP_SERVICE');
  });

  test('refuses a body that is not JSON', async () => {
    await expectRefused(() => post('/lookup', '{'), 'ERR_INVALID_JSON');
    await expectRefused(() => post('/lookup', Buffer.from([0xff])), 'ERR_INVALID_JSON');
  });

  test('refuses a query of 70,000 bytes', async () => {
    const question = { service: 'ls_messagebox', query: 'x'.repeat(70_000) };
    const size = JSON.stringify(question).length;
    const details = { field: 'requestBody', limit: 65_536, size };
    await expectRefused(() => lookup(question), 'ERR_BODY_TOO_LARGE', details);
  });

  const foundOf = async (identityKey: string) => {
    const { outputs } = await json(await lookup(messageBox({ identityKey })));
    return outputs as { beef: number[]; outputIndex: number }[];
  };

  test('finds at most 100 outputs', async () => {
    const alice = new Person();
    const scripts = await Promise.all(Array.from({ length: 51 }, (_, i) => alice.messageBoxAd(`${A}/${i}`)));
    for (let i = 0; i < 2; i++) {
      await submit(toBeefBytes(await alice.transaction(chain, scripts)), '["tm_messagebox"]');
    }
    expect(await foundOf(alice.identityKey)).toHaveLength(100);
  });

  test('answers with about a megabyte, the newest first', async () => {
    const alice = new Person();
    const scripts = await Promise.all(Array.from({ length: 101 }, (_, i) => alice.messageBoxAd(`${A}/${i}`)));
    const steak = await json(await submit(toBeefBytes(await alice.transaction(chain, scripts)), '["tm_messagebox"]'));
    expect(steak['tm_messagebox']).toMatchObject({ outputsToAdmit: Array.from({ length: 100 }, (_, i) => i) });
    const newest = await alice.advertise(chain, B);
    await submit(toBeefBytes(newest), '["tm_messagebox"]');
    const outputs = await foundOf(alice.identityKey);
    expect(Transaction.fromBEEF(outputs[0]?.beef ?? []).id('hex')).toBe(newest.id('hex'));
    expect(outputs.slice(1).map(({ outputIndex }) => outputIndex)).toEqual(
      outputs.slice(1).map((_, index) => 99 - index),
    );
    const bytes = outputs.reduce((sum, { beef }) => sum + beef.length, 0);
    expect(bytes).toBeLessThanOrEqual(1_048_576);
    expect(bytes).toBeGreaterThan(1_000_000);
  });
});

describe('the documentation routes', () => {
  const get = (path: string) => fetch(`${host.url}${path}`);

  test('list topics and lookup services', async () => {
    expect(await json(await get('/listTopicManagers'))).toEqual({
      tm_messagebox: { name: 'tm_messagebox', shortDescription: expect.any(String) },
      tm_ship: { name: 'tm_ship', shortDescription: expect.any(String) },
      tm_slap: { name: 'tm_slap', shortDescription: expect.any(String) },
    });
    expect(Object.keys(await json(await get('/listLookupServiceProviders'))).sort()).toEqual([
      'ls_messagebox',
      'ls_ship',
      'ls_slap',
    ]);
  });

  test('serve documentation as Markdown', async () => {
    for (const [path, title] of [
      ['/getDocumentationForTopicManager?manager=tm_messagebox', '# tm_messagebox'],
      ['/getDocumentationForTopicManager?manager=tm_ship', '# tm_ship'],
      ['/getDocumentationForTopicManager?manager=tm_slap', '# tm_slap'],
      ['/getDocumentationForLookupServiceProvider?lookupService=ls_messagebox', '# ls_messagebox'],
      ['/getDocumentationForLookupServiceProvider?lookupService=ls_ship', '# ls_ship'],
      ['/getDocumentationForLookupServiceProvider?lookupService=ls_slap', '# ls_slap'],
      ['/getDocumentationForTopicManager?manager=other', 'No documentation found!'],
      ['/getDocumentationForTopicManager?manager=__proto__', 'No documentation found!'],
      ['/getDocumentationForTopicManager?manager=a&manager=b', 'No documentation found!'],
      ['/getDocumentationForLookupServiceProvider', 'No documentation found!'],
    ] as const) {
      const response = await get(path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/^text\/markdown/);
      expect((await response.text()).startsWith(title)).toBe(true);
    }
  });

  test('allow requests of any origin', async () => {
    const response = await fetch(`${host.url}/submit`, { method: 'OPTIONS' });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-headers')).toContain('*');
    expect(response.headers.get('access-control-allow-private-network')).toBe('true');
  });

  test('answer 404 for other paths and methods', async () => {
    for (const send of [() => get('/submit'), () => get('/other'), () => post('/listTopicManagers', '{}')]) {
      await expectRefused(send, 'ERR_NOT_FOUND');
    }
  });
});

describe('other hosts', () => {
  const ask = (body: unknown, topic = 'tm_messagebox') =>
    post('/requestSyncResponse', JSON.stringify(body), { 'x-bsv-topic': topic });
  const node = (body: unknown) => post('/requestForeignGASPNode', JSON.stringify(body));

  test('list outputs from a score on, in pages, and get transactions with their ancestors', async () => {
    const alice = new Person();
    const before = Date.now();
    const ads = await Promise.all(Array.from({ length: 3 }, (_, i) => alice.advertise(chain, `${A}/sync/${i}`)));
    for (const ad of ads) await submit(toBeefBytes(ad), '["tm_messagebox"]');
    const txids = ads.map((ad) => ad.id('hex'));
    const list = async (since: number, limit?: number) => {
      const answer = await json(await ask({ version: 1, since, limit }));
      expect(answer['since']).toBe(since);
      return answer['UTXOList'] as { txid: string; outputIndex: number; score: number }[];
    };
    const all = await list(before);
    expect(all.map(({ txid }) => txid)).toEqual(txids);
    expect(all.map(({ outputIndex }) => outputIndex)).toEqual([0, 0, 0]);
    expect((await list(all[1]?.score ?? 0)).map(({ txid }) => txid)).toEqual(txids.slice(1));
    expect((await list(before, 2)).map(({ txid }) => txid)).toEqual(txids.slice(0, 2));
    expect(await list(Date.now() + 60_000)).toEqual([]);

    const [txid = ''] = txids;
    const funding = ads[0]?.inputs[0]?.sourceTransaction;
    const graphID = `${txid}.0`;
    expect(await json(await node({ graphID, txid, outputIndex: 0, metadata: true }))).toEqual({
      graphID,
      rawTx: ads[0]?.toHex(),
      outputIndex: 0,
    });
    expect(await json(await node({ graphID, txid: funding?.id('hex'), outputIndex: 0 }))).toEqual({
      graphID,
      rawTx: funding?.toHex(),
      outputIndex: 0,
      proof: funding?.merklePath?.toHex(),
    });
  });

  test('get the same with the published package', async () => {
    const ad = await new Person().advertise(chain, `${A}/gasp`);
    const before = Date.now();
    await submit(toBeefBytes(ad), '["tm_messagebox"]');
    const remote = new OverlayGASPRemote(host.url, 'tm_messagebox');
    const txid = ad.id('hex');
    const answer = await remote.getInitialResponse({ version: 1, since: before });
    expect(answer).toEqual({ since: before, UTXOList: [{ txid, outputIndex: 0, score: expect.any(Number) }] });
    const node = await remote.requestNode(`${txid}.0`, txid, 0, true);
    expect(node).toMatchObject({ graphID: `${txid}.0`, rawTx: ad.toHex(), outputIndex: 0 });
  });

  test('get at most 1,000 outputs in a list', async () => {
    const scripts = await Promise.all(Array.from({ length: 100 }, () => new Person().messageBoxAd(A)));
    const people = await Promise.all(
      Array.from({ length: 11 }, async () => await new Person().transaction(chain, scripts)),
    );
    for (const transaction of people) await host.engine.apply(toBeefBytes(transaction), ['tm_messagebox']);
    const { UTXOList } = await json(await ask({ version: 1, since: 0, limit: 10_000 }));
    expect(UTXOList).toHaveLength(1_000);
  });

  test.each<[string, unknown]>([
    ['another version', { version: 2, since: 0 }],
    ['no version', { since: 0 }],
    ['no time', { version: 1 }],
    ['a negative time', { version: 1, since: -1 }],
    ['a fractional time', { version: 1, since: 0.5 }],
    ['a text', { version: 1, since: '0' }],
    ['limit 0', { version: 1, since: 0, limit: 0 }],
    ['limit: a text', { version: 1, since: 0, limit: '1; DROP TABLE' }],
    ['null', null],
    ['a list', []],
  ])('are refused a list with %s', async (_name, body) => {
    await expectRefused(() => ask(body), 'ERR_INVALID_SYNC_REQUEST');
  });

  test('are refused a list of an unknown topic', async () => {
    await expectRefused(() => ask({ version: 1, since: 0 }, 'tm_other'), 'ERR_UNKNOWN_TOPIC');
    await expectRefused(() => post('/requestSyncResponse', '{}'), 'ERR_UNKNOWN_TOPIC');
  });

  test.each<[string, object]>([
    ['no graph', { graphID: undefined }],
    ['a strange graph', { graphID: '1.1' }],
    ['a strange transaction', { txid: 'x' }],
    ['a strange index', { outputIndex: -1 }],
    ['an index that is a text', { outputIndex: '0' }],
  ])('are refused a node with %s', async (_name, fields) => {
    const id = 'ab'.repeat(32);
    await expectRefused(
      () => node({ graphID: `${id}.0`, txid: id, outputIndex: 0, ...fields }),
      'ERR_INVALID_SYNC_REQUEST',
    );
  });

  test('are refused an unknown node', async () => {
    const id = 'ab'.repeat(32);
    await expectRefused(() => node({ graphID: `${id}.0`, txid: id, outputIndex: 0 }), 'ERR_UNKNOWN_OUTPUT');
    const ad = await new Person().advertise(chain, A);
    await submit(toBeefBytes(ad), '["tm_messagebox"]');
    const graphID = `${ad.id('hex')}.0`;
    await expectRefused(() => node({ graphID, txid: id, outputIndex: 0 }), 'ERR_UNKNOWN_OUTPUT');
    await expectRefused(
      () => node({ graphID: `${ad.id('hex')}.9999999999`, txid: ad.id('hex'), outputIndex: 0 }),
      'ERR_UNKNOWN_OUTPUT',
    );
  });
});

describe('the play chain', () => {
  const development: DevelopmentChain = {
    call: async (method, args) => ({ method, args }),
    fund: async (request) => ({ given: request }),
  };

  test('is served on network local', async () => {
    const local = await startHost(chain, { network: 'local', development });
    const call = await post('/development/chain', '{"method": "getHeight", "args": [1]}', {}, local);
    expect(await json(call)).toEqual({ result: { method: 'getHeight', args: [1] } });
    expect(await json(await post('/development/faucet', '{"satoshis": 5}', {}, local))).toEqual({
      given: { satoshis: 5 },
    });
    for (const body of ['{}', '{"method": 1}', '{"method": "x", "args": {}}', '[]']) {
      expect((await post('/development/chain', body, {}, local)).status).toBe(400);
    }
    await local.close();
  });

  test.each(['main', 'test'] as const)('is never served on network %s', async (network) => {
    const real = await startHost(chain, { network, development });
    for (const path of ['/development/chain', '/development/faucet']) {
      expect((await post(path, '{"method": "getHeight", "args": []}', {}, real)).status).toBe(404);
    }
    await real.close();
  });
});

test('too many submissions from one address are refused with retry-after', async () => {
  const busy = await startHost(chain);
  const responses: Response[] = [];
  for (let round = 0; round < 4; round++) {
    responses.push(...(await Promise.all(Array.from({ length: 100 }, () => post('/submit', '', {}, busy)))));
  }
  const refused = responses.filter(({ status }) => status === 429);
  expect(responses.length - refused.length).toBe(300);
  for (const response of refused) {
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await json(response)).toMatchObject({ status: 'error', code: 'ERR_TOO_MANY_REQUESTS' });
  }
  // Lookups have a limit of their own.
  expect((await fetch(`${busy.url}/listTopicManagers`)).status).toBe(200);
  await busy.close();
});

test('large answers count as several requests of the client', async () => {
  const busy = await startHost(chain);
  const alice = new Person();
  const scripts = await Promise.all(Array.from({ length: 100 }, (_, i) => alice.messageBoxAd(`${A}/${i}`)));
  await busy.engine.apply(toBeefBytes(await alice.transaction(chain, scripts)), ['tm_messagebox']);
  const ask = (identityKey: string) =>
    post('/lookup', JSON.stringify({ service: 'ls_messagebox', query: { identityKey } }), {}, busy);
  // The clock is frozen, so that all requests fall into the window of the limit on a slow machine too.
  const unfreeze = freezeClock();
  const statuses: number[] = [];
  try {
    const small = await Promise.all(Array.from({ length: 20 }, () => ask(new Person().identityKey)));
    expect(new Set(small.map(({ status }) => status))).toEqual(new Set([200]));
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        const response = await ask(alice.identityKey);
        await response.arrayBuffer();
        statuses.push(response.status);
      }),
    );
  } finally {
    unfreeze();
  }
  // Eight answers are made at a time, and no further one after the limit.
  const answered = statuses.filter((status) => status === 200).length;
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThan(16);
  expect(statuses.filter((status) => status === 429)).toHaveLength(30 - answered);
  await busy.close();
});

test('a small answer is charged for the large BEEF that was read for it', async () => {
  const app = express();
  const limits = { maxConcurrent: 8, maxHeldBytes: 1_000_000, receiveTimeoutMs: 60_000, bytesPerRequest: 4_096 };
  app.use(
    createSyncRoutes(
      host.engine,
      new BoundedResponder(limits, createRateLimit({ rate: { count: 100, seconds: 3_600 }, onHit: () => undefined })),
      [readRawBody(65_536)],
    ),
  );
  app.use(createErrorHandler(createLogger('overlay', 'info', { write: () => {} })));
  const server = new JsonServer(app, createLogger('overlay', 'info', { write: () => {} }));
  const url = await server.listen(0, '127.0.0.1');
  const ad = await new Person().transaction(chain, [await new Person().messageBoxAd(A)], [], chain.fund(1, 120_000));
  const beef = toBeefBytes(ad);
  await host.engine.apply(beef, ['tm_messagebox']);
  const ask = async (txid: string) =>
    await fetch(`${url}/requestForeignGASPNode`, {
      method: 'POST',
      body: JSON.stringify({ graphID: `${ad.id('hex')}.0`, txid, outputIndex: 0 }),
    });
  // Each request costs 29 of 100, also when the transaction is not found.
  expect(Math.floor(beef.length / 4_096)).toBe(29);
  const statuses: number[] = [];
  for (const txid of [ad.id('hex'), '00'.repeat(32), ad.id('hex'), ad.id('hex'), ad.id('hex')]) {
    statuses.push((await ask(txid)).status);
  }
  await server.close(1_000);
  expect(statuses).toEqual([200, 404, 200, 200, 429]);
});

test('limits count an IPv6 network as one address', async () => {
  const busy = await startHost(chain, { trustedProxies: 1 });
  const from = (n: number) => ({ 'x-forwarded-for': `2001:db8:0:1::${n.toString(16)}` });
  const responses = await Promise.all(Array.from({ length: 301 }, (_, n) => post('/submit', '', from(n), busy)));
  expect(responses.filter(({ status }) => status === 429)).toHaveLength(1);
  expect((await post('/submit', '', { 'x-forwarded-for': '2001:db8:0:2::1' }, busy)).status).toBe(400);

  const askedBy: (string | undefined)[] = [];
  const verify = jest.spyOn(busy.verifier, 'verify').mockImplementation(async (_beef, by) => {
    askedBy.push(by);
    throw new Error('not today');
  });
  const beef = toBeefBytes(await new Person().advertise(chain, A));
  const headers = { 'x-topics': '["tm_messagebox"]', 'x-forwarded-for': '2001:db8:0:3::1' };
  await post('/submit', beef, headers, busy);
  expect(askedBy).toEqual(['2001:db8:0:3::/64']);
  verify.mockRestore();
  await busy.close();
});

test('submissions are counted, and neither keys nor BEEFs are logged', async () => {
  const fresh = await startHost(chain);
  const alice = new Person();
  const ad = await alice.advertise(chain, A);
  const beef = toBeefBytes(ad);
  for (let i = 0; i < 2; i++) await post('/submit', beef, { 'x-topics': '["tm_messagebox"]' }, fresh);
  const { values } = await fresh.metrics.overlaySubmissions.get();
  expect(values.map(({ labels, value }) => [labels['topic'], labels['outcome'], value])).toEqual([
    ['tm_messagebox', 'admitted', 1],
    ['tm_messagebox', 'duplicate', 1],
  ]);
  const text = fresh.log.join('');
  expect(text).toContain('"path":"/submit"');
  for (const secret of [alice.identityKey, Buffer.from(beef).toString('hex').slice(0, 80)]) {
    expect(text).not.toContain(secret);
  }
  await fresh.close();
});
