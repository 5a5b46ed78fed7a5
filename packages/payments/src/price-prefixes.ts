import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a derivation prefix of this server says. */
export interface PriceOffer {
  /** The price that was asked for, in satoshis. */
  readonly satoshis: number;
  readonly issuedAt: Date;
  /**
   * Whether the price was asked for exactly this request.
   *
   * @param request the digest of a request, 32 bytes
   */
  isFor(request: Uint8Array): boolean;
}

/** What {@link PricePrefixes.create} puts into a prefix. */
export interface NewPriceOffer {
  /** The identity key of the caller. */
  readonly sender: string;
  /** The digest of the request, 32 bytes. */
  readonly request: Uint8Array;
  readonly satoshis: number;
  readonly now: Date;
}

const PURPOSE = 'messagebox price prefix 1';
/** Time in milliseconds and amount in satoshis, 6 bytes each. */
const HEAD_BYTES = 12;
const IDENTITY_MAC_BYTES = 20;
const REQUEST_MAC_BYTES = 16;
const PREFIX_BYTES = HEAD_BYTES + IDENTITY_MAC_BYTES + REQUEST_MAC_BYTES;
const PREFIX_CHARACTERS = 64;

/**
 * Makes the derivation prefixes that ask for a price (BRC-105), and recognises them: 48 bytes in base64, of the size of the
 * nonces that wallets make. Nothing is stored. A prefix holds time and amount, a code by which only the identity can use it
 * that was asked, and another one that tells for which request. Any instance with the server's key recognises it.
 */
export class PricePrefixes {
  readonly #key: Buffer;

  /** @param privateKey the server's private key, 32 bytes */
  constructor(privateKey: Uint8Array) {
    this.#key = createHmac('sha256', privateKey).update(PURPOSE).digest();
  }

  /** Makes the prefix for a request. */
  create({ sender, request, satoshis, now }: NewPriceOffer): string {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUIntBE(now.getTime(), 0, 6);
    head.writeUIntBE(satoshis, 6, 6);
    const prefix = Buffer.concat([head, this.#identityCode(head, sender), this.#requestCode(head, sender, request)]);
    return prefix.toString('base64');
  }

  /** @returns undefined for a prefix that this server has not made for this identity */
  open(prefix: string, sender: string): PriceOffer | undefined {
    if (prefix.length !== PREFIX_CHARACTERS) return undefined;
    const bytes = Buffer.from(prefix, 'base64');
    if (bytes.length !== PREFIX_BYTES || bytes.toString('base64') !== prefix) return undefined;
    const head = bytes.subarray(0, HEAD_BYTES);
    const identityCode = bytes.subarray(HEAD_BYTES, HEAD_BYTES + IDENTITY_MAC_BYTES);
    if (!timingSafeEqual(identityCode, this.#identityCode(head, sender))) return undefined;
    const requestCode = bytes.subarray(HEAD_BYTES + IDENTITY_MAC_BYTES);
    return {
      issuedAt: new Date(head.readUIntBE(0, 6)),
      satoshis: head.readUIntBE(6, 6),
      isFor: (request) => timingSafeEqual(requestCode, this.#requestCode(head, sender, request)),
    };
  }

  #identityCode(head: Buffer, sender: string): Buffer {
    return this.#mac('identity', head, sender).subarray(0, IDENTITY_MAC_BYTES);
  }

  #requestCode(head: Buffer, sender: string, request: Uint8Array): Buffer {
    return this.#mac('request', head, sender, request).subarray(0, REQUEST_MAC_BYTES);
  }

  #mac(use: 'identity' | 'request', ...parts: readonly (Uint8Array | string)[]): Buffer {
    const hmac = createHmac('sha256', this.#key).update(`${use} `);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  }
}
