import { randomBytes } from 'node:crypto';
import { randomIdentity } from './auth-client.mjs';

const RECIPIENTS = 200;
const BODIES = 64;

/** Creates typical messages: small, encrypted, with a unique id, to one of a few hundred recipients. */
export class Messages {
  #recipients = Array.from({ length: RECIPIENTS }, () => randomIdentity().identityKey);
  #bodies = Array.from({ length: BODIES }, encryptedLikeBody);
  #count = 0;

  /** Returns the JSON of a /sendMessage request, about 570 bytes. */
  next() {
    const n = this.#count++;
    const recipient = this.#recipients[n % RECIPIENTS];
    const body = this.#bodies[n % BODIES];
    return Buffer.from(JSON.stringify({ message: { recipient, messageBox: 'inbox', messageId: freshId(), body } }));
  }
}

/** Creates a message id as long as those of the public client (an HMAC in hex). */
export function freshId() {
  return randomBytes(32).toString('hex');
}

/** Creates a random body of about 290 characters that cannot be compressed. */
export function encryptedLikeBody() {
  return JSON.stringify({ encryptedMessage: randomBytes(200).toString('base64') });
}
