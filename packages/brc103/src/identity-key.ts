import type { Curve } from './curve/curve.js';
import { loadCurve } from './curve/load-curve.js';

/**
 * Whether a value is an identity key: exactly 66 lower-case hex characters of a compressed point on the curve. A key has one
 * spelling, so identity keys compare as strings. `self` and `anyone`, which wallets accept as a counterparty, are not
 * identity keys.
 *
 * @param curve default: `loadCurve()`
 */
export function isIdentityKey(text: unknown, curve: Curve = loadCurve()): text is string {
  return typeof text === 'string' && /^0[23][0-9a-f]{64}$/.test(text) && curve.isPoint(Buffer.from(text, 'hex'));
}

/**
 * Converts a public key to its canonical spelling. Accepts upper and lower case, compressed (66 characters) and uncompressed
 * (`04`, 130 characters) keys. Use it for the keys of others, such as recipients. The key that a client claims as its own
 * must be canonical already.
 *
 * @param curve default: `loadCurve()`
 * @returns 66 lower-case hex characters, or undefined when the value is not a point on the curve
 */
export function normaliseIdentityKey(text: unknown, curve: Curve = loadCurve()): string | undefined {
  if (typeof text !== 'string' || !/^(?:0[23][0-9a-f]{64}|04[0-9a-f]{128})$/i.test(text)) return undefined;
  const point = curve.compress(Buffer.from(text, 'hex'));
  return point && Buffer.from(point).toString('hex');
}
