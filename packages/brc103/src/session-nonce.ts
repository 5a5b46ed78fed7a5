import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { decodeBase64 } from './bytes.js';
import { SessionNotFoundError } from './errors.js';

/** The contents of an authentic session nonce. */
export interface SessionNonceContent {
  /** Random, 16 bytes: the name under which a store keeps the client's own nonce. */
  readonly handle: Buffer;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/**
 * Mints and verifies the server's session nonces. A nonce proves by itself that this server issued it, when, and for
 * which client identity, so every holder of the secrets can check it without memory and before it reads a request body.
 *
 * Clients accept exactly 48 bytes (64 characters of base64, no padding):
 * ```
 * format 1 | key id 1 | issued-at 6 | handle 16 | first 24 bytes of HMAC-SHA-256(key, the 24 bytes before ‖ client identity 33 ‖ server identity 33)
 * ```
 * Integers are big-endian, issued-at is in milliseconds. The client's own nonce does not fit in; see `ClientNonces`.
 */
export interface SessionNonces {
  /**
   * @param identityKey the client, 66 hex characters
   * @param issuedAt milliseconds since the epoch, a whole number
   */
  mint(identityKey: string, issuedAt: number): SessionNonceContent & { readonly nonce: string };
  /**
   * Verifies a nonce, whatever its age.
   * @param identityKey the client that presents it, 66 hex characters
   * @throws {SessionNotFoundError} when this server did not issue it to that identity with one of its secrets
   */
  open(nonce: string, identityKey: string): SessionNonceContent;
}

const FORMAT = 2;
const NONCE_BYTES = 48;
const TIME_AT = 2;
const HANDLE_AT = 8;
const MAC_AT = 24;
const IDENTITY_BYTES = 33;

interface MacKey {
  readonly id: number;
  readonly key: Buffer;
}

/**
 * The MAC key and its id both come from the secret by HKDF-SHA256 (RFC 5869), each under an info string of its own, so
 * the secret may be the server's private key without either of them being of use in its other roles.
 *
 * @param secrets at least 32 bytes each; the first mints, all verify
 * @param serverIdentityKey 66 hex characters; a nonce of another server identity is not found
 * @throws {Error} without secrets, or with a short one
 */
export function createSessionNonces(secrets: readonly Uint8Array[], serverIdentityKey: string): SessionNonces {
  const keys = secrets.map(deriveMacKey);
  const [mintingKey] = keys;
  if (!mintingKey) throw new Error('At least one session secret is needed');
  const server = Buffer.from(serverIdentityKey, 'hex');

  const macOf = (key: Buffer, content: Uint8Array, client: Uint8Array) =>
    createHmac('sha256', key)
      .update(content)
      .update(client)
      .update(server)
      .digest()
      .subarray(0, NONCE_BYTES - MAC_AT);

  return {
    mint(identityKey, issuedAt) {
      const client = Buffer.from(identityKey, 'hex');
      if (client.length !== IDENTITY_BYTES) throw new RangeError('An identity key has 33 bytes');
      const bytes = Buffer.alloc(NONCE_BYTES);
      bytes.writeUInt8(FORMAT, 0);
      bytes.writeUInt8(mintingKey.id, 1);
      bytes.writeUIntBE(issuedAt, TIME_AT, HANDLE_AT - TIME_AT);
      const handle = randomBytes(MAC_AT - HANDLE_AT);
      handle.copy(bytes, HANDLE_AT);
      macOf(mintingKey.key, bytes.subarray(0, MAC_AT), client).copy(bytes, MAC_AT);
      return { nonce: bytes.toString('base64'), handle, issuedAt };
    },

    open(nonce, identityKey) {
      const bytes = decodeBase64(nonce, NONCE_BYTES, NONCE_BYTES);
      const client = Buffer.from(identityKey, 'hex');
      if (bytes && client.length === IDENTITY_BYTES && bytes[0] === FORMAT) {
        const content = bytes.subarray(0, MAC_AT);
        const mac = bytes.subarray(MAC_AT);
        // Two secrets may share an id by chance, so every key with this id is tried.
        if (keys.some(({ id, key }) => id === bytes[1] && timingSafeEqual(mac, macOf(key, content, client)))) {
          return {
            handle: Buffer.from(bytes.subarray(HANDLE_AT, MAC_AT)),
            issuedAt: bytes.readUIntBE(TIME_AT, HANDLE_AT - TIME_AT),
          };
        }
      }
      throw new SessionNotFoundError();
    },
  };
}

function deriveMacKey(secret: Uint8Array): MacKey {
  if (secret.length < 32) throw new Error('A session secret has at least 32 bytes');
  const derive = (info: string, length: number) => Buffer.from(hkdfSync('sha256', secret, '', info, length));
  return {
    id: derive('brc103 session nonce v2: key id', 1).readUInt8(),
    key: derive('brc103 session nonce v2: hmac-sha256', 32),
  };
}
