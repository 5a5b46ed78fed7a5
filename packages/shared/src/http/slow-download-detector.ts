import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The minimum pace at which a client must take a response. */
export interface MinDownloadPace {
  /** A response that is taken at this pace is never too slow, however large it is. Bytes per second. */
  readonly minBytesPerSecond: number;
  /** How far a client may fall behind that pace, which is also how long it may take nothing. Milliseconds. */
  readonly graceMs: number;
}

/** 16 KB per second, with 30 s of grace. */
export const DEFAULT_MIN_DOWNLOAD_PACE: MinDownloadPace = { minBytesPerSecond: 16_384, graceMs: 30_000 };

/**
 * The operating system takes bytes in steps. On a fast line to a proxy that reads no faster than its slow client, a step is a
 * third of a send buffer of some megabytes. The time for a step of up to this many bytes does not count as stalling.
 */
const MAX_STEP_BYTES = 2_097_152;

interface WatchedResponse {
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Bytes that had left this process at the last check. */
  sentBytes: number;
  /** The time of the last check. Undefined while no bytes wait to be taken. */
  checkedAt: number | undefined;
  /** Milliseconds for which the client may take nothing from now on. */
  creditMs: number;
}

export interface SlowDownloadDetectorOptions {
  readonly pace: MinDownloadPace;
  /** Is called once for a slow response, which is not watched any longer. */
  readonly onTooSlow: (response: ServerResponse) => void;
  readonly checkIntervalMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/**
 * Finds clients that take their responses too slowly. Time uses up a client's credit, and bytes refill it. The credit never
 * exceeds the grace or, where that is more, the time for the bytes that left in one step. A client that reads at the minimum
 * pace is never stopped, and a client that stalls is found when its credit is used up. Time without bytes to take does not
 * count, so a long poll may wait.
 */
export class SlowDownloadDetector {
  readonly #responses = new Set<WatchedResponse>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SlowDownloadDetectorOptions) {}

  /** Must be called when a request has arrived. */
  watch({ socket }: IncomingMessage, response: ServerResponse): void {
    const watched: WatchedResponse = {
      response,
      socket,
      sentBytes: countSentBytes(socket),
      checkedAt: undefined,
      creditMs: this.options.pace.graceMs,
    };
    this.#responses.add(watched);
    response.once('close', () => this.#responses.delete(watched));
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#check(), this.options.checkIntervalMs);
    this.#timer.unref();
  }

  #check(): void {
    let now: number | undefined;
    for (const watched of this.#responses) {
      if (watched.socket.writableLength === 0) {
        watched.checkedAt = undefined;
        continue;
      }
      now ??= this.options.now();
      if (!isTooSlow(watched, now, this.options.pace)) continue;
      this.#responses.delete(watched);
      this.options.onTooSlow(watched.response);
    }
    if (this.#responses.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function isTooSlow(watched: WatchedResponse, now: number, pace: MinDownloadPace): boolean {
  const sentBytes = countSentBytes(watched.socket);
  const newBytes = sentBytes - watched.sentBytes;
  const elapsedMs = now - (watched.checkedAt ?? now);
  watched.sentBytes = sentBytes;
  watched.checkedAt = now;
  const earnedMs = (Math.min(newBytes, MAX_STEP_BYTES) / pace.minBytesPerSecond) * 1_000;
  const creditMs = watched.creditMs - elapsedMs;
  // A later check must not reduce the credit that an earlier step has earned.
  watched.creditMs = Math.max(creditMs, Math.min(creditMs + earnedMs, Math.max(pace.graceMs, earnedMs)));
  return watched.creditMs < 0;
}

/**
 * Bytes of a connection that the operating system has taken. `socket.bytesWritten` counts a whole chunk as written at once,
 * so this reads the connection's handle. Tests fail when a new version of Node has no such handle.
 */
function countSentBytes(socket: Socket): number {
  const { _handle: handle } = socket as unknown as {
    _handle?: { bytesWritten: number; writeQueueSize: number } | null;
  };
  return handle ? handle.bytesWritten - handle.writeQueueSize : 0;
}
