import { gzipSync } from 'node:zlib';
import { FetchError, PublicFetch } from '@messagebox/shared';
import { encodeVarInt, parseTransaction, serializeBeef } from '@messagebox/transactions';
import { queryLookupService, type RemoteOutput } from '../../src/http-client/query-lookup-service.js';
import { submitToHost } from '../../src/http-client/submit-to-host.js';
import { decodeMessageBoxAd } from '../../src/topics/message-box-ad.js';
import { TestChain, toBeefBytes } from '../support/chain.js';
import { endlessAnswer, type FakePeer, jsonAnswer, startPeer } from '../support/fake-peer.js';
import { type Host, startHost } from '../support/host.js';
import { Person } from '../support/person.js';

const chain = new TestChain();
const local = new PublicFetch('local');
let peer: FakePeer;

beforeEach(async () => {
  peer = await startPeer();
});
afterEach(() => peer.close());
afterAll(() => local.close());

describe('PublicFetch', () => {
  test('sends method, headers and body, and returns the answer', async () => {
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

  test.each(['main', 'test'] as const)(
    'never connects to this machine or a private network on network %s',
    async (network) => {
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
    },
  );

  test('follows no redirect', async () => {
    const target = await startPeer({ '/secret': jsonAnswer({}) });
    for (const status of [301, 302, 303, 307, 308]) {
      peer.answers['/x'] = (response) => response.writeHead(status, { location: `${target.url}/secret` }).end();
      await expect(local.request(`${peer.url}/x`, { method: 'POST', body: '{}' })).rejects.toThrow(FetchError);
    }
    expect(target.asked).toEqual([]);
    await target.close();
  });

  test('ends an answer that exceeds its number of bytes, also after decompression', async () => {
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

  test('ends a request without an answer, with a slow answer, and by a signal', async () => {
    peer.answers['/silent'] = () => {};
    peer.answers['/trickle'] = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    for (const path of ['/silent', '/trickle']) {
      await expect(local.request(`${peer.url}${path}`, { timeoutMs: 200 })).rejects.toThrow('did not answer in time');
    }
    const abort = new AbortController();
    const waiting = local.request(`${peer.url}/silent`, { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toThrow(FetchError);
  });

  test('throws the reason of a failed connection', async () => {
    const gone = await startPeer();
    await gone.close();
    await expect(local.request(gone.url)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('other overlay hosts', () => {
  const question = { service: 'ls_messagebox', query: {} };
  const hostsIn = (outputs: readonly RemoteOutput[]) => outputs.map(({ script }) => decodeMessageBoxAd(script)?.host);
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

  test('accept a submission, and answer a lookup in both forms', async () => {
    const alice = new Person();
    const ads = [
      await alice.advertise(chain, 'https://a.mailboxes.org'),
      await alice.advertise(chain, 'https://b.mailboxes.org'),
    ];
    for (const ad of ads) {
      expect(await submitToHost(local, host.url, toBeefBytes(ad), ['tm_messagebox'])).toEqual({
        tm_messagebox: { outputsToAdmit: [0], coinsToRetain: [], coinsRemoved: [] },
      });
    }
    const mine = { service: 'ls_messagebox', query: { identityKey: alice.identityKey } };
    const { outputs: found } = await host.engine.lookup(mine);
    const written = found.map(({ beef, outputIndex }) => ({ beef: [...beef], outputIndex }));
    const aggregated = await queryLookupService(local, host.url, mine);
    peer.answers['/lookup'] = jsonAnswer({ type: 'output-list', outputs: written });
    const plain = await queryLookupService(local, peer.url, mine);
    for (const outputs of [aggregated, plain]) {
      expect(hostsIn(outputs)).toEqual(['https://b.mailboxes.org', 'https://a.mailboxes.org']);
      expect(outputs.map(({ txid, outputIndex }) => `${txid} ${outputIndex}`)).toEqual([
        `${ads[1]?.id('hex')} 0`,
        `${ads[0]?.id('hex')} 0`,
      ]);
    }
  });

  test('refuse a submission with a reason that is passed on', async () => {
    await expect(submitToHost(local, host.url, Uint8Array.of(1, 2, 3), ['tm_messagebox'])).rejects.toThrow(
      /^The host answers 400: .*ends too early/,
    );
    peer.answers['/submit'] = jsonAnswer({ status: 'error', message: 'no\nsuch \u0007 topic' }, 400);
    await expect(submitToHost(local, peer.url, Uint8Array.of(1), ['tm_x'])).rejects.toThrow('400: no such topic.');
  });

  test.each<[string, Parameters<typeof jsonAnswer>]>([
    ['a list', [[]]],
    ['nothing', [{}]],
    ['a text', ['x']],
    ['a topic without lists', [{ tm_x: { outputsToAdmit: 'all' } }]],
    ['a topic that is null', [{ tm_x: null }]],
  ])('cause an error with a STEAK that is %s', async (_name, answer) => {
    peer.answers['/submit'] = jsonAnswer(...answer);
    await expect(submitToHost(local, peer.url, Uint8Array.of(1), ['tm_x'])).rejects.toThrow('STEAK');
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
  ])('cause an error with a binary answer of %s', async (_name, body) => {
    binary(body);
    await expect(queryLookupService(local, peer.url, question)).rejects.toThrow('not that of a lookup service');
  });

  test('return each output once, without those whose transaction is missing', async () => {
    const ad = await new Person().advertise(chain, 'https://a.mailboxes.org');
    const txid = ad.id('hex');
    const second = Buffer.concat([Buffer.from(txid, 'hex'), Buffer.of(7, 0)]);
    binary(Buffer.concat([Buffer.of(4), named('00'.repeat(32)), named(txid), second, named(txid), toBeefBytes(ad)]));
    const outputs = await queryLookupService(local, peer.url, question);
    expect(outputs).toEqual([{ txid, outputIndex: 0, script: ad.outputs[0]?.lockingScript.toUint8Array() }]);
  });

  test('return many outputs with a common ancestor without copies of its bytes', async () => {
    const script = Buffer.alloc(3_900_000, 0x6a);
    const parent = raw('', [script]);
    const children = Array.from({ length: 100 }, (_, index) =>
      raw(`${Buffer.from(parent.txid, 'hex').reverse().toString('hex')}${uint32(index)}00ffffffff`, [Buffer.of(0x51)]),
    );
    const all = [parent, ...children];
    binary(Buffer.concat([encodeVarInt(all.length), ...all.map(({ txid }) => named(txid)), serializeBeef(all)]));
    const outputs = await queryLookupService(local, peer.url, question);
    expect(outputs).toHaveLength(all.length);
    // All scripts are views of the one answer.
    expect(new Set(outputs.map((output) => output.script.buffer)).size).toBe(1);
    expect(outputs.reduce((sum, output) => sum + output.script.length, 0)).toBe(script.length + children.length);
  });

  test.each<[string, unknown]>([
    ['no outputs', {}],
    ['null', null],
    ['outputs that are not a list', { outputs: 'x' }],
  ])('cause an error with a plain answer of %s', async (_name, body) => {
    peer.answers['/lookup'] = jsonAnswer(body);
    await expect(queryLookupService(local, peer.url, question)).rejects.toThrow('not that of a lookup service');
  });

  test('return only valid BEEFs of a plain answer', async () => {
    const outputs = [
      null,
      {},
      { beef: 'x', outputIndex: 0 },
      { beef: [1, 2], outputIndex: 0 },
      { beef: [256], outputIndex: 0 },
      { beef: [...Buffer.from('0200beef00ffffffffffffffff1f', 'hex')], outputIndex: 0 },
      { beef: [...toBeefBytes(chain.fund())], outputIndex: '0' },
    ];
    peer.answers['/lookup'] = jsonAnswer({ type: 'output-list', outputs });
    expect(await queryLookupService(local, peer.url, question)).toEqual([]);
  });

  test('cannot send an endless answer', async () => {
    peer.answers['/lookup'] = endlessAnswer('application/octet-stream');
    peer.answers['/submit'] = endlessAnswer('application/json');
    await expect(queryLookupService(local, peer.url, question)).rejects.toThrow('more than');
    await expect(submitToHost(local, peer.url, Uint8Array.of(1), ['tm_x'])).rejects.toThrow('more than');
  });
});

const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
};

/** @param input the hex text of the only input; empty: no input */
function raw(input: string, scripts: readonly Buffer[]) {
  const outputs = scripts.flatMap((script) => [
    Buffer.from('0100000000000000', 'hex'),
    encodeVarInt(script.length),
    script,
  ]);
  const head = Buffer.from(`01000000${input === '' ? '00' : '01'}${input}`, 'hex');
  const bytes = Buffer.concat([head, Buffer.of(scripts.length), ...outputs, Buffer.alloc(4)]);
  return { ...parseTransaction(bytes), proof: undefined };
}
