import { gzipSync } from 'node:zlib';
import { parseTransaction, serializeBeef, varInt } from '@messagebox/wallet';
import { hostBase, hostUrl } from '../src/net/host-url.js';
import { type FoundOutput, lookupAt } from '../src/net/lookup-at.js';
import { isPublicAddress } from '../src/net/public-address.js';
import { FetchError, PublicFetch } from '../src/net/public-fetch.js';
import { submitTo } from '../src/net/submit-to.js';
import { decodeMessageBoxAd } from '../src/topics/message-box-ad.js';
import { bytesOf, TestChain } from './support/chain.js';
import { endlessAnswer, type FakePeer, jsonAnswer, startPeer } from './support/fake-peer.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

const chain = new TestChain();
const local = new PublicFetch('local');
let peer: FakePeer;

beforeEach(async () => {
  peer = await startPeer();
});
afterEach(() => peer.close());
afterAll(() => local.close());

describe('public addresses', () => {
  test.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '192.167.1.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is one',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
  test.each([
    '0.0.0.0',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '198.18.0.1',
    '192.0.2.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '::10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001:0:a00:1::',
    '2001:db8::1',
    'localhost',
    '',
    '1.2.3',
    '1.2.3.4/8',
  ])('%j is none', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('where the paths of an advertised host begin', () => {
  const HOST = 'https://8.1';
  test.each([
    ['HTTPS://Box.Mailboxes.org', undefined],
    ['https://Box.mailboxes.org:443/', 'https://box.mailboxes.org'],
    ['https://box.mailboxes.org/a//', 'https://box.mailboxes.org/a'],
    [HOST, 'https://8.0.0.1'],
    ['https://127.1', undefined],
  ])('%s: %s', (address, base) => expect(hostBase(address, 'main')).toBe(base));

  test('is no longer than its column, however short it was advertised', () => {
    const longest = `${HOST}/`.padEnd(251, 'a');
    expect(hostBase(longest, 'main')).toBe(longest.replace('8.1', '8.0.0.1'));
    expect(hostBase(`${longest}a`, 'main')).toBeUndefined();
    expect(hostUrl(`${longest}a`, 'main')).toBeDefined();
  });
});

describe('requests to strangers', () => {
  test('carry what they are given and bring the answer', async () => {
    peer.answers['/x'] = (response, body, request) => {
      jsonAnswer({ body, method: request.method, type: request.headers['content-type'] }, 201)(response, body, request);
    };
    const response = await local.request(`${peer.url}/x`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    });
    expect([response.status, response.contentType]).toEqual([201, 'application/json']);
    expect(JSON.parse(response.body.toString())).toEqual({ body: { a: 1 }, method: 'POST', type: 'application/json' });
  });

  test.each(['main', 'test'] as const)('never reach this machine or a private network on %s', async (network) => {
    const fetch = new PublicFetch(network);
    const port = new URL(peer.url).port;
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '2130706433',
      '0x7f000001',
      '127.1',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
    ]) {
      const error = await fetch.request(`https://${host}:${port}/x`).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(FetchError);
      expect(String(error)).toMatch(/public/);
    }
    await expect(fetch.request(`${peer.url}/x`)).rejects.toThrow('The address is not https.');
    for (const url of ['file:///etc/passwd', 'data:text/plain,x', 'nonsense', '']) {
      await expect(fetch.request(url)).rejects.toThrow(FetchError);
    }
    expect(peer.asked).toEqual([]);
    await fetch.close();
  });

  test('are not sent elsewhere', async () => {
    const target = await startPeer({ '/secret': jsonAnswer({}) });
    for (const status of [301, 302, 303, 307, 308]) {
      peer.answers['/x'] = (response) => response.writeHead(status, { location: `${target.url}/secret` }).end();
      await expect(local.request(`${peer.url}/x`, { method: 'POST', body: '{}' })).rejects.toThrow(FetchError);
    }
    expect(target.asked).toEqual([]);
    await target.close();
  });

  test('end at a number of bytes, however they come', async () => {
    peer.answers['/endless'] = endlessAnswer('application/json');
    peer.answers['/bomb'] = (response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000)));
    };
    for (const path of ['/endless', '/bomb']) {
      await expect(local.request(`${peer.url}${path}`, { maxBytes: 100_000 })).rejects.toThrow(
        'more than 100000 bytes',
      );
    }
  });

  test('end in time: no answer, a trickle, a signal', async () => {
    peer.answers['/silent'] = () => {};
    peer.answers['/trickle'] = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    for (const path of ['/silent', '/trickle']) {
      await expect(local.request(`${peer.url}${path}`, { timeoutMs: 200 })).rejects.toThrow('no answer in time');
    }
    const abort = new AbortController();
    const waiting = local.request(`${peer.url}/silent`, { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toThrow(FetchError);
  });

  test('that fail say why', async () => {
    const gone = await startPeer();
    await gone.close();
    await expect(local.request(gone.url)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('other overlay hosts', () => {
  const question = { service: 'ls_messagebox', query: {} };
  const hostsIn = (outputs: readonly FoundOutput[]) => outputs.map(({ script }) => decodeMessageBoxAd(script)?.host);
  const binary = (body: Buffer) => {
    peer.answers['/lookup'] = (response) =>
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(body);
  };
  /** `TXID.0` without a context, as an aggregated answer names it. */
  const named = (txid: string) => Buffer.concat([Buffer.from(txid, 'hex'), Buffer.of(0, 0)]);
  let host: Host;

  beforeAll(async () => {
    host = await startHost(chain);
  });
  afterAll(() => host.close());

  test('are submitted to and asked, both forms', async () => {
    const alice = new Person();
    const ads = [
      await alice.advertise(chain, 'https://a.mailboxes.org'),
      await alice.advertise(chain, 'https://b.mailboxes.org'),
    ];
    for (const ad of ads) {
      expect(await submitTo(local, host.url, bytesOf(ad), ['tm_messagebox'])).toEqual({
        tm_messagebox: { outputsToAdmit: [0], coinsToRetain: [], coinsRemoved: [] },
      });
    }
    const mine = { service: 'ls_messagebox', query: { identityKey: alice.identityKey } };
    const { outputs: found } = await host.engine.lookup(mine);
    const written = found.map(({ beef, outputIndex }) => ({ beef: [...beef], outputIndex }));
    const aggregated = await lookupAt(local, host.url, mine);
    peer.answers['/lookup'] = jsonAnswer({ type: 'output-list', outputs: written });
    const plain = await lookupAt(local, peer.url, mine);
    for (const outputs of [aggregated, plain]) {
      expect(hostsIn(outputs)).toEqual(['https://b.mailboxes.org', 'https://a.mailboxes.org']);
      expect(outputs.map(({ txid, outputIndex }) => `${txid} ${outputIndex}`)).toEqual([
        `${ads[1]?.id('hex')} 0`,
        `${ads[0]?.id('hex')} 0`,
      ]);
    }
  });

  test('a refusal is told with its reason', async () => {
    await expect(submitTo(local, host.url, Uint8Array.of(1, 2, 3), ['tm_messagebox'])).rejects.toThrow(
      /^The host answers 400: .*ends too early/,
    );
    peer.answers['/submit'] = jsonAnswer({ status: 'error', message: 'no\nsuch \u0007 topic' }, 400);
    await expect(submitTo(local, peer.url, Uint8Array.of(1), ['tm_x'])).rejects.toThrow('400: no such topic.');
  });

  test.each<[string, Parameters<typeof jsonAnswer>]>([
    ['a list', [[]]],
    ['nothing', [{}]],
    ['a text', ['x']],
    ['a topic without lists', [{ tm_x: { outputsToAdmit: 'all' } }]],
    ['a topic that is null', [{ tm_x: null }]],
  ])('a STEAK that is %s is none', async (_name, answer) => {
    peer.answers['/submit'] = jsonAnswer(...answer);
    await expect(submitTo(local, peer.url, Uint8Array.of(1), ['tm_x'])).rejects.toThrow('STEAK');
  });

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['2^53 outputs', Buffer.from('ffffffffffffffff1f', 'hex')],
    ['a thousand outputs and no more', Buffer.from('fde803', 'hex')],
    ['a context of 2^32 bytes', Buffer.concat([Buffer.of(1), Buffer.alloc(32), Buffer.from('00feffffffff', 'hex')])],
    ['no BEEF', Buffer.concat([Buffer.of(1), Buffer.alloc(32), Buffer.from('0000', 'hex'), Buffer.alloc(10)])],
    [
      'a BEEF of 2^53 transactions',
      Buffer.concat([Buffer.of(1), Buffer.alloc(32), Buffer.from('00000200beef00ffffffffffffffff1f', 'hex')]),
    ],
  ])('a binary answer with %s ends with an error', async (_name, body) => {
    binary(body);
    await expect(lookupAt(local, peer.url, question)).rejects.toThrow('like a lookup service');
  });

  test('outputs that did not come along are left out, and one that is named twice is there once', async () => {
    const ad = await new Person().advertise(chain, 'https://a.mailboxes.org');
    const txid = ad.id('hex');
    const second = Buffer.concat([Buffer.from(txid, 'hex'), Buffer.of(7, 0)]);
    binary(Buffer.concat([Buffer.of(4), named('00'.repeat(32)), named(txid), second, named(txid), bytesOf(ad)]));
    const outputs = await lookupAt(local, peer.url, question);
    expect(outputs).toEqual([{ txid, outputIndex: 0, script: ad.outputs[0]?.lockingScript.toUint8Array() }]);
  });

  test('many outputs that rest on the same megabytes take those once', async () => {
    const script = Buffer.alloc(3_900_000, 0x6a);
    const parent = raw('', [script]);
    const children = Array.from({ length: 100 }, (_, index) =>
      raw(`${Buffer.from(parent.txid, 'hex').reverse().toString('hex')}${uint32(index)}00ffffffff`, [Buffer.of(0x51)]),
    );
    const all = [parent, ...children];
    binary(Buffer.concat([varInt(all.length), ...all.map(({ txid }) => named(txid)), serializeBeef(all)]));
    const outputs = await lookupAt(local, peer.url, question);
    expect(outputs).toHaveLength(all.length);
    // Views of the one answer: of what was read nothing is there twice.
    expect(new Set(outputs.map((output) => output.script.buffer)).size).toBe(1);
    expect(outputs.reduce((sum, output) => sum + output.script.length, 0)).toBe(script.length + children.length);
  });

  test.each<[string, unknown]>([
    ['no outputs', {}],
    ['null', null],
    ['outputs that are no list', { outputs: 'x' }],
  ])('a plain answer with %s ends with an error', async (_name, body) => {
    peer.answers['/lookup'] = jsonAnswer(body);
    await expect(lookupAt(local, peer.url, question)).rejects.toThrow('like a lookup service');
  });

  test('what is no BEEF in a plain answer is left out', async () => {
    const outputs = [
      null,
      {},
      { beef: 'x', outputIndex: 0 },
      { beef: [1, 2], outputIndex: 0 },
      { beef: [256], outputIndex: 0 },
      { beef: [...Buffer.from('0200beef00ffffffffffffffff1f', 'hex')], outputIndex: 0 },
      { beef: [...bytesOf(chain.fund())], outputIndex: '0' },
    ];
    peer.answers['/lookup'] = jsonAnswer({ type: 'output-list', outputs });
    expect(await lookupAt(local, peer.url, question)).toEqual([]);
  });

  test('an endless answer ends', async () => {
    peer.answers['/lookup'] = endlessAnswer('application/octet-stream');
    peer.answers['/submit'] = endlessAnswer('application/json');
    await expect(lookupAt(local, peer.url, question)).rejects.toThrow('more than');
    await expect(submitTo(local, peer.url, Uint8Array.of(1), ['tm_x'])).rejects.toThrow('more than');
  });
});

const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
};

/** @param input hex of the only one; none when it is empty */
function raw(input: string, scripts: readonly Buffer[]) {
  const outputs = scripts.flatMap((script) => [Buffer.from('0100000000000000', 'hex'), varInt(script.length), script]);
  const head = Buffer.from(`01000000${input === '' ? '00' : '01'}${input}`, 'hex');
  const bytes = Buffer.concat([head, Buffer.of(scripts.length), ...outputs, Buffer.alloc(4)]);
  return { ...parseTransaction(bytes), proof: undefined };
}
