import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { decodeBase64 } from './bytes.js';
import { SessionNotFoundError } from './errors.js';

/** The contents of an authentic session nonce. */
export interface SessionNonceContent {
  /** 16 random bytes, under which a store keeps the client's own nonce. */
  readonly handle: Buffer;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/**
 * Mints and verifies the server's session nonces. A nonce itself proves when this server issued it and to which client
 * identity. So every instance with the secrets can verify it without a store, and before it reads a request body.
 *
 * Clients accept exactly 48 bytes (64 characters of base64, no padding):
 * ```
 * format 1 | key id 1 | issued-at 6 | handle 16 | first 24 bytes of HMAC-SHA-256(key, the 24 bytes before ‖ client identity 33 ‖ server identity 33)
 * ```
 * Integers are big-endian, and issued-at is in milliseconds. There is no room for the client's own nonce, so
 * `ClientNonces` stores it.
 */
export interface SessionNonceCodec {
  /**
   * Mints a nonce with the first secret.
   *
   * @param identityKey the client, 66 hex characters
   * @param issuedAt milliseconds since the epoch, a whole number
   */
  mint(identityKey: string, issuedAt: number): SessionNonceContent & { readonly nonce: string };
  /**
   * Verifies a nonce of any age.
   *
   * @param identityKey the client that presents it, 66 hex characters
   * @throws {SessionNotFoundError} when this server did not issue it to that identity with one of its secrets
   */
  verify(nonce: string, identityKey: string): SessionNonceContent;
}

const NONCE_FORMAT = 2;
const SESSION_NONCE_BYTES = 48;
const ISSUED_AT_OFFSET = 2;
const HANDLE_OFFSET = 8;
const MAC_OFFSET = 24;
const IDENTITY_BYTES = 33;

interface MacKey {
  readonly id: number;
  readonly key: Buffer;
}

/**
 * Creates a codec. The MAC key and its id are derived from each secret by HKDF-SHA256 (RFC 5869) with different info
 * strings. So a secret may be the server's private key: the derived values reveal nothing about it.
 *
 * @param secrets at least 32 bytes each; the first one mints, all of them verify
 * @param serverIdentityKey 66 hex characters; nonces of another server identity do not verify
 * @throws {Error} for an empty list, or a secret of fewer than 32 bytes
 */
export function createSessionNonceCodec(secrets: readonly Uint8Array[], serverIdentityKey: string): SessionNonceCodec {
  const keys = secrets.map(deriveMacKey);
  const [mintingKey] = keys;
  if (!mintingKey) throw new Error('At least one session secret is needed');
  const server = Buffer.from(serverIdentityKey, 'hex');

  const computeMac = (key: Buffer, content: Uint8Array, client: Uint8Array) =>
    createHmac('sha256', key)
      .update(content)
      .update(client)
      .update(server)
      .digest()
      .subarray(0, SESSION_NONCE_BYTES - MAC_OFFSET);

  return {
    mint(identityKey, issuedAt) {
      const client = Buffer.from(identityKey, 'hex');
      if (client.length !== IDENTITY_BYTES) throw new RangeError('An identity key must have 33 bytes');
      const bytes = Buffer.alloc(SESSION_NONCE_BYTES);
      bytes.writeUInt8(NONCE_FORMAT, 0);
      bytes.writeUInt8(mintingKey.id, 1);
      bytes.writeUIntBE(issuedAt, ISSUED_AT_OFFSET, HANDLE_OFFSET - ISSUED_AT_OFFSET);
      const handle = randomBytes(MAC_OFFSET - HANDLE_OFFSET);
      handle.copy(bytes, HANDLE_OFFSET);
      computeMac(mintingKey.key, bytes.subarray(0, MAC_OFFSET), client).copy(bytes, MAC_OFFSET);
      return { nonce: bytes.toString('base64'), handle, issuedAt };
    },

    verify(nonce, identityKey) {
      const bytes = decodeBase64(nonce, SESSION_NONCE_BYTES, SESSION_NONCE_BYTES);
      const client = Buffer.from(identityKey, 'hex');
      if (bytes && client.length === IDENTITY_BYTES && bytes[0] === NONCE_FORMAT) {
        const content = bytes.subarray(0, MAC_OFFSET);
        const mac = bytes.subarray(MAC_OFFSET);
        // The ids of two secrets may be equal by chance, so every key with this id is tried.
        if (keys.some(({ id, key }) => id === bytes[1] && timingSafeEqual(mac, computeMac(key, content, client)))) {
          return {
            handle: Buffer.from(bytes.subarray(HANDLE_OFFSET, MAC_OFFSET)),
            issuedAt: bytes.readUIntBE(ISSUED_AT_OFFSET, HANDLE_OFFSET - ISSUED_AT_OFFSET),
          };
        }
      }
      throw new SessionNotFoundError();
    },
  };
}

function deriveMacKey(secret: Uint8Array): MacKey {
  if (secret.length < 32) throw new Error('A session secret must have at least 32 bytes');
  const derive = (info: string, length: number) => Buffer.from(hkdfSync('sha256', secret, '', info, length));
  return {
    id: derive('brc103 session nonce v2: key id', 1).readUInt8(),
    key: derive('brc103 session nonce v2: hmac-sha256', 32),
  };
}
