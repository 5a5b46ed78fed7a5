import type { Socket } from 'socket.io';
import type { Clock } from './clock.js';
import { FrameReadThrottle } from './frame-read-throttle.js';
import { limitFrameSize } from './frame-size-limit.js';
import { SlowFrameDetector } from './slow-frame-detector.js';
import type { SocketOwner } from './socket-owner.js';
import type { UnprovenBuffer } from './unproven-buffer.js';
import type { MemoryReservation } from './unproven-memory-budget.js';

/** The argument of `new ArrivingFrameMonitor()`. */
export interface ArrivingFrameMonitorOptions {
  readonly connection: Socket['conn'];
  readonly clock: Clock;
  readonly maxFrameBytes: number;
  /** Counts the bytes of the frame until the identity is proven. */
  readonly unprovenBuffer: UnprovenBuffer;
  /** For frames of a proven identity. Undefined: their memory is limited by `maxFrameBytes` only. */
  readonly reserve: ReserveFrameMemory | undefined;
  /** The connection, which is closed when a frame arrives too slowly, and says when more of a large frame is read. */
  readonly owner: SocketOwner;
}

/** Opens the account of the memory that a proven socket uses for frames. `evict` closes its connection. */
export type ReserveFrameMemory = (identityKey: string, evict: () => void) => MemoryReservation;

/**
 * Limits the frame that is arriving on one connection: its size, its pace, and the memory that it uses. Between frames it
 * holds nothing for that.
 */
export class ArrivingFrameMonitor {
  readonly #sizeLimit: ReturnType<typeof limitFrameSize>;
  /** Undefined once the identity is proven. */
  #unprovenBuffer: UnprovenBuffer | undefined;
  #provenIdentity: string | undefined;
  #slowFrameDetector: SlowFrameDetector | undefined;
  #readThrottle: FrameReadThrottle | undefined;
  #reservation: MemoryReservation | undefined;
  readonly #connection: Socket['conn'];
  readonly #clock: Clock;
  readonly #reserve: ReserveFrameMemory | undefined;
  readonly #owner: SocketOwner;

  constructor({ connection, clock, maxFrameBytes, unprovenBuffer, reserve, owner }: ArrivingFrameMonitorOptions) {
    this.#connection = connection;
    this.#clock = clock;
    this.#reserve = reserve;
    this.#owner = owner;
    this.#unprovenBuffer = unprovenBuffer;
    this.#sizeLimit = limitFrameSize(connection, {
      maxFrameBytes,
      onFrameBytes: (bytes) => this.#onFrameBytes(bytes),
    });
  }

  /** From now on, the memory of frames is counted for this identity. */
  markProven(identityKey: string): void {
    this.#unprovenBuffer = undefined;
    this.#provenIdentity = identityKey;
  }

  /** Closes the connection at once, without waiting for the end of the frame. */
  abort(): void {
    this.#sizeLimit.abort();
  }

  /** Lets go of the connection, which may outlive the socket, and returns the memory. */
  release(): void {
    this.#sizeLimit.release();
    this.#readThrottle?.close();
    this.#endFrame();
  }

  /** @returns false when there is no memory for `bytes` of the frame */
  #onFrameBytes(bytes: number): boolean {
    if (bytes === 0) {
      this.#endFrame();
      return this.#unprovenBuffer?.setFrameBytes(0) ?? true;
    }
    this.#slowFrameDetector ??= new SlowFrameDetector(this.#clock, () =>
      this.#owner.closeUndelivered('frame_too_slow'),
    );
    this.#slowFrameDetector.onFrameBytes(bytes);
    if (this.#unprovenBuffer !== undefined) return this.#unprovenBuffer.setFrameBytes(bytes);
    this.#readThrottle ??= new FrameReadThrottle(this.#connection, this.#owner);
    this.#readThrottle.onFrameBytes(bytes);
    if (this.#provenIdentity !== undefined) {
      this.#reservation ??= this.#reserve?.(this.#provenIdentity, () => this.abort());
    }
    return this.#reservation?.resize(bytes) ?? true;
  }

  #endFrame(): void {
    this.#slowFrameDetector?.stop();
    this.#slowFrameDetector = undefined;
    if (this.#readThrottle?.isPaused !== true) this.#readThrottle = undefined;
    this.#reservation?.release();
    this.#reservation = undefined;
  }
}
