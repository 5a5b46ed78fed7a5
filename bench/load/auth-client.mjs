import { randomBytes } from 'node:crypto';
import { createKeys, loadCurve } from '@messagebox/brc103';

/** The fastest library, so that signing in the load generator does not become the bottleneck. */
export const curve = loadCurve();

/** Creates a random private key and its identity key. */
export function randomIdentity() {
  for (;;) {
    const privateKey = randomBytes(32);
    if (!curve.isPrivateKey(privateKey)) continue;
    return { privateKey, identityKey: Buffer.from(curve.getPublicKey(privateKey)).toString('hex') };
  }
}

/** The client side of one BRC-103 session. */
export class AuthClient {
  #keys;
  #nonce = randomBytes(48).toString('base64');
  /** The client's nonces that the server may sign with: from the handshake, and from answers to its initialRequests. */
  #known = new Set([this.#nonce]);
  #server = { identityKey: '', nonce: '' };

  constructor({ privateKey, identityKey } = randomIdentity()) {
    this.identityKey = identityKey;
    this.#keys = createKeys(privateKey, curve);
  }

  get serverNonce() {
    return this.#server.nonce;
  }

  initialRequest() {
    return {
      version: '0.1',
      messageType: 'initialRequest',
      identityKey: this.identityKey,
      initialNonce: this.#nonce,
      requestedCertificates: { certifiers: [], types: {} },
    };
  }

  /** Handles the server's initialResponse. Throws when its signature is wrong. */
  acceptHandshake({ identityKey, initialNonce, yourNonce, signature }) {
    const data = Buffer.concat([Buffer.from(this.#nonce, 'base64'), Buffer.from(initialNonce, 'base64')]);
    const use = authKey(identityKey, `${this.#nonce} ${initialNonce}`);
    if (yourNonce !== this.#nonce || !this.#keys.verify(data, Uint8Array.from(signature), use)) {
      throw new Error('The signature of the handshake is wrong');
    }
    this.#server = { identityKey, nonce: initialNonce };
  }

  /** Creates the answer to the server's initialRequest. */
  answer({ identityKey, initialNonce }) {
    const nonce = randomBytes(48).toString('base64');
    this.#known.add(nonce);
    const data = Buffer.concat([Buffer.from(initialNonce, 'base64'), Buffer.from(nonce, 'base64')]);
    const signature = this.#keys.sign(data, authKey(identityKey, `${initialNonce} ${nonce}`));
    return {
      version: '0.1',
      messageType: 'initialResponse',
      identityKey: this.identityKey,
      initialNonce: nonce,
      yourNonce: initialNonce,
      requestedCertificates: { certifiers: [], types: {} },
      signature: Array.from(signature),
    };
  }

  sign(payload) {
    const nonce = randomBytes(32).toString('base64');
    const use = authKey(this.#server.identityKey, `${nonce} ${this.#server.nonce}`);
    return { nonce, signature: this.#keys.sign(payload, use) };
  }

  /** Throws when the signature of the payload is not that of the server in this session. */
  mustVerify({ identityKey, nonce, yourNonce, payload, signature }) {
    const use = authKey(this.#server.identityKey, `${nonce} ${yourNonce}`);
    const ours = identityKey === this.#server.identityKey && this.#known.has(yourNonce);
    if (!ours || !this.#keys.verify(payload, signature, use)) {
      throw new Error('The signature of a response is wrong');
    }
  }
}

function authKey(counterparty, keyID) {
  return { securityLevel: /** @type {const} */ (2), protocol: 'auth message signature', keyID, counterparty };
}
