import { AuthFetch, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import { keepBody } from '../../app/src/inspector/observe/traffic.js';
import { encodeUtf8, encodeVarint, toHex } from '../../app/src/inspector/wire/bytes.js';
import type { LabelledBytes } from '../../app/src/inspector/wire/labelled-bytes.js';
import { serialiseAnswer, serialiseRequest } from '../../app/src/inspector/wire/serialise-request.js';

/** The serialisation of a request in the SDK, which its types keep private. */
interface Serializer {
  serializeRequest(
    method: string,
    headers: Record<string, string>,
    body: unknown,
    url: URL,
    requestNonce: number[],
  ): Promise<{ toArray(): number[] }>;
}

const requestId = new Uint8Array(32).fill(7);
const sdk = new AuthFetch(new ProtoWallet(PrivateKey.fromRandom()) as unknown as WalletInterface);

async function serialiseWithSdk(method: string, url: string, headers: Record<string, string>, body?: string) {
  const serializer = sdk as unknown as Serializer;
  const writer = await serializer.serializeRequest(method, headers, body, new URL(url), [...requestId]);
  return Uint8Array.from(writer.toArray());
}

function listLabels({ ranges, bytes }: LabelledBytes): Record<string, string> {
  return Object.fromEntries(ranges.map(({ label, start, end }) => [label, toHex(bytes.subarray(start, end))]));
}

describe('the bytes of a request', () => {
  it.each([
    ['GET', 'http://host/devices', {}, undefined],
    ['GET', 'http://host/a%20b?x=1&x=2&%C3%A9=', { authorization: 'token' }, undefined],
    ['POST', 'http://host/', { 'Content-Type': 'application/json; charset=utf-8' }, '{"text":"grüße 😀"}'],
    ['PUT', 'http://host/p', { 'x-bsv-b': '2', 'X-BSV-a.b': '1', 'x-bsv-a-b': '', 'content-type': 'text/plain' }, 'a'],
    ['POST', 'http://host/long', { 'content-type': 'text/plain' }, 'a'.repeat(70_000)],
  ] as const)('are those of the SDK for %s %s', async (method, url, headers, body) => {
    const seen = serialiseRequest({
      requestId,
      method,
      url,
      headers: Object.entries<string>(headers),
      body: body === undefined ? undefined : keepBody(encodeUtf8(body)),
    });
    expect(toHex(seen.bytes)).toBe(toHex(await serialiseWithSdk(method, url, headers, body)));
  });

  it('leave out the headers that are not signed', () => {
    const signed = { requestId, method: 'GET', url: 'http://host/', body: undefined };
    const headers = [
      ['Accept', '*/*'],
      ['x-bsv-auth-nonce', 'AAAA'],
    ] as const;
    expect(serialiseRequest({ ...signed, headers })).toEqual(serialiseRequest({ ...signed, headers: [] }));
  });

  it('have a name for each part, without a gap', () => {
    const { bytes, ranges } = serialiseRequest({
      requestId,
      method: 'POST',
      url: 'http://host/sendMessage?a=1',
      headers: [['content-type', 'application/json']],
      body: keepBody(encodeUtf8('{}')),
    });
    expect(ranges.map(({ label }) => label)).toEqual([
      'request id',
      'length of the method',
      'method',
      'length of the path',
      'path',
      'length of the search',
      'search',
      'number of signed headers',
      'length of the name of the header content-type',
      'name of the header content-type',
      'length of the value of the header content-type',
      'value of the header content-type',
      'length of the body',
      'body',
    ]);
    expect(ranges[0]?.start).toBe(0);
    expect(ranges.at(-1)?.end).toBe(bytes.length);
    for (const [i, range] of ranges.slice(1).entries()) expect(range.start).toBe(ranges[i]?.end);
  });

  it('write -1 for a search and a body that are missing', () => {
    const labels = listLabels(
      serialiseRequest({ requestId, method: 'GET', url: 'http://host/', headers: [], body: undefined }),
    );
    expect(labels['length of the search']).toBe('ffffffffffffffffff');
    expect(labels['length of the body']).toBe('ffffffffffffffffff');
  });

  it('say how much of a long body was not kept', () => {
    const body = { bytes: encodeUtf8('start'), totalBytes: 1_000 };
    const seen = serialiseRequest({ requestId, method: 'POST', url: 'http://host/', headers: [], body });
    expect(seen.missingBytes).toBe(995);
    expect(listLabels(seen)['length of the body']).toBe('fde803');
  });
});

describe('the bytes of an answer', () => {
  it('hold id, status, signed headers in order and body', () => {
    const seen = serialiseAnswer({
      requestId,
      status: 402,
      headers: [
        ['X-BSV-Z', 'last'],
        ['content-type', 'text/plain'],
        ['x-bsv-auth-nonce', 'AAAA'],
        ['x-bsv-a', 'first'],
      ],
      body: keepBody(encodeUtf8('pay')),
    });
    const expected = `${'07'.repeat(32)}fd920102${'07'}782d6273762d61${'05'}6669727374${'07'}782d6273762d7a${'04'}6c617374${'03'}706179`;
    expect(toHex(seen.bytes)).toBe(expected);
  });

  it('write 0 for an empty body', () => {
    const seen = serialiseAnswer({ requestId, status: 200, headers: [], body: keepBody(new Uint8Array()) });
    expect(listLabels(seen)['length of the body']).toBe('00');
  });
});

describe('a varint', () => {
  it.each([
    [0, '00'],
    [252, 'fc'],
    [253, 'fdfd00'],
    [65_535, 'fdffff'],
    [65_536, 'fe00000100'],
    [4_294_967_296, 'ff0000000001000000'],
    [-1, 'ffffffffffffffffff'],
  ])('of %i is %s', (value, hex) => {
    expect(toHex(encodeVarint(value))).toBe(hex);
  });

  it.each([-2, 0.5, Number.NaN, 2 ** 53])('is not made of %d', (value) => {
    expect(() => encodeVarint(value)).toThrow(new RangeError('A varint must be a whole number of -1 or more'));
  });
});
