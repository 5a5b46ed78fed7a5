import type { Socket } from 'socket.io';
import { PORTION_BYTES } from '../portions.js';

/**
 * Reads a large frame of a websocket in portions, so that many such frames at once keep nobody else waiting. Of a long poll,
 * what comes is read as it comes.
 */
export class FramePortions {
  #readUntil = PORTION_BYTES;
  #paused: { resume(): void } | undefined;

  /** @param askTurn resolves when the next so many bytes may be read */
  constructor(
    private readonly connection: Socket['conn'],
    private readonly askTurn: (bytes: number) => Promise<void>,
  ) {}

  /** @param bytes that are held of the frame which is coming; 0 when none is */
  receiving(bytes: number): void {
    if (bytes < this.#readUntil - PORTION_BYTES) this.#readUntil = PORTION_BYTES;
    if (bytes < this.#readUntil || this.#paused !== undefined) return;
    this.#readUntil = bytes + PORTION_BYTES;
    const { socket } = this.connection.transport as unknown as { socket?: { pause(): void; resume(): void } };
    if (socket === undefined) return;
    socket.pause();
    this.#paused = socket;
    void this.askTurn(PORTION_BYTES).then(() => this.close());
  }

  /** Nothing is held back any more. */
  close(): void {
    this.#paused?.resume();
    this.#paused = undefined;
  }
}
