import type { Socket } from 'socket.io';
import type { Clock } from './clock.js';
import { FrameReadThrottle } from './frame-read-throttle.js';
import { limitFrameSize } from './frame-size-limit.js';
import { SlowFrameDetector } from './slow-frame-detector.js';
import type { UnprovenBuffer } from './unproven-buffer.js';
import type { MemoryReservation } from './unproven-memory-budget.js';

/** The argument of `new ArrivingFrameMonitor()`. */
export interface ArrivingFrameMonitorOptions {
  readonly connection: Socket['conn'];
  readonly clock: Clock;
  readonly maxFrameBytes: number;
  /** Counts the bytes of the frame until the identity is proven. */
  readonly unprovenBuffer: UnprovenBuffer;
  /** Resolves when `bytes` more of a large frame may be read. */
  readonly waitForReadTurn: (bytes: number) => Promise<void>;
  /** Called when the frame arrives too slowly. */
  readonly onTooSlow: () => void;
}

/** Limits the frame that is arriving on one connection: its size, its pace, and the memory that it uses. */
export class ArrivingFrameMonitor {
  readonly #sizeLimit: ReturnType<typeof limitFrameSize>;
  readonly #slowFrameDetector: SlowFrameDetector;
  readonly #readThrottle: FrameReadThrottle;
  /** Undefined once the identity is proven. */
  #unprovenBuffer: UnprovenBuffer | undefined;
  #reservation: MemoryReservation | undefined;

  constructor(options: ArrivingFrameMonitorOptions) {
    this.#unprovenBuffer = options.unprovenBuffer;
    this.#readThrottle = new FrameReadThrottle(options.connection, options.waitForReadTurn);
    this.#slowFrameDetector = new SlowFrameDetector(options.clock, options.onTooSlow);
    this.#sizeLimit = limitFrameSize(options.connection, {
      maxFrameBytes: options.maxFrameBytes,
      onFrameBytes: (bytes) => this.#onFrameBytes(bytes),
    });
  }

  /** From now on, the memory of frames is counted in this account. Without one, it is not limited beyond `maxFrameBytes`. */
  markProven(reservation: MemoryReservation | undefined): void {
    this.#unprovenBuffer = undefined;
    this.#reservation = reservation;
  }

  /** Closes the connection at once, without waiting for the end of the frame. */
  abort(): void {
    this.#sizeLimit.abort();
  }

  /** Lets go of the connection, which may outlive the socket, and returns the memory. */
  release(): void {
    this.#slowFrameDetector.stop();
    this.#sizeLimit.release();
    this.#readThrottle.close();
    this.#reservation?.release();
  }

  /** @returns false when there is no memory for `bytes` of the frame */
  #onFrameBytes(bytes: number): boolean {
    this.#slowFrameDetector.onFrameBytes(bytes);
    if (this.#unprovenBuffer !== undefined) return this.#unprovenBuffer.setFrameBytes(bytes);
    this.#readThrottle.onFrameBytes(bytes);
    return this.#reservation?.resize(bytes) ?? true;
  }
}
