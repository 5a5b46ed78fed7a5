import { createHash, createHmac, type Hash } from 'node:crypto';
import { BoundedCache } from './bounded-cache.js';
import type { Curve } from './curve/curve.js';
import { decodeDer, encodeDer } from './der.js';

/** Which key: BRC-43's security level, protocol and key id, and the other party. */
export interface KeyUse {
  readonly securityLevel: 0 | 1 | 2;
  readonly protocol: string;
  /** 1 to 800 characters. */
  readonly keyID: string;
  /** The other party's identity key, canonical: 66 lower-case hex characters of a point. */
  readonly counterparty: string;
}

/** Bytes to sign, or a SHA-256 that has taken all of them but has not been asked for its digest yet. */
export type DataToSign = Uint8Array | Hash;

/** One root key, and what BRC-42 and BRC-3 make of it. */
export interface Keys {
  /** 66 lower-case hex characters. */
  readonly identityKey: string;

  /**
   * Signs the SHA-256 of `data` with the key derived for this use. DER, low-S.
   * @throws {Error} for a use that BRC-43 doesn't allow
   */
  sign(data: DataToSign, use: KeyUse): Uint8Array;

  /**
   * Whether `signature` (DER) is the counterparty's over the SHA-256 of `data`, under the key that it derives for this
   * use with us as its counterparty.
   * @throws {Error} for a use that BRC-43 doesn't allow, or a counterparty that isn't a point
   */
  verify(data: DataToSign, signature: Uint8Array, use: KeyUse): boolean;

  /**
   * The public key that the counterparty derives for this use with us as its counterparty, 33 bytes: the one that its
   * signatures verify under.
   * @throws {Error} for a use that BRC-43 doesn't allow, or a counterparty that isn't a point
   */
  keyOfCounterparty(use: KeyUse): Uint8Array;

  /**
   * Our own public key for this use, 33 bytes: the one that our signatures verify under, and that what the counterparty
   * pays us by BRC-29 is locked to.
   * @throws {Error} for a use that BRC-43 doesn't allow, or a counterparty that isn't a point
   */
  ownKey(use: KeyUse): Uint8Array;
}

/** 10,000 secrets of 33 bytes, each under a key of 66 characters: about 2 MB. */
const DEFAULT_CACHE_SIZE = 10_000;

/**
 * @param privateKey the root key, 32 bytes
 * @param cacheSize how many counterparties' shared secrets to remember; each saves one multiplication per signature
 * @throws {Error} when `privateKey` isn't a private key
 */
export function createKeys(privateKey: Uint8Array, curve: Curve, cacheSize: number = DEFAULT_CACHE_SIZE): Keys {
  if (!curve.isPrivateKey(privateKey)) throw new Error('Not a secp256k1 private key');
  const root = Uint8Array.from(privateKey);
  const sharedSecrets = new BoundedCache<string, Uint8Array>(cacheSize);

  /** BRC-42: HMAC-SHA256 of the invoice number under the shared secret. */
  function tweakFor(use: KeyUse): Buffer {
    const invoice = invoiceNumber(use.securityLevel, use.protocol, use.keyID);
    let secret = sharedSecrets.get(use.counterparty);
    if (!secret) {
      secret = curve.multiply(Buffer.from(use.counterparty, 'hex'), root);
      sharedSecrets.set(use.counterparty, secret);
    }
    return createHmac('sha256', secret).update(invoice, 'utf8').digest();
  }

  const keyOfCounterparty = (use: KeyUse) => curve.addToPoint(Buffer.from(use.counterparty, 'hex'), tweakFor(use));

  return {
    identityKey: Buffer.from(curve.publicKeyOf(root)).toString('hex'),
    sign(data, use) {
      const key = curve.addToPrivate(root, tweakFor(use));
      return encodeDer(curve.sign(sha256(data), key));
    },
    verify(data, signature, use) {
      const compact = decodeDer(signature);
      if (!compact) return false;
      return curve.verify(sha256(data), compact, keyOfCounterparty(use));
    },
    keyOfCounterparty,
    ownKey: (use) => curve.publicKeyOf(curve.addToPrivate(root, tweakFor(use))),
  };
}

/**
 * BRC-43's invoice number, `${securityLevel}-${protocol}-${keyID}`, the protocol trimmed and in lower case.
 * Lengths count UTF-16 code units, as the wallets' own checks do.
 *
 * @throws {Error} for a level, protocol or key id outside BRC-43's rules
 */
export function invoiceNumber(securityLevel: number, protocol: string, keyID: string): string {
  if (securityLevel !== 0 && securityLevel !== 1 && securityLevel !== 2) throw new Error('Security level: 0, 1 or 2');
  if (keyID.length < 1 || keyID.length > 800) throw new Error('Key id: 1 to 800 characters');
  const name = protocol.toLowerCase().trim();
  // A revelation names another protocol within its own name.
  const longest = name.startsWith('specific linkage revelation ') ? 430 : 400;
  if (name.length < 5 || name.length > longest) throw new Error(`Protocol: 5 to ${longest} characters`);
  if (!/^[a-z0-9 ]+$/.test(name) || name.includes('  ')) {
    throw new Error('Protocol: letters, digits and single spaces');
  }
  if (name.endsWith(' protocol')) throw new Error('Protocol: not ending in " protocol"');
  return `${securityLevel}-${name}-${keyID}`;
}

function sha256(data: DataToSign): Buffer {
  return (data instanceof Uint8Array ? createHash('sha256').update(data) : data).digest();
}
