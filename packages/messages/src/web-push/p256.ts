import { createECDH } from 'node:crypto';
import { decodeBase64Url } from './base64url.js';

/** OpenSSL's name of P-256, the curve of subscriptions (RFC 8291) and of VAPID (RFC 8292). */
export const P256 = 'prime256v1';

const POINT_BYTES = 65;
const SCALAR_BYTES = 32;
const UNCOMPRESSED = 0x04;
/** The smallest private key: the check of a point needs one, and none that is secret. */
const ONE = Buffer.concat([Buffer.alloc(SCALAR_BYTES - 1), Buffer.from([1])]);

/**
 * Decodes an uncompressed point on P-256.
 *
 * @param text 65 bytes in base64url
 * @returns undefined for any other text, and for a point that is not on the curve
 */
export function decodeP256Point(text: string): Buffer | undefined {
  const point = decodeBase64Url(text, POINT_BYTES);
  if (point === undefined || point[0] !== UNCOMPRESSED) return undefined;
  const ecdh = createECDH(P256);
  ecdh.setPrivateKey(ONE);
  try {
    // The agreement fails for a point that is not on the curve.
    ecdh.computeSecret(point);
    return point;
  } catch {
    return undefined;
  }
}

/**
 * The public key of a private key of P-256.
 *
 * @param privateKey 32 bytes in base64url
 * @returns the uncompressed point, 65 bytes in base64url; undefined when the text is not a private key of P-256
 */
export function deriveP256PublicKey(privateKey: string): string | undefined {
  const scalar = decodeBase64Url(privateKey, SCALAR_BYTES);
  if (scalar === undefined) return undefined;
  const ecdh = createECDH(P256);
  try {
    ecdh.setPrivateKey(scalar);
  } catch {
    return undefined; // zero, or not below the order of the curve
  }
  return ecdh.getPublicKey('base64url', 'uncompressed');
}
