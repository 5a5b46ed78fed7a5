import { PrivateKey, PublicKey } from '@bsv/sdk';
import type { Curve } from '../src/curve/curve.js';
import { loadCurve } from '../src/curve/load-curve.js';
import { SEED, SeededRandom } from './support/seeded-random.js';

const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
const bytes = (hex: string) => Buffer.from(hex, 'hex');
const hex = (value: Uint8Array | undefined) => value && Buffer.from(value).toString('hex');

test('loadCurve prefers the native library, and loads no other library than the requested one', () => {
  expect(loadCurve().name).toBe('native');
  expect(loadCurve('native').name).toBe('native');
  expect(loadCurve('wasm').name).toBe('wasm');
});

describe('without the native addon', () => {
  beforeEach(() => {
    jest.resetModules();
    jest.doMock('secp256k1/bindings.js', () => {
      throw new Error('no build for this platform');
    });
  });
  afterEach(() => jest.dontMock('secp256k1/bindings.js'));

  test('loadCurve falls back to WebAssembly, unless native is requested', async () => {
    const { loadCurve: load } = await import('../src/curve/load-curve.js');
    expect(load().name).toBe('wasm');
    expect(() => load('native')).toThrow('No secp256k1 library could be loaded (tried native)');
  });
});

describe.each(['native', 'wasm'] as const)('%s', (name) => {
  let curve: Curve;
  beforeAll(() => {
    curve = loadCurve(name);
  });

  test('agrees with the SDK on keys, points and sums', () => {
    const random = new SeededRandom(SEED);
    for (let i = 0; i < 20; i++) {
      const a = random.bytes(32);
      const b = random.bytes(32);
      const aKey = new PrivateKey(a.toString('hex'), 16);
      const bKey = new PrivateKey(b.toString('hex'), 16);
      expect(hex(curve.getPublicKey(a))).toBe(aKey.toPublicKey().toString());
      const bPoint = curve.getPublicKey(b);
      expect(hex(curve.multiply(bPoint, a))).toBe(bKey.toPublicKey().mul(aKey).encode(true, 'hex'));
      const sum = curve.addToPrivate(a, b);
      expect(hex(curve.addToPoint(bPoint, a))).toBe(hex(curve.getPublicKey(sum)));
      expect(hex(sum)).toBe(
        ((BigInt(`0x${a.toString('hex')}`) + BigInt(`0x${b.toString('hex')}`)) % BigInt(`0x${ORDER}`))
          .toString(16)
          .padStart(64, '0'),
      );
    }
  });

  test('does not change its arguments', () => {
    const key = Buffer.alloc(32, 1);
    const tweak = Buffer.alloc(32, 2);
    const point = curve.getPublicKey(key);
    const before = Buffer.from(point);
    curve.addToPrivate(key, tweak);
    curve.addToPoint(point, tweak);
    curve.multiply(point, tweak);
    const hash = Buffer.alloc(32, 3);
    const signature = curve.sign(hash, key);
    const signatureBefore = Buffer.from(signature);
    expect(curve.verify(hash, signature, point)).toBe(true);
    expect([key, tweak, hash]).toEqual([Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3)]);
    expect(Buffer.from(point).equals(before)).toBe(true);
    expect(Buffer.from(signature).equals(signatureBefore)).toBe(true);
  });

  test('recognises private keys', () => {
    expect(curve.isPrivateKey(Buffer.alloc(32, 1))).toBe(true);
    for (const bad of [Buffer.alloc(32), Buffer.alloc(31, 1), Buffer.alloc(33, 1), Buffer.alloc(0), bytes(ORDER)]) {
      expect(curve.isPrivateKey(bad)).toBe(false);
    }
  });

  test('recognises points', () => {
    const point = Buffer.from(curve.getPublicKey(Buffer.alloc(32, 5)));
    const uncompressed = bytes(String(PublicKey.fromString(point.toString('hex')).encode(false, 'hex')));
    const hybrid = Buffer.from(uncompressed);
    hybrid[0] = 6 + ((uncompressed[64] ?? 0) & 1);
    const offCurve = Buffer.alloc(33, 0);
    offCurve[0] = 2;
    offCurve[32] = 5; // 5 has no y: 5^3 + 7 is not a square
    expect(curve.isPoint(point)).toBe(true);
    expect(curve.isPoint(uncompressed)).toBe(false);
    expect(hex(curve.compress(point))).toBe(point.toString('hex'));
    expect(hex(curve.compress(uncompressed))).toBe(point.toString('hex'));
    for (const bad of [hybrid, offCurve, Buffer.alloc(33), Buffer.alloc(65), Buffer.alloc(0), Buffer.alloc(33, 0xff)]) {
      expect(curve.isPoint(bad)).toBe(false);
      expect(curve.compress(bad)).toBeUndefined();
    }
    uncompressed[64] = (uncompressed[64] ?? 0) ^ 1;
    expect(curve.compress(uncompressed)).toBeUndefined();
  });

  test('signs with a low S, and verifies a low and a high S', () => {
    const order = BigInt(`0x${ORDER}`);
    const random = new SeededRandom(SEED + 1);
    for (let i = 0; i < 20; i++) {
      const key = random.bytes(32);
      const hash = random.bytes(32);
      const signature = Buffer.from(curve.sign(hash, key));
      const s = BigInt(`0x${signature.toString('hex', 32)}`);
      expect(s <= order / 2n).toBe(true);
      const highS = Buffer.concat([signature.subarray(0, 32), bytes((order - s).toString(16).padStart(64, '0'))]);
      const publicKey = curve.getPublicKey(key);
      expect(curve.verify(hash, signature, publicKey)).toBe(true);
      expect(curve.verify(hash, highS, publicKey)).toBe(true);
      hash[0] = (hash[0] ?? 0) ^ 1;
      expect(curve.verify(hash, signature, publicKey)).toBe(false);
    }
  });

  test('returns false for invalid signatures, hashes and keys', () => {
    const hash = Buffer.alloc(32, 9);
    const key = Buffer.alloc(32, 4);
    const publicKey = curve.getPublicKey(key);
    const signature = curve.sign(hash, key);
    for (const bad of [Buffer.alloc(64), Buffer.alloc(64, 0xff), Buffer.alloc(63), Buffer.alloc(0), Buffer.alloc(65)]) {
      expect(curve.verify(hash, bad, publicKey)).toBe(false);
    }
    expect(curve.verify(Buffer.alloc(31), signature, publicKey)).toBe(false);
    for (const bad of [Buffer.alloc(33), Buffer.alloc(33, 2), Buffer.alloc(65, 4), Buffer.alloc(0)]) {
      expect(curve.verify(hash, signature, bad)).toBe(false);
    }
  });

  test('throws when there is no result', () => {
    const key = Buffer.alloc(32, 1);
    const minusKey = bytes((BigInt(`0x${ORDER}`) - BigInt(`0x${key.toString('hex')}`)).toString(16).padStart(64, '0'));
    expect(() => curve.addToPrivate(key, minusKey)).toThrow();
    expect(() => curve.addToPoint(curve.getPublicKey(key), minusKey)).toThrow();
    expect(() => curve.addToPrivate(key, bytes(ORDER))).toThrow();
    expect(() => curve.multiply(Buffer.alloc(33, 2), Buffer.alloc(32))).toThrow();
    expect(() => curve.multiply(curve.getPublicKey(key), Buffer.alloc(32))).toThrow();
    expect(() => curve.getPublicKey(Buffer.alloc(32))).toThrow();
    expect(() => curve.sign(key, Buffer.alloc(32))).toThrow();
  });
});
