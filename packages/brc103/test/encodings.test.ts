import { BigNumber, Signature, Utils } from '@bsv/sdk';
import { decodeBase64, decodeHex, encodeVarint, VARINT_NO_VALUE } from '../src/bytes.js';
import { decodeDer, encodeDer } from '../src/der.js';
import { LruCache } from '../src/lru-cache.js';
import { SEED, SeededRandom } from './support/seeded-random.js';

test('decodeBase64 accepts only canonical base64', () => {
  expect(decodeBase64('AAEC', 0, 10)).toEqual(Buffer.of(0, 1, 2));
  expect(decodeBase64('+/+/', 0, 10)).toEqual(Buffer.of(251, 255, 191));
  expect(decodeBase64('AA==', 1, 1)).toEqual(Buffer.of(0));
  expect(decodeBase64('', 0, 0)).toEqual(Buffer.alloc(0));
  const refused: unknown[] = [
    ...['AA', 'AA=', 'AB==', 'AAE', 'AAF=', '-_-_', ' AAEC', 'AAEC\n', 'AA EC', 'AAEC=', 'AAEC====', 'A', '=', 'ÄAEC'],
    ...[null, undefined, 5, ['AAEC'], {}, Buffer.of(1)],
  ];
  for (const text of refused) expect(decodeBase64(text, 0, 100)).toBeUndefined();
  expect(decodeBase64('AAEC', 4, 10)).toBeUndefined();
  expect(decodeBase64('AAEC', 0, 2)).toBeUndefined();
  expect(decodeBase64('A'.repeat(1_000_000), 0, 100)).toBeUndefined();
});

test('decodeHex accepts only whole bytes in lower case, within the limit', () => {
  expect(decodeHex('00ff', 2)).toEqual(Buffer.of(0, 255));
  for (const text of ['', '0', '0g', '00FF', ' 00', '00\n', '000000', '0x00', null, 17, ['00']]) {
    expect(decodeHex(text, 2)).toBeUndefined();
  }
});

test('encodeVarint agrees with the SDK', () => {
  for (const value of [0, 1, 252, 253, 254, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1]) {
    expect(Array.from(encodeVarint(value))).toEqual(new Utils.Writer().writeVarIntNum(value).toArray());
  }
  expect(encodeVarint(2 ** 32).toString('hex')).toBe('ff0000000001000000');
  expect(Array.from(VARINT_NO_VALUE)).toEqual(new Utils.Writer().writeVarIntNum(-1).toArray());
  for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => encodeVarint(value)).toThrow(RangeError);
});

test('LruCache drops the least recently used entry', () => {
  const cache = new LruCache<string, number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  expect(cache.get('a')).toBe(1);
  cache.set('c', 3);
  expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual([1, undefined, 3, 2]);
});

describe('DER', () => {
  const compact = (r: Buffer, s: Buffer) => Buffer.concat([r, s]);

  test('agrees with the SDK in both directions, including short and high-bit integers', () => {
    const random = new SeededRandom(SEED);
    for (let i = 0; i < 300; i++) {
      const [r, s] = [random.bytes(32), random.bytes(32)];
      r.fill(0, 0, random.pick([0, 0, 1, 2, 15, 31]));
      s.fill(0, 0, random.pick([0, 0, 1, 2, 15, 31]));
      r[31] = (r[31] ?? 0) | 1;
      s[31] = (s[31] ?? 0) | 1;
      const theirs = new Signature(new BigNumber(Array.from(r)), new BigNumber(Array.from(s))).toDER() as number[];
      expect(Array.from(encodeDer(compact(r, s)))).toEqual(theirs);
      expect(Buffer.from(decodeDer(Uint8Array.from(theirs)) ?? []).equals(compact(r, s))).toBe(true);
    }
  });

  test('writes at most 72 bytes, and requires 64', () => {
    expect(encodeDer(Buffer.alloc(64, 0xff))).toHaveLength(72);
    expect(encodeDer(Buffer.alloc(64, 0x7f))).toHaveLength(70);
    expect(() => encodeDer(Buffer.alloc(63))).toThrow(RangeError);
  });

  test.each([
    ['an empty value', ''],
    ['another tag', '3106020101020101'],
    ['a byte after the end', '300602010102010100'],
    ['a length too short', '3005020101020101'],
    ['a length too long', '3007020101020101'],
    ['a long-form length', '308106020101020101'],
    ['an indefinite length', '3080020101020101'],
    ['one integer', '3003020101'],
    ['three integers', '3009020101020101020101'],
    ['a wrong type of integer', '3006030101020101'],
    ['an empty integer', '30050200020101'],
    ['a negative r', '3006020181020101'],
    ['a negative s', '3006020101020181'],
    ['a padded r', '300702020001020101'],
    ['a padded s', '300702010102020001'],
    ['r of zero', '3006020100020101'],
    ['s of zero', '3006020101020100'],
    ['an r that reaches beyond the end', '3006020501020101'],
    ['an s that reaches beyond the end', '3006020101020501'],
    ['a truncated r', '30020201'],
    ['33 significant bytes', `3026${`0221${'01'.repeat(33)}`}020101`],
    ['34 bytes', `3027${`0222${'00'}${'81'.repeat(33)}`}020101`],
    ['more than 72 bytes', `304a${`0223${'01'.repeat(35)}`}${`0223${'01'.repeat(35)}`}`],
  ])('refuses %s', (_what, hex) => {
    expect(decodeDer(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  test('refuses every truncation, and never throws', () => {
    const der = encodeDer(Buffer.alloc(64, 0x91));
    for (let length = 0; length < der.length; length++) expect(decodeDer(der.subarray(0, length))).toBeUndefined();
    const random = new SeededRandom(SEED + 2);
    for (let i = 0; i < 2_000; i++) decodeDer(Buffer.concat([Buffer.of(0x30), random.bytes(random.below(80))]));
  });
});
