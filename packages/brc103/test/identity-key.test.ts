import { PrivateKey } from '@bsv/sdk';
import { loadCurve } from '../src/curve/load-curve.js';
import { isIdentityKey, normaliseIdentityKey } from '../src/identity-key.js';

const publicKey = new PrivateKey(77).toPublicKey();
const key = publicKey.toString();
const uncompressed = String(publicKey.encode(false, 'hex'));
const OFF_CURVE = `02${'0'.repeat(62)}05`;

describe.each(['native', 'wasm'] as const)('%s', (name) => {
  const curve = loadCurve(name);

  test('isIdentityKey accepts only the canonical spelling', () => {
    expect(isIdentityKey(key, curve)).toBe(true);
    const others: unknown[] = [
      ...['self', 'anyone', '', key.toUpperCase(), uncompressed, `${key} `, ` ${key}`, `${key}\n`, `0x${key}`],
      ...[key.slice(0, 64), `${key}00`, `05${key.slice(2)}`, `04${key.slice(2)}`, OFF_CURVE, `02${'f'.repeat(64)}`],
      ...[null, undefined, 3, [key], { toString: () => key }, Buffer.from(key, 'hex'), new String(key)],
    ];
    for (const other of others) expect(isIdentityKey(other, curve)).toBe(false);
  });

  test('normaliseIdentityKey converts other spellings to the canonical one', () => {
    for (const spelling of [key, key.toUpperCase(), uncompressed, uncompressed.toUpperCase()]) {
      expect(normaliseIdentityKey(spelling, curve)).toBe(key);
    }
    const broken = uncompressed.slice(0, -1) + (uncompressed.endsWith('0') ? '1' : '0');
    const hybrid = `06${uncompressed.slice(2)}`;
    for (const none of [
      'self',
      'anyone',
      '',
      OFF_CURVE,
      broken,
      hybrid,
      `07${uncompressed.slice(2)}`,
      `${key}\n`,
      null,
      1,
    ]) {
      expect(normaliseIdentityKey(none, curve)).toBeUndefined();
    }
  });
});

test('the curve is optional', () => {
  expect(isIdentityKey(key)).toBe(true);
  expect(normaliseIdentityKey(key.toUpperCase())).toBe(key);
});
