import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hasBody } from './has-body.js';

/** The minimum pace at which a request's body must arrive. */
export interface MinUploadPace {
  /** A body that arrives at this pace is never too slow, however large it is. Bytes per second. */
  readonly minBytesPerSecond: number;
  /** How far a client may fall behind that pace, which is also how long it may send nothing. Milliseconds. */
  readonly graceMs: number;
}

/** 16 KB per second, with 30 s of grace. */
export const DEFAULT_MIN_UPLOAD_PACE: MinUploadPace = { minBytesPerSecond: 16_384, graceMs: 30_000 };

interface Upload {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Bytes that the connection had received at the last check. */
  receivedBytes: number;
  checkedAt: number;
  /** Milliseconds for which the client may send nothing from now on. */
  creditMs: number;
}

export interface SlowUploadDetectorOptions {
  readonly pace: MinUploadPace;
  /** Is called once for a slow request, which is not watched any longer. */
  readonly onTooSlow: (request: IncomingMessage, response: ServerResponse) => void;
  readonly checkIntervalMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/**
 * Finds requests whose bodies arrive too slowly. Time uses up a client's credit, and bytes refill it, never above the grace.
 * A client that sends at the minimum pace is never stopped, and a client that stalls is found after the grace. Time in which
 * this server does not read does not count.
 */
export class SlowUploadDetector {
  readonly #uploads = new Set<Upload>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SlowUploadDetectorOptions) {}

  /** Must be called when the headers have arrived. Requests without a body are ignored. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    if (!hasBody(request)) return;
    const { socket } = request;
    const upload = {
      request,
      response,
      socket,
      receivedBytes: socket.bytesRead,
      checkedAt: this.options.now(),
      creditMs: this.options.pace.graceMs,
    };
    this.#uploads.add(upload);
    request.once('close', () => this.#uploads.delete(upload));
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#check(), this.options.checkIntervalMs);
    this.#timer.unref();
  }

  #check(): void {
    const now = this.options.now();
    for (const upload of this.#uploads) {
      if (upload.request.complete || upload.socket.destroyed) this.#uploads.delete(upload);
      else if (isTooSlow(upload, now, this.options.pace)) {
        this.#uploads.delete(upload);
        this.options.onTooSlow(upload.request, upload.response);
      }
    }
    if (this.#uploads.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function isTooSlow(upload: Upload, now: number, pace: MinUploadPace): boolean {
  const { request, socket } = upload;
  const newBytes = socket.bytesRead - upload.receivedBytes;
  const elapsedMs = now - upload.checkedAt;
  upload.receivedBytes += newBytes;
  upload.checkedAt = now;
  // With a full buffer the server does not read from the connection, so the client is not the slow one.
  if (request.readableLength >= request.readableHighWaterMark) return false;
  const earnedMs = (newBytes / pace.minBytesPerSecond) * 1_000;
  upload.creditMs = Math.min(pace.graceMs, upload.creditMs + earnedMs - elapsedMs);
  return upload.creditMs < 0;
}
