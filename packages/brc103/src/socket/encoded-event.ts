import { createHash, type Hash } from 'node:crypto';
import { encodeSocketEvent } from './client-frames.js';
import { isAcceptedEventName, isAcceptedEventSize } from './event-limits.js';

/** The text that follows the payload of a general message in a socket.io packet. */
export const GENERAL_MESSAGE_SUFFIX = ']}]';

/** Why clients would not accept an event. */
export type EventRejection = 'unspeakable_name' | 'too_large';

/** An event for any number of clients. The parts that are the same for all of them are computed once. */
export class EncodedEvent {
  /** UTF-8 JSON of `{eventName, data}`, which is signed for each client. Empty when the name is not accepted. */
  readonly payload: Uint8Array;
  /** Why the event must not be sent. Undefined when it may be sent. */
  readonly rejection: EventRejection | undefined;
  #suffix: Buffer | undefined;
  #suffixText: string | undefined;
  #hash: Hash | undefined;

  constructor(eventName: string, data: unknown) {
    if (!isAcceptedEventName(eventName)) {
      this.payload = new Uint8Array();
      this.rejection = 'unspeakable_name';
      return;
    }
    this.payload = encodeSocketEvent(eventName, data);
    this.rejection = isAcceptedEventSize(eventName, data, this.payload.length) ? undefined : 'too_large';
  }

  /** The end of each packet, in ASCII: the payload's bytes as decimal numbers with commas, and the text after them. */
  get suffix(): Buffer {
    this.#suffix ??= joinBytesAsDecimals(this.payload, GENERAL_MESSAGE_SUFFIX);
    return this.#suffix;
  }

  /** {@link suffix} as a string. */
  get suffixText(): string {
    this.#suffixText ??= this.suffix.toString('latin1');
    return this.#suffixText;
  }

  /** Copies the SHA-256 of the payload. Each signature needs its own copy, because signing finalizes the hash. */
  copyHash(): Hash {
    this.#hash ??= createHash('sha256').update(this.payload);
    return this.#hash.copy();
  }
}

/** The decimal text of each byte with a comma: as a little-endian word, and its number of characters. */
const DECIMAL_WORDS = new Uint32Array(256);
const DECIMAL_LENGTHS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const text = Buffer.from(`${byte},`.padEnd(4), 'latin1');
  DECIMAL_WORDS[byte] = text.readUInt32LE();
  DECIMAL_LENGTHS[byte] = `${byte},`.length;
}

/** Like `bytes.join(',')`, but many times as fast. */
function joinBytesAsDecimals(bytes: Uint8Array, end: string): Buffer {
  const text = Buffer.allocUnsafe(bytes.length * 4 + end.length);
  const view = new DataView(text.buffer, text.byteOffset, text.byteLength);
  let at = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    view.setUint32(at, DECIMAL_WORDS[byte] as number, true);
    at += DECIMAL_LENGTHS[byte] as number;
  }
  const numbers = Math.max(0, at - 1);
  return text.subarray(0, numbers + text.write(end, numbers, 'latin1'));
}
