import { MalformedAuthError } from '../errors.js';
import type { SocketEvent } from './frames.js';
import type { MemoryAccount } from './unproven-memory.js';

/** Events that may wait while a client that came back proves that it is itself. */
const MAX_EVENTS = 256;
/** The memory that a handshake takes while it waits for its turn. */
const HANDSHAKE_BYTES = 512;

/**
 * The memory that a connection holds while its identity is not proven: a frame that is still coming, events that wait for
 * the proof, and handshakes that wait for their answer.
 */
export class UnprovenEvents {
  #events: SocketEvent[] = [];
  #eventBytes = 0;
  #receivingBytes = 0;
  #handshakes = 0;

  /** @param maxBytes of payloads that may wait on this connection */
  constructor(
    private readonly account: MemoryAccount,
    private readonly maxBytes: number,
  ) {}

  /** @returns false when the frame that is coming is too much */
  receiving(bytes: number): boolean {
    const before = this.#receivingBytes;
    this.#receivingBytes = bytes;
    if (this.#resize()) return true;
    this.#receivingBytes = before;
    return false;
  }

  /** @throws {MalformedAuthError} too much waits already */
  hold(event: SocketEvent, bytes: number): void {
    this.#eventBytes += bytes;
    if (this.#events.length >= MAX_EVENTS || this.#eventBytes > this.maxBytes || !this.#resize()) {
      this.#eventBytes -= bytes;
      throw new MalformedAuthError('Too much was sent before the identity was proven');
    }
    this.#events.push(event);
  }

  /** @throws {MalformedAuthError} too many wait already */
  setHandshakes(count: number): void {
    const before = this.#handshakes;
    this.#handshakes = count;
    if (this.#resize()) return;
    this.#handshakes = before;
    throw new MalformedAuthError('Too many handshakes wait on this connection');
  }

  /** The events that waited, in the order of sending. Nothing is held any more. */
  release(): SocketEvent[] {
    const events = this.#events;
    this.#events = [];
    this.account.close();
    return events;
  }

  #resize(): boolean {
    return this.account.resize(this.#receivingBytes + this.#eventBytes + this.#handshakes * HANDSHAKE_BYTES);
  }
}
