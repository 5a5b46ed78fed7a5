import type { Socket } from 'socket.io';
import { READ_CHUNK_BYTES } from '../read-cost.js';
import type { SocketOwner } from './socket-owner.js';

/**
 * Reads a large frame of a websocket in portions, so that many such frames at once do not delay other clients. Long polls are
 * read as they arrive.
 */
export class FrameReadThrottle {
  #pauseAtBytes = READ_CHUNK_BYTES;
  #pausedSocket: { resume(): void } | undefined;

  constructor(
    private readonly connection: Socket['conn'],
    private readonly owner: Pick<SocketOwner, 'waitForReadTurn'>,
  ) {}

  /** Whether the websocket is not read until the next turn. */
  get isPaused(): boolean {
    return this.#pausedSocket !== undefined;
  }

  /** @param bytes how much of the arriving frame is in memory; 0 when no frame is arriving */
  onFrameBytes(bytes: number): void {
    if (bytes < this.#pauseAtBytes - READ_CHUNK_BYTES) this.#pauseAtBytes = READ_CHUNK_BYTES;
    if (bytes < this.#pauseAtBytes || this.#pausedSocket !== undefined) return;
    this.#pauseAtBytes = bytes + READ_CHUNK_BYTES;
    const { socket } = this.connection.transport as unknown as { socket?: { pause(): void; resume(): void } };
    if (socket === undefined) return;
    socket.pause();
    this.#pausedSocket = socket;
    void this.owner.waitForReadTurn(READ_CHUNK_BYTES).then(() => this.close());
  }

  /** Resumes reading. */
  close(): void {
    this.#pausedSocket?.resume();
    this.#pausedSocket = undefined;
  }
}
