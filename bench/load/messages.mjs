import { randomBytes } from 'node:crypto';
import { randomIdentity } from './auth-client.mjs';

const RECIPIENTS = 200;
const BODIES = 64;

/** Messages of the usual kind: small, encrypted, each with an id of its own, to one of some hundred recipients. */
export class Messages {
  #recipients = Array.from({ length: RECIPIENTS }, () => randomIdentity().identityKey);
  #bodies = Array.from({ length: BODIES }, encryptedLikeBody);
  #count = 0;

  /** The JSON of a /sendMessage request, about 570 bytes. */
  next() {
    const n = this.#count++;
    const recipient = this.#recipients[n % RECIPIENTS];
    const body = this.#bodies[n % BODIES];
    return Buffer.from(JSON.stringify({ message: { recipient, messageBox: 'inbox', messageId: freshId(), body } }));
  }
}

/** As long as the ids that the public client makes (an HMAC in hex). */
export function freshId() {
  return randomBytes(32).toString('hex');
}

/** About 290 characters, of which nothing can be guessed or compressed. */
export function encryptedLikeBody() {
  return JSON.stringify({ encryptedMessage: randomBytes(200).toString('base64') });
}
