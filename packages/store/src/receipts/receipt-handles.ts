import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Identities whose tags are kept, so that a receipt costs one hash as a rule. */
const CACHED_IDENTITIES = 10_000;
const SENDER_BYTES = 8;
const MESSAGE_BYTES = 8;
const RECIPIENT_BYTES = 4;
/** Bytes of a handle. */
export const HANDLE_BYTES = SENDER_BYTES + MESSAGE_BYTES + RECIPIENT_BYTES;

/** The message that a receipt is about. */
export interface ReceiptSubject {
  readonly sender: string;
  readonly recipient: string;
  readonly messageId: string;
}

/** The handles from the first to the last one, both included. */
export interface HandleRange {
  readonly first: Buffer;
  readonly last: Buffer;
}

/**
 * Makes the handles of receipts, which name a message in 20 bytes: 8 for its sender, 8 for its id and 4 for its recipient,
 * each cut from an HMAC-SHA256. Without the key nobody can tell whose receipts the table holds, or make two messages share a
 * handle. By chance two ids of one sender do with a probability of 2^-64, and two recipients of one id with 2^-32.
 */
export class ReceiptHandles {
  /** Hex digits of {@link recipientTag}. */
  readonly recipientTagDigits = RECIPIENT_BYTES * 2;
  readonly #tags = new LRUCache<string, Buffer>({ max: CACHED_IDENTITIES });

  /** @param key 32 bytes */
  constructor(private readonly key: Buffer) {}

  /** The handle of a receipt. */
  of({ sender, recipient, messageId }: ReceiptSubject): Buffer {
    return Buffer.concat([this.prefixOf(sender, messageId), this.recipientTag(recipient)]);
  }

  /** What the handles of all messages with this id from this sender begin with. */
  prefixOf(sender: string, messageId: string): Buffer {
    return Buffer.concat([this.#senderTag(sender), this.#hash('message', `${sender} ${messageId}`, MESSAGE_BYTES)]);
  }

  /** What the handles of all messages to this recipient end with. */
  recipientTag(recipient: string): Buffer {
    return this.#cached('recipient', recipient, RECIPIENT_BYTES);
  }

  /** The handles of all messages with this id from this sender. */
  rangeOf(sender: string, messageId: string): HandleRange {
    return toRange(this.prefixOf(sender, messageId));
  }

  /** The handles of all messages from this sender. */
  rangeOfSender(sender: string): HandleRange {
    return toRange(this.#senderTag(sender));
  }

  #senderTag(sender: string): Buffer {
    return this.#cached('sender', sender, SENDER_BYTES);
  }

  #cached(kind: string, identityKey: string, bytes: number): Buffer {
    const name = `${kind} ${identityKey}`;
    let tag = this.#tags.get(name);
    if (tag === undefined) {
      tag = this.#hash(kind, identityKey, bytes);
      this.#tags.set(name, tag);
    }
    return tag;
  }

  /** Neither a kind nor an identity key has a space, so no two inputs are the same text. */
  #hash(kind: string, text: string, bytes: number): Buffer {
    return createHmac('sha256', this.key).update(`${kind} ${text}`).digest().subarray(0, bytes);
  }
}

function toRange(prefix: Buffer): HandleRange {
  const rest = HANDLE_BYTES - prefix.length;
  return {
    first: Buffer.concat([prefix, Buffer.alloc(rest, 0x00)]),
    last: Buffer.concat([prefix, Buffer.alloc(rest, 0xff)]),
  };
}
