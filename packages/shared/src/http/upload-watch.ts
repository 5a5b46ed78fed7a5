import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How slowly a request's body may arrive. */
export interface UploadPace {
  /** A body that arrives at this pace or faster is never too slow, however large it is. Bytes in a second. */
  readonly minBytesPerSecond: number;
  /** What a client may fall behind that pace, and how long it may send nothing. Milliseconds. */
  readonly graceMs: number;
}

/** 16 KB in a second, and 30 s of grace. */
export const UPLOAD_PACE: UploadPace = { minBytesPerSecond: 16_384, graceMs: 30_000 };

interface Upload {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly pace: UploadPace;
  /** Bytes that the connection had received when it was last looked at. */
  seen: number;
  lookedAt: number;
  /** Milliseconds for which the client may still send nothing. */
  credit: number;
}

/**
 * Finds requests whose bodies arrive too slowly. Time uses up a client's credit, bytes fill it up again, never above the
 * grace: who sends at the pace goes on for ever, who stalls is found once the grace is over. Time in which this server does
 * not read costs nothing.
 */
export class UploadWatch {
  readonly #uploads = new Set<Upload>();
  #looking: NodeJS.Timeout | undefined;

  /**
   * @param options.paceOf decides once for each request, so that it may tell clients apart
   * @param options.onTooSlow is called once for a request, which isn't watched any more
   * @param options.everyMs how often to look
   * @param options.now milliseconds of a clock that never goes back
   */
  constructor(
    private readonly options: {
      readonly paceOf: (request: IncomingMessage) => UploadPace;
      readonly onTooSlow: (request: IncomingMessage, response: ServerResponse) => void;
      readonly everyMs: number;
      readonly now: () => number;
    },
  ) {}

  /** To be called when the headers have arrived. Requests without a body are left alone. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    if (!hasBody(request)) return;
    const { socket } = request;
    const pace = this.options.paceOf(request);
    const lookedAt = this.options.now();
    const upload = { request, response, socket, pace, seen: socket.bytesRead, lookedAt, credit: pace.graceMs };
    this.#uploads.add(upload);
    request.once('close', () => this.#uploads.delete(upload));
    if (this.#looking !== undefined) return;
    this.#looking = setInterval(() => this.#look(), this.options.everyMs);
    this.#looking.unref();
  }

  #look(): void {
    const now = this.options.now();
    for (const upload of this.#uploads) {
      if (upload.request.complete || upload.socket.destroyed) this.#uploads.delete(upload);
      else if (isTooSlow(upload, now)) {
        this.#uploads.delete(upload);
        this.options.onTooSlow(upload.request, upload.response);
      }
    }
    if (this.#uploads.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}

function isTooSlow(upload: Upload, now: number): boolean {
  const { request, socket, pace } = upload;
  const received = socket.bytesRead - upload.seen;
  const elapsed = now - upload.lookedAt;
  upload.seen += received;
  upload.lookedAt = now;
  // With a full buffer the connection isn't read from: it is the server's turn.
  if (request.readableLength >= request.readableHighWaterMark) return false;
  const earned = (received / pace.minBytesPerSecond) * 1_000;
  upload.credit = Math.min(pace.graceMs, upload.credit + earned - elapsed);
  return upload.credit < 0;
}

/** RFC 9112, section 6.3: a request has a body only when it says so. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
