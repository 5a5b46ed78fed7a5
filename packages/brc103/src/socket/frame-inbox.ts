import type { Socket } from 'socket.io';

/** Runs work, which does not wait for anything, when it is its turn. Rejects when it is not to be run at all. */
export type Schedule = (work: () => void) => Promise<void>;

/** So much may wait before a websocket is not read any more for a while. */
const PAUSE_AT = { frames: 256, bytes: 4_194_304 };
/** So much may wait in any case: what has come by one request, or is on its way in this process. */
const MAX_WAITING = { frames: 4_096, bytes: 33_554_432 };

interface Waiting {
  readonly bytes: number;
  work(): void;
}

/** The frames of one connection that wait for their turn to be verified, in the order of sending. */
export class FrameInbox {
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #isRunning = false;
  #isClosed = false;
  #paused: { resume(): void } | undefined;

  /**
   * @param schedule undefined: every frame is worked on as it comes
   * @param onOverload called when too much waits, or a frame has waited for too long: the order of frames would be lost
   */
  constructor(
    private readonly connection: Socket['conn'],
    private readonly schedule: Schedule | undefined,
    private readonly onOverload: () => void,
  ) {}

  /** Frames that wait, or are worked on. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && !this.#isRunning;
  }

  /** @param bytes that are held while it waits */
  push(bytes: number, work: () => void): void {
    if (this.#isClosed) return;
    if (this.schedule === undefined) {
      work();
      return;
    }
    this.#waiting.push({ bytes, work });
    this.#bytes += bytes;
    // Whoever is alone with it, or has asked for little, is served at once.
    if (!this.#isRunning) void this.#run(this.schedule);
    if (this.#isBeyond(MAX_WAITING)) this.#overload();
    else if (this.#isBeyond(PAUSE_AT)) this.#pause();
  }

  /** Drops what waits: the connection has ended. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#bytes = 0;
    this.#resume();
  }

  async #run(schedule: Schedule): Promise<void> {
    this.#isRunning = true;
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) {
        const { work } = next;
        let hasBegun = false;
        try {
          await schedule(() => {
            hasBegun = true;
            if (!this.#isClosed) work();
          });
        } catch (error) {
          if (hasBegun) throw error;
          this.#overload();
        }
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #take(): Waiting | undefined {
    const next = this.#waiting.shift();
    this.#bytes -= next?.bytes ?? 0;
    if (this.#waiting.length <= PAUSE_AT.frames / 2 && this.#bytes <= PAUSE_AT.bytes / 2) this.#resume();
    return next;
  }

  #isBeyond({ frames, bytes }: { readonly frames: number; readonly bytes: number }): boolean {
    return this.#waiting.length > frames || (this.#bytes > bytes && this.#waiting.length > 1);
  }

  #overload(): void {
    if (this.#isClosed) return;
    this.close();
    this.onOverload();
  }

  /** Lets a websocket's client wait. Of a long poll, what has come has come. */
  #pause(): void {
    if (this.#paused !== undefined) return;
    const { socket } = this.connection.transport as unknown as { socket?: { pause(): void; resume(): void } };
    socket?.pause();
    this.#paused = socket;
  }

  #resume(): void {
    this.#paused?.resume();
    this.#paused = undefined;
  }
}
