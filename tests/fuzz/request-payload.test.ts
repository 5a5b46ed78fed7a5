import { AuthError } from '@messagebox/brc103';
import { encodeRequestPayload, type Header } from '@messagebox/test-support/raw-client';
import fc from 'fast-check';
import { MalformedAuthError } from '../../packages/brc103/src/errors.js';
import { parseAuthHeaders } from '../../packages/brc103/src/http/auth-headers.js';
import { encodeRequestPayloadHead } from '../../packages/brc103/src/http/request-payload.js';
import { fuzzTest } from './support/fuzz-test.js';

const requestId = fc.uint8Array({ minLength: 32, maxLength: 32 });
const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD');
/** Characters of a request target, as Node hands it over: one for each byte. */
const targetText = fc.string({
  unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
});
const url = fc
  .tuple(targetText, fc.option(targetText, { nil: undefined }))
  .map(([path, search]) => `/${path.replaceAll('?', '')}${search === undefined ? '' : `?${search}`}`);
const headerName = fc.oneof(
  fc.constantFrom(
    'content-type',
    'Content-Type',
    'authorization',
    'host',
    'x-bsv-a',
    'x-bsv-b',
    'X-BSV-Topic',
    'x-bsv-auth-nonce',
  ),
  fc.stringMatching(/^x-bsv-[a-z0-9-]{0,8}$/),
);
const headerValue = fc.string({ maxLength: 30 }).map((text) => text.trim());
const headers = fc.uniqueArray(fc.tuple(headerName, headerValue), {
  maxLength: 6,
  selector: ([name]) => name.toLowerCase(),
});
const body = fc.uint8Array({ maxLength: 300 });

/** Reads what BRC-104 writes. */
class PayloadReader {
  #at = 0;
  constructor(private readonly bytes: Buffer) {}

  take(length: number): Buffer {
    this.#at += length;
    expect(this.#at).toBeLessThanOrEqual(this.bytes.length);
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  /** @returns undefined for a missing value */
  varint(): number | undefined {
    const first = this.take(1).readUInt8();
    if (first < 0xfd) return first;
    if (first === 0xfd) return this.take(2).readUInt16LE();
    if (first === 0xfe) return this.take(4).readUInt32LE();
    const large = this.take(8).readBigUInt64LE();
    return large === 0xffff_ffff_ffff_ffffn ? undefined : Number(large);
  }

  text(encoding: 'utf8' | 'latin1' = 'utf8'): string | undefined {
    const length = this.varint();
    return length === undefined ? undefined : this.take(length).toString(encoding);
  }

  get left(): number {
    return this.bytes.length - this.#at;
  }
}

fuzzTest(
  'a payload is read back as the request that was signed',
  500,
  fc.record({ requestId, method, url, headers, bodyBytes: fc.nat() }),
  (request) => {
    const head = encodeRequestPayloadHead({ ...request, rawHeaders: request.headers.flat() });
    const reader = new PayloadReader(head);
    expect(reader.take(32)).toEqual(Buffer.from(request.requestId));
    expect(reader.text()).toBe(request.method);
    const [path, search] = [reader.text('latin1'), reader.text('latin1')];
    expect(`${path}${search ?? ''}`).toBe(request.url);
    expect(path).not.toContain('?');
    const signed = new Map<string, string>();
    for (let left = reader.varint() ?? 0; left > 0; left--) signed.set(reader.text() ?? '', reader.text() ?? '');
    const expected = request.headers
      .map(([name, value]): Header => [name.toLowerCase(), value])
      .filter(([name]) => /^(content-type|authorization$|x-bsv-(?!auth))/.test(name))
      .map(([name, value]) => [name, name === 'content-type' ? (value.split(';')[0] ?? '').trim() : value] as const);
    expect([...signed].sort()).toEqual([...expected].sort());
    expect(reader.varint() ?? 0).toBe(request.bodyBytes);
    expect(reader.left).toBe(0);
  },
);

fuzzTest(
  'a client that encodes by itself signs the same bytes',
  500,
  fc.record({
    requestId,
    method,
    url: url.filter((text) => /^[\x21-\x7e]*$/.test(text)),
    headers: headers.filter((all) => all.every(([name]) => !name.startsWith('x-bsv-auth'))),
    body,
  }),
  ({ requestId, method, url, headers, body }) => {
    const rawHeaders = headers.flat();
    const head = encodeRequestPayloadHead({ requestId, method, url, rawHeaders, bodyBytes: body.length });
    const own = encodeRequestPayload(requestId, method, url, headers, body);
    expect(Buffer.concat([head, body]).toString('hex')).toBe(own.toString('hex'));
  },
);

fuzzTest(
  'any target and any headers are encoded or refused as malformed',
  500,
  fc.tuple(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(fc.oneof(headerName, fc.string({ unit: 'binary' })), { maxLength: 12 }),
  ),
  ([target, rawHeaders]) => {
    try {
      encodeRequestPayloadHead({ requestId: Buffer.alloc(32), method: 'GET', url: target, rawHeaders, bodyBytes: 0 });
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedAuthError);
    }
  },
);

const authHeader = fc.tuple(
  fc
    .constantFrom('version', 'identity-key', 'nonce', 'your-nonce', 'signature', 'request-id', 'other')
    .map((name) => `x-bsv-auth-${name}`),
  fc.oneof(
    fc.constantFrom('0.1', `02${'ab'.repeat(32)}`, '3045', ''),
    fc.uint8Array({ minLength: 14, maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    fc.string({ unit: 'binary' }),
  ),
);

fuzzTest('any auth headers are read or refused', 1_000, fc.array(authHeader, { maxLength: 9 }), (given) => {
  try {
    const parsed = parseAuthHeaders(given.flat());
    expect(parsed.requestId).toHaveLength(32);
    expect(parsed.signature.length).toBeLessThanOrEqual(72);
  } catch (error) {
    expect(error).toBeInstanceOf(AuthError);
  }
});
