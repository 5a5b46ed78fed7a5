import { randomBytes } from 'node:crypto';
import { AuthClient, randomIdentity } from './auth-client.mjs';
import { HttpConnection } from './http-connection.mjs';

const NO_VALUE = Buffer.alloc(9, 0xff);

/** A client with one session on one connection, which sends signed requests (BRC-104). */
export class HttpClient {
  #auth;
  #connection;

  /** Connects, and makes a handshake. @param {string} url @param identity default: a new one */
  static async open(url, identity = randomIdentity()) {
    const client = new HttpClient(await HttpConnection.open(url), identity);
    await client.#shakeHands();
    return client;
  }

  constructor(connection, identity) {
    this.#connection = connection;
    this.#auth = new AuthClient(identity);
  }

  /**
   * Sends a signed POST. Throws for any status except 200, and with `verify` also for a wrong signature.
   *
   * @param {string} path
   * @param {Buffer} body JSON
   * @param {boolean} verify
   */
  async post(path, body, verify) {
    const requestId = randomBytes(32);
    const { nonce, signature } = this.#auth.sign(requestPayload(requestId, path, body));
    const answer = await this.#connection.post(
      path,
      `x-bsv-auth-version: 0.1\r\nx-bsv-auth-identity-key: ${this.#auth.identityKey}\r\nx-bsv-auth-nonce: ${nonce}\r\n` +
        `x-bsv-auth-your-nonce: ${this.#auth.serverNonce}\r\nx-bsv-auth-signature: ${hex(signature)}\r\n` +
        `x-bsv-auth-request-id: ${requestId.toString('base64')}\r\n`,
      body,
    );
    if (answer.status !== 200) throw new Error(`${path} got status ${answer.status}: ${answer.body}`);
    if (verify) this.#verify(requestId, answer);
    return answer.body;
  }

  close() {
    this.#connection.close();
  }

  async #shakeHands() {
    const body = Buffer.from(JSON.stringify(this.#auth.initialRequest()));
    const answer = await this.#connection.post('/.well-known/auth', '', body);
    if (answer.status !== 200) throw new Error(`The handshake got status ${answer.status}: ${answer.body}`);
    this.#auth.acceptHandshake(JSON.parse(answer.body.toString()));
  }

  /** Verifies a response. Neither server sets headers that would be signed, so there are none in the payload. */
  #verify(requestId, { status, head, body }) {
    const header = (name) => new RegExp(`\\r\\nx-bsv-auth-${name}: *([^\\r]*)`, 'i').exec(head)?.[1] ?? '';
    if (header('request-id') !== requestId.toString('base64')) throw new Error('A response belongs to another request');
    this.#auth.mustVerify({
      identityKey: header('identity-key'),
      nonce: header('nonce'),
      yourNonce: header('your-nonce'),
      payload: Buffer.concat([requestId, varint(status), varint(0), varint(body.length), body]),
      signature: Buffer.from(header('signature'), 'hex'),
    });
  }
}

/** @param {Buffer} requestId @param {string} path @param {Buffer} body */
export function requestPayload(requestId, path, body) {
  const texts = (/** @type {string[]} */ ...values) =>
    values.flatMap((value) => [varint(value.length), Buffer.from(value)]);
  return Buffer.concat([
    requestId,
    ...texts('POST', path),
    NO_VALUE,
    varint(1),
    ...texts('content-type', 'application/json'),
    varint(body.length),
    body,
  ]);
}

/** Encodes Bitcoin's variable-length integer, for the lengths that occur here. @param {number} value */
function varint(value) {
  if (value < 0xfd) return Buffer.of(value);
  const bytes = Buffer.of(0xfd, 0, 0);
  bytes.writeUInt16LE(value, 1);
  return bytes;
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
