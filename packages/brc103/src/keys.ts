import { createHash, createHmac, type Hash } from 'node:crypto';
import type { Curve } from './curve/curve.js';
import { decodeDer, encodeDer } from './der.js';
import { LruCache } from './lru-cache.js';

/** The purpose of a derived key (BRC-43): security level, protocol, key id and counterparty. */
export interface KeyDerivation {
  /** The security level of BRC-43. */
  readonly securityLevel: 0 | 1 | 2;
  /** The protocol name of BRC-43: 5 to 400 letters, digits and single spaces. */
  readonly protocol: string;
  /** 1 to 800 characters. */
  readonly keyID: string;
  /** The other party's identity key: 66 lower-case hex characters of a point on the curve. */
  readonly counterparty: string;
}

/** The bytes to sign, or a SHA-256 hash object that has been updated with all of them and not been finalized. */
export type DataToSign = Uint8Array | Hash;

/** One root key: derives keys (BRC-42), signs and verifies (BRC-3). */
export interface Keys {
  /** The public key of the root key: 66 lower-case hex characters. */
  readonly identityKey: string;

  /**
   * Signs the SHA-256 of `data` with the key derived for `use`.
   *
   * @returns the signature in DER, low-S
   * @throws {Error} when BRC-43 does not allow `use`
   */
  sign(data: DataToSign, use: KeyDerivation): Uint8Array;

  /**
   * Whether `signature` (DER) is the counterparty's signature over the SHA-256 of `data`, made with the key that the
   * counterparty derives for `use` with this key as its counterparty.
   *
   * @throws {Error} when BRC-43 does not allow `use`, or the counterparty is not a point on the curve
   */
  verify(data: DataToSign, signature: Uint8Array, use: KeyDerivation): boolean;

  /**
   * The public key that the counterparty derives for `use` with this key as its counterparty, 33 bytes. The
   * counterparty's signatures verify under it.
   *
   * @throws {Error} when BRC-43 does not allow `use`, or the counterparty is not a point on the curve
   */
  deriveCounterpartyKey(use: KeyDerivation): Uint8Array;

  /**
   * The own public key for `use`, 33 bytes. The own signatures verify under it, and a BRC-29 payment from the counterparty
   * is locked to it.
   *
   * @throws {Error} when BRC-43 does not allow `use`, or the counterparty is not a point on the curve
   */
  deriveOwnKey(use: KeyDerivation): Uint8Array;
}

/** 10,000 secrets of 33 bytes, each with a key of 66 characters, use about 2 MB. */
const DEFAULT_SHARED_SECRET_CACHE_SIZE = 10_000;

/**
 * Creates the keys that are derived from one root key.
 *
 * @param privateKey the root key, 32 bytes
 * @param cacheSize how many counterparties' shared secrets are cached; a cached secret saves one point multiplication per
 *   signature. Default: 10,000
 * @throws {Error} when `privateKey` is not a private key of secp256k1
 */
export function createKeys(
  privateKey: Uint8Array,
  curve: Curve,
  cacheSize: number = DEFAULT_SHARED_SECRET_CACHE_SIZE,
): Keys {
  if (!curve.isPrivateKey(privateKey)) throw new Error('privateKey must be a private key of secp256k1');
  const root = Uint8Array.from(privateKey);
  // One character for each byte: a string of 32 bytes takes a sixth of the memory of a buffer with as many.
  const sharedSecrets = new LruCache<string, string>(cacheSize);

  /** The tweak of BRC-42: HMAC-SHA256 of the invoice number, keyed with the shared secret. */
  function deriveTweak(use: KeyDerivation): Buffer {
    const invoice = formatInvoiceNumber(use.securityLevel, use.protocol, use.keyID);
    let secret = sharedSecrets.get(use.counterparty);
    if (secret === undefined) {
      const bytes = curve.multiply(Buffer.from(use.counterparty, 'hex'), root);
      secret = Buffer.from(bytes).toString('latin1');
      sharedSecrets.set(use.counterparty, secret);
    }
    return createHmac('sha256', Buffer.from(secret, 'latin1')).update(invoice, 'utf8').digest();
  }

  const deriveCounterpartyKey = (use: KeyDerivation) =>
    curve.addToPoint(Buffer.from(use.counterparty, 'hex'), deriveTweak(use));

  return {
    identityKey: Buffer.from(curve.getPublicKey(root)).toString('hex'),
    sign(data, use) {
      const key = curve.addToPrivate(root, deriveTweak(use));
      return encodeDer(curve.sign(sha256(data), key));
    },
    verify(data, signature, use) {
      const compact = decodeDer(signature);
      if (!compact) return false;
      return curve.verify(sha256(data), compact, deriveCounterpartyKey(use));
    },
    deriveCounterpartyKey,
    deriveOwnKey: (use) => curve.getPublicKey(curve.addToPrivate(root, deriveTweak(use))),
  };
}

/**
 * Formats BRC-43's invoice number, `${securityLevel}-${protocol}-${keyID}`, with the protocol trimmed and in lower case.
 * Lengths are in UTF-16 code units, as in the checks of wallets.
 *
 * @throws {Error} for a level, protocol or key id outside BRC-43's rules
 */
export function formatInvoiceNumber(securityLevel: number, protocol: string, keyID: string): string {
  if (securityLevel !== 0 && securityLevel !== 1 && securityLevel !== 2)
    throw new Error('securityLevel must be 0, 1 or 2');
  if (keyID.length < 1 || keyID.length > 800) throw new Error('keyID must have 1 to 800 characters');
  const name = protocol.toLowerCase().trim();
  // The name of a linkage revelation contains the name of another protocol.
  const longest = name.startsWith('specific linkage revelation ') ? 430 : 400;
  if (name.length < 5 || name.length > longest) throw new Error(`protocol must have 5 to ${longest} characters`);
  if (!/^[a-z0-9 ]+$/.test(name) || name.includes('  ')) {
    throw new Error('protocol must contain only letters, digits and single spaces');
  }
  if (name.endsWith(' protocol')) throw new Error('protocol must not end in " protocol"');
  return `${securityLevel}-${name}-${keyID}`;
}

function sha256(data: DataToSign): Buffer {
  return (data instanceof Uint8Array ? createHash('sha256').update(data) : data).digest();
}
