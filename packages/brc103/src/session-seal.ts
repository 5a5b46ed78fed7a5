import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { decodeBase64 } from './bytes.js';
import { SessionNotFoundError } from './errors.js';

/** What a sealed nonce holds. */
export interface SealedContent {
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  /** Canonical base64 of 16 to 128 bytes. */
  readonly clientNonce: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/**
 * Makes and opens the server's session nonces. A nonce carries its whole session, encrypted and authenticated, so that
 * no store of sessions is needed and every holder of the secrets can serve every session.
 *
 * ```
 * version 1 | key id 1 | iv 12 | AES-256-GCM( identity 33 | n 1 | client nonce n | issued-at 6 | flags 1 | 0..2 zeros ) | tag 16
 * ```
 * Associated data: version, key id, server identity (33 bytes). Integers are big-endian, issued-at in milliseconds, flags
 * are all zero so far. The zeros make the length a multiple of 3, so that the base64 has no padding.
 */
export interface SessionSeal {
  /** @returns the nonce, base64: 160 characters for the usual client nonce of 48 bytes, never more than 268 */
  seal(content: SealedContent): string;
  /**
   * Opens a nonce, whatever its age.
   * @throws {SessionNotFoundError} when it wasn't sealed with one of our secrets for this server identity
   */
  open(nonce: string): SealedContent;
}

export const MIN_CLIENT_NONCE_BYTES = 16;
export const MAX_CLIENT_NONCE_BYTES = 128;

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const CLEAR_BYTES = 2 + IV_BYTES;
const IDENTITY_BYTES = 33;
const NONCE_AT = IDENTITY_BYTES + 1;
const TIME_BYTES = 6;
/** Everything but the client nonce and the zeros. */
const FIXED_BYTES = CLEAR_BYTES + NONCE_AT + TIME_BYTES + 1 + TAG_BYTES;
const MIN_BYTES = FIXED_BYTES + MIN_CLIENT_NONCE_BYTES;
const MAX_BYTES = FIXED_BYTES + MAX_CLIENT_NONCE_BYTES + 2;

interface SealingKey {
  readonly id: number;
  readonly key: Buffer;
  readonly associatedData: Buffer;
}

/**
 * The encryption key and the key id both come from the secret by HKDF-SHA256 (RFC 5869), each under an info string of
 * its own: the secret may be the server's private key without either being of use in its other roles.
 *
 * IVs are random. NIST SP 800-38D asks for at most 2^32 of them under one key: at a steady 1,000 handshakes a second that
 * is 50 days, and a reason to change the first secret by then.
 *
 * @param secrets at least 32 bytes each; the first seals, all open
 * @param serverIdentityKey 66 hex characters; a nonce sealed for another identity doesn't open
 * @throws {Error} without secrets, or with a short one
 */
export function createSessionSeal(secrets: readonly Uint8Array[], serverIdentityKey: string): SessionSeal {
  const keys = secrets.map((secret) => sealingKey(secret, serverIdentityKey));
  const [mint] = keys;
  if (!mint) throw new Error('At least one session secret is needed');

  return {
    seal({ identityKey, clientNonce, issuedAt }) {
      const clientNonceBytes = decodeBase64(clientNonce, MIN_CLIENT_NONCE_BYTES, MAX_CLIENT_NONCE_BYTES);
      if (!clientNonceBytes) throw new RangeError('A client nonce is canonical base64 of 16 to 128 bytes');
      const identity = Buffer.from(identityKey, 'hex');
      if (identity.length !== IDENTITY_BYTES) throw new RangeError('An identity key has 33 bytes');

      const padding = (3 - ((FIXED_BYTES + clientNonceBytes.length) % 3)) % 3;
      const plain = Buffer.alloc(NONCE_AT + clientNonceBytes.length + TIME_BYTES + 1 + padding);
      identity.copy(plain, 0);
      plain.writeUInt8(clientNonceBytes.length, IDENTITY_BYTES);
      clientNonceBytes.copy(plain, NONCE_AT);
      plain.writeUIntBE(issuedAt, NONCE_AT + clientNonceBytes.length, TIME_BYTES);

      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', mint.key, iv, { authTagLength: TAG_BYTES });
      cipher.setAAD(mint.associatedData);
      const sealed = [Buffer.of(VERSION, mint.id), iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat(sealed).toString('base64');
    },

    open(nonce) {
      const bytes = decodeBase64(nonce, MIN_BYTES, MAX_BYTES);
      if (bytes && bytes.length % 3 === 0 && bytes[0] === VERSION) {
        // Two secrets may share an id by chance: the tag decides.
        for (const key of keys) {
          const content = key.id === bytes[1] ? openWith(key, bytes) : undefined;
          if (content) return content;
        }
      }
      throw new SessionNotFoundError();
    },
  };
}

function sealingKey(secret: Uint8Array, serverIdentityKey: string): SealingKey {
  if (secret.length < 32) throw new Error('A session secret has at least 32 bytes');
  const derive = (info: string, length: number) => Buffer.from(hkdfSync('sha256', secret, '', info, length));
  const id = derive('brc103 session nonce v1: key id', 1);
  return {
    id: id.readUInt8(),
    key: derive('brc103 session nonce v1: aes-256-gcm', 32),
    associatedData: Buffer.concat([Buffer.of(VERSION), id, Buffer.from(serverIdentityKey, 'hex')]),
  };
}

function openWith({ key, associatedData }: SealingKey, bytes: Buffer): SealedContent | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(2, CLEAR_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(bytes.subarray(CLEAR_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
  // Authentic from here on: these checks guard against a future layout under an old version, not against an attacker.
  const nonceEnd = NONCE_AT + plain.readUInt8(IDENTITY_BYTES);
  const flagsAt = nonceEnd + TIME_BYTES;
  if (flagsAt >= plain.length || plain.subarray(flagsAt).some((byte) => byte !== 0)) return undefined;
  return {
    identityKey: plain.toString('hex', 0, IDENTITY_BYTES),
    clientNonce: plain.toString('base64', NONCE_AT, nonceEnd),
    issuedAt: plain.readUIntBE(nonceEnd, TIME_BYTES),
  };
}
