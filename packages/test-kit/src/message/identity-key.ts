import { ECDH } from 'node:crypto';

/** Whether a value is an identity key: 66 lower-case hex characters of a compressed point. */
export function isIdentityKey(value: unknown): value is string {
  if (typeof value !== 'string' || !/^0[23][0-9a-f]{64}$/.test(value)) return false;
  try {
    return ECDH.convertKey(value, 'secp256k1', 'hex', 'hex', 'compressed') === value;
  } catch {
    return false;
  }
}
