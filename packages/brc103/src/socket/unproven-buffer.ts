import { MalformedAuthError } from '../errors.js';
import type { SocketEvent } from './client-frames.js';
import type { MemoryReservation } from './unproven-memory-budget.js';

/** How many events may wait while a returning client proves its identity. */
const MAX_UNPROVEN_EVENTS = 256;
/** The memory of a handshake that waits for its turn. */
const WAITING_HANDSHAKE_BYTES = 512;

/**
 * The memory that a connection uses while its identity is not proven: the arriving frame, events that wait for the proof, and
 * handshakes that wait for their answer.
 */
export class UnprovenBuffer {
  #events: SocketEvent[] = [];
  #eventBytes = 0;
  #receivingBytes = 0;
  #handshakes = 0;

  /** @param maxBytes the payload bytes that may wait on this connection */
  constructor(
    private readonly reservation: MemoryReservation,
    private readonly maxBytes: number,
  ) {}

  /** Sets the size of the arriving frame. @returns false when there is no memory for it */
  setFrameBytes(bytes: number): boolean {
    const before = this.#receivingBytes;
    this.#receivingBytes = bytes;
    if (this.#resize()) return true;
    this.#receivingBytes = before;
    return false;
  }

  /** Adds an event that waits for the proof. @throws {MalformedAuthError} when too much waits already */
  addEvent(event: SocketEvent, bytes: number): void {
    this.#eventBytes += bytes;
    if (this.#events.length >= MAX_UNPROVEN_EVENTS || this.#eventBytes > this.maxBytes || !this.#resize()) {
      this.#eventBytes -= bytes;
      throw new MalformedAuthError('Too much was sent before the identity was proven');
    }
    this.#events.push(event);
  }

  /** Sets the number of waiting handshakes. @throws {MalformedAuthError} when there is no memory for them */
  setWaitingHandshakes(count: number): void {
    const before = this.#handshakes;
    this.#handshakes = count;
    if (this.#resize()) return;
    this.#handshakes = before;
    throw new MalformedAuthError('Too many handshakes wait on this connection');
  }

  /** Returns the waiting events in the order of sending, and frees the memory. */
  release(): SocketEvent[] {
    const events = this.#events;
    this.#events = [];
    this.reservation.release();
    return events;
  }

  #resize(): boolean {
    return this.reservation.resize(
      this.#receivingBytes + this.#eventBytes + this.#handshakes * WAITING_HANDSHAKE_BYTES,
    );
  }
}
