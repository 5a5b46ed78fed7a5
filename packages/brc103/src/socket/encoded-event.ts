import { createHash, type Hash } from 'node:crypto';
import { isEventOfAcceptedSize, isSpeakableEventName } from './event-limits.js';
import { encodeEvent } from './frames.js';

/** How a general message ends behind its payload, as the argument of a socket.io event. */
export const END_OF_GENERAL = ']}]';

/** Why clients would not take an event. */
export type EventProblem = 'unspeakable_name' | 'too_large';

/** An event as it goes to any number of clients: what is the same for all of them is made once. */
export class EncodedEvent {
  /** UTF-8 JSON of `{eventName, data}`, which is signed for each client. Empty when there is a problem with its name. */
  readonly payload: Uint8Array;
  /** Why it must not be sent to anybody. */
  readonly problem: EventProblem | undefined;
  #end: Buffer | undefined;
  #endText: string | undefined;
  #hash: Hash | undefined;

  constructor(eventName: string, data: unknown) {
    if (!isSpeakableEventName(eventName)) {
      this.payload = new Uint8Array();
      this.problem = 'unspeakable_name';
      return;
    }
    this.payload = encodeEvent(eventName, data);
    this.problem = isEventOfAcceptedSize(eventName, data, this.payload.length) ? undefined : 'too_large';
  }

  /** The end of each frame: the payload's bytes as numbers, separated by commas, and {@link END_OF_GENERAL}. In ASCII. */
  get end(): Buffer {
    this.#end ??= writeNumbers(this.payload, END_OF_GENERAL);
    return this.#end;
  }

  /** The same as a text. */
  get endText(): string {
    this.#endText ??= this.end.toString('latin1');
    return this.#endText;
  }

  /** The SHA-256 of the payload, for one signature: each call answers another object. */
  hash(): Hash {
    this.#hash ??= createHash('sha256').update(this.payload);
    return this.#hash.copy();
  }
}

/** Of each byte its number in decimal and a comma: as one little-endian word, and how many characters of it count. */
const WORDS = new Uint32Array(256);
const LENGTHS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const text = Buffer.from(`${byte},`.padEnd(4), 'latin1');
  WORDS[byte] = text.readUInt32LE();
  LENGTHS[byte] = `${byte},`.length;
}

/** The same as `join(',')`, many times as fast. */
function writeNumbers(bytes: Uint8Array, end: string): Buffer {
  const text = Buffer.allocUnsafe(bytes.length * 4 + end.length);
  const view = new DataView(text.buffer, text.byteOffset, text.byteLength);
  let at = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    view.setUint32(at, WORDS[byte] as number, true);
    at += LENGTHS[byte] as number;
  }
  const numbers = Math.max(0, at - 1);
  return text.subarray(0, numbers + text.write(end, numbers, 'latin1'));
}
