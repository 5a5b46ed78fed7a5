import type { Socket } from 'socket.io';
import type { SocketOwner } from './socket-owner.js';

/** Runs synchronous work when it is its turn. Rejects when the work is not to be run. */
export type RunFrameInTurn = (work: () => void) => Promise<void>;

/** Above this, the websocket is paused until half of it is left. */
const HIGH_WATER_MARK = { frames: 256, bytes: 4_194_304 };
/** Above this, the connection is closed. One request, or data that was read already, can exceed the high-water mark. */
const MAX_QUEUED = { frames: 4_096, bytes: 33_554_432 };

interface QueuedFrame {
  readonly bytes: number;
  work(): void;
}

/** The queue of frames of one connection that wait to be verified, in the order of sending. */
export class InboundFrameQueue {
  #frames: QueuedFrame[] = [];
  #bytes = 0;
  #isRunning = false;
  #isClosed = false;
  #pausedSocket: { resume(): void } | undefined;

  /**
   * @param schedule undefined when every frame is handled as it arrives
   * @param owner is closed when too much waits, or `schedule` rejects. Skipping a frame would break the order of frames
   */
  constructor(
    private readonly connection: Socket['conn'],
    private readonly schedule: RunFrameInTurn | undefined,
    private readonly owner: Pick<SocketOwner, 'closeUndelivered'>,
  ) {}

  /** Whether no frame waits or is being handled. */
  get isEmpty(): boolean {
    return this.#frames.length === 0 && !this.#isRunning;
  }

  /**
   * Adds a frame.
   *
   * @param bytes the memory that the frame uses while it waits
   */
  push(bytes: number, work: () => void): void {
    if (this.#isClosed) return;
    if (this.schedule === undefined) {
      work();
      return;
    }
    this.#frames.push({ bytes, work });
    this.#bytes += bytes;
    // `schedule` may run the first frame synchronously, so the limits are checked afterwards.
    if (!this.#isRunning) void this.#run(this.schedule);
    if (this.#exceeds(MAX_QUEUED)) this.#handleOverload();
    else if (this.#exceeds(HIGH_WATER_MARK)) this.#pause();
  }

  /** Drops all waiting frames, and accepts no more. */
  close(): void {
    this.#isClosed = true;
    this.#frames = [];
    this.#bytes = 0;
    this.#resume();
  }

  async #run(schedule: RunFrameInTurn): Promise<void> {
    this.#isRunning = true;
    try {
      for (let next = this.#dequeue(); next !== undefined; next = this.#dequeue()) {
        const { work } = next;
        let hasBegun = false;
        try {
          await schedule(() => {
            hasBegun = true;
            if (!this.#isClosed) work();
          });
        } catch (error) {
          if (hasBegun) throw error;
          this.#handleOverload();
        }
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #dequeue(): QueuedFrame | undefined {
    const next = this.#frames.shift();
    // An emptied array keeps room for seventeen elements.
    if (this.#frames.length === 0) this.#frames = [];
    this.#bytes -= next?.bytes ?? 0;
    if (this.#frames.length <= HIGH_WATER_MARK.frames / 2 && this.#bytes <= HIGH_WATER_MARK.bytes / 2) this.#resume();
    return next;
  }

  #exceeds({ frames, bytes }: { readonly frames: number; readonly bytes: number }): boolean {
    return this.#frames.length > frames || (this.#bytes > bytes && this.#frames.length > 1);
  }

  #handleOverload(): void {
    if (this.#isClosed) return;
    this.close();
    this.owner.closeUndelivered('overloaded');
  }

  /** Stops reading from a websocket. The data of a long poll has arrived already. */
  #pause(): void {
    if (this.#pausedSocket !== undefined) return;
    const { socket } = this.connection.transport as unknown as { socket?: { pause(): void; resume(): void } };
    socket?.pause();
    this.#pausedSocket = socket;
  }

  #resume(): void {
    this.#pausedSocket?.resume();
    this.#pausedSocket = undefined;
  }
}
