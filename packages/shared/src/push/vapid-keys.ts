import { createECDH } from 'node:crypto';
import { deriveP256PublicKey, P256 } from '@messagebox/messages';

/** The key pair by which push services and browsers know a server (VAPID, RFC 8292). */
export interface VapidKeys {
  /** An uncompressed point of P-256, 65 bytes in base64url. */
  readonly publicKey: string;
  /** 32 bytes in base64url. */
  readonly privateKey: string;
}

/** Makes a key pair. */
export function generateVapidKeys(): VapidKeys {
  const ecdh = createECDH(P256);
  ecdh.generateKeys();
  // A private key with leading zeros is shorter than 32 bytes.
  const privateKey = Buffer.from(ecdh.getPrivateKey('hex').padStart(64, '0'), 'hex');
  return { publicKey: ecdh.getPublicKey('base64url', 'uncompressed'), privateKey: privateKey.toString('base64url') };
}

/**
 * The pair of a private key.
 *
 * @param privateKey 32 bytes in base64url
 * @returns undefined when the text is not a private key of P-256
 */
export function toVapidKeys(privateKey: string): VapidKeys | undefined {
  const publicKey = deriveP256PublicKey(privateKey);
  return publicKey === undefined ? undefined : { publicKey, privateKey };
}
