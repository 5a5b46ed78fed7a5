import type { Curve } from './curve/curve.js';
import { loadCurve } from './curve/load-curve.js';

/**
 * Whether this is an identity: exactly 66 lower-case hex characters of a compressed point on the curve. One key has one
 * spelling, so identities compare as strings. The words `self` and `anyone`, which wallets take for a counterparty, are
 * never identities.
 *
 * @param curve default: the fastest that loads
 */
export function isIdentityKey(text: unknown, curve: Curve = loadCurve()): text is string {
  return typeof text === 'string' && /^0[23][0-9a-f]{64}$/.test(text) && curve.isPoint(Buffer.from(text, 'hex'));
}

/**
 * The canonical spelling of a public key: accepts either case, compressed (66 characters) or uncompressed (`04`, 130
 * characters). For keys of others, such as recipients; what a client claims for itself must be canonical already.
 *
 * @param curve default: the fastest that loads
 * @returns 66 lower-case hex characters, or undefined when it isn't a point on the curve
 */
export function normaliseIdentityKey(text: unknown, curve: Curve = loadCurve()): string | undefined {
  if (typeof text !== 'string' || !/^(?:0[23][0-9a-f]{64}|04[0-9a-f]{128})$/i.test(text)) return undefined;
  const point = curve.compress(Buffer.from(text, 'hex'));
  return point && Buffer.from(point).toString('hex');
}
