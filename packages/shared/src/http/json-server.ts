import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from '../logging/logger.js';
import { getRateLimitedLog } from '../logging/rate-limited-log.js';
import { FrontServer, type ScheduleConnection } from './front-server.js';
import { DEFAULT_REQUEST_BOUNDS, findRequestExcess, type RequestBounds } from './request-bounds.js';
import { refuseRequest, refuseSlowUpload, refuseUnreadable, type ServerLimit } from './server-refusals.js';
import { DEFAULT_MIN_DOWNLOAD_PACE, type MinDownloadPace, SlowDownloadDetector } from './slow-download-detector.js';
import { DEFAULT_MIN_UPLOAD_PACE, type MinUploadPace, SlowUploadDetector } from './slow-upload-detector.js';

/**
 * Maximum size of the header block, request line included. A quote names up to 1,000 recipients in its query, which is
 * 80 KB. The edge must have the same value (`large_client_header_buffers`).
 */
export const MAX_HEADER_BYTES = 98_304;
const HEADERS_TIMEOUT_MS = 15_000;
/** How often Node looks for headers that exceed the timeout. */
const HEADERS_CHECK_INTERVAL_MS = 5_000;
const PACE_CHECK_INTERVAL_MS = 1_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

const IDLE_CLOSE_INTERVAL_MS = 50;
/** After this many turns of the event loop without a new connection, none is waiting to be accepted. */
const QUIET_TURNS = 3;
const MAX_ACCEPT_TURNS = 1_000;

export interface JsonServerOptions {
  /** The minimum pace of uploads; a slower request is answered with 408. Default {@link DEFAULT_MIN_UPLOAD_PACE}. */
  readonly minUploadPace?: MinUploadPace;
  /** How often to look for slow uploads. Milliseconds. */
  readonly uploadCheckIntervalMs?: number;
  /** The minimum pace of downloads; a slower connection is closed. Default {@link DEFAULT_MIN_DOWNLOAD_PACE}. */
  readonly minDownloadPace?: MinDownloadPace;
  /** How often to look for slow downloads. Milliseconds. */
  readonly downloadCheckIntervalMs?: number;
  /** Limits on the shape of a request. Default {@link DEFAULT_REQUEST_BOUNDS}. */
  readonly requestBounds?: RequestBounds;
  /** Is called with the name of each limit of this server that a client hits. Must not throw. */
  readonly onLimit?: (limit: ServerLimit) => void;
  /** The maximum time for the headers of a request. Milliseconds. */
  readonly headersTimeoutMs?: number;
  /**
   * Decides when a new connection is read. Leave it out behind a proxy, whose connections are those of many clients. Default:
   * at once.
   */
  readonly scheduleConnection?: ScheduleConnection | undefined;
  /**
   * Returns the client of a request, such as its address. Requests of one client that arrive at the same moment are then
   * spread over turns of the event loop. Default: they are not.
   */
  readonly getRequestKey?: (request: IncomingMessage) => string;
  /** A clock for the pace of uploads and downloads. Milliseconds, never going back. */
  readonly now?: () => number;
}

/**
 * An HTTP server whose own refusals are JSON as well, and which can close without cutting off responses. Repeated slashes
 * in a path count as one. Upgrade offers are ignored unless they are accepted. Uploads and downloads have a minimum pace
 * and no maximum time.
 */
export class JsonServer {
  readonly http: Server;
  readonly #connections = new Set<Socket>();
  readonly #front: FrontServer;
  #accepted = 0;

  /** @param log gets one line for each refusal of this server; the listener logs its own refusals */
  constructor(listener: RequestListener, log?: Logger, options: JsonServerOptions = {}) {
    const {
      minUploadPace = DEFAULT_MIN_UPLOAD_PACE,
      headersTimeoutMs = HEADERS_TIMEOUT_MS,
      now = () => performance.now(),
      onLimit = () => {},
      requestBounds: bounds = DEFAULT_REQUEST_BOUNDS,
    } = options;
    const uploads = new SlowUploadDetector({
      pace: minUploadPace,
      onTooSlow: (request, response) => {
        onLimit('slow_upload');
        refuseSlowUpload(log, request, response);
      },
      checkIntervalMs: options.uploadCheckIntervalMs ?? PACE_CHECK_INTERVAL_MS,
      now,
    });
    const downloads = new SlowDownloadDetector({
      pace: options.minDownloadPace ?? DEFAULT_MIN_DOWNLOAD_PACE,
      onTooSlow: (response) => {
        onLimit('slow_download');
        if (log)
          getRateLimitedLog(log).write(
            'info',
            { status: response.statusCode, limit: 'slow_download' },
            'a client took its response too slowly',
          );
        response.destroy();
      },
      checkIntervalMs: options.downloadCheckIntervalMs ?? PACE_CHECK_INTERVAL_MS,
      now,
    });
    this.#front = new FrontServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: 0, // a total time would cut off large bodies on slow lines; SlowUploadDetector replaces it
        headersTimeout: headersTimeoutMs,
        connectionsCheckingInterval: Math.min(HEADERS_CHECK_INTERVAL_MS, headersTimeoutMs),
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        requireHostHeader: false, // Node's own refusal has no body, so the listener below refuses
      },
      (request, response) => {
        uploads.watch(request, response);
        downloads.watch(request, response);
        const excess = findRequestExcess(request, bounds);
        if (excess === undefined) return true;
        onLimit(excess.limit);
        refuseRequest(log, request, response, excess.status, excess.description, excess.limit);
        return false;
      },
      (request) => findRequestExcess(request, bounds) === undefined,
      (request, response) => {
        if (request.headers.host === undefined && request.httpVersion === '1.1') {
          refuseRequest(log, request, response, 400, 'The request has no Host header.');
        } else listener(request, response);
      },
    );
    this.http = this.#front;
    if (options.getRequestKey !== undefined) this.#front.spreadRequests(options.getRequestKey);
    if (options.scheduleConnection !== undefined) this.#front.scheduleConnections(options.scheduleConnection);
    // Node drops header lines beyond this number, Content-Length like any other. Requests with more are refused before.
    this.http.maxHeadersCount = bounds.headers;
    this.http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const limit = refuseUnreadable(log, error, socket);
      if (limit !== undefined) onLimit(limit);
    });
    this.http.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      refuseRequest(log, request, response, 417, 'The Expect header may only be 100-continue.');
    });
    this.http.on('connection', (socket) => {
      if (this.#connections.has(socket)) return; // after an ignored upgrade offer, the connection is emitted again
      this.#accepted += 1;
      this.#connections.add(socket);
      // Not `once`, whose wrapper takes as much memory again. A connection closes once.
      socket.on('close', () => this.#connections.delete(socket));
    });
  }

  /**
   * Gives `upgrade` listeners the websockets whose request target `accepts` returns true for. Repeated slashes in the
   * target are one by then. Any other request with an upgrade offer is served as if it had none.
   */
  acceptWebSockets(accepts: (target: string) => boolean): void {
    this.#front.acceptsWebSocket = accepts;
  }

  /**
   * @returns the base URL, with 127.0.0.1 when the server listens on all addresses
   * @throws {Error} when the port is in use
   */
  async listen(port: number, host?: string): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', (error: NodeJS.ErrnoException) => {
        reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is in use; set PORT to another one`) : error);
      });
      this.http.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
    });
    const address = this.http.address() as AddressInfo;
    const name = host === undefined || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : address.address;
    return `http://${name.includes(':') ? `[${name}]` : name}:${address.port}`;
  }

  /**
   * Accepts no new connections, lets running requests finish, and resolves when the last connection is closed.
   *
   * @param timeoutMs after this time the remaining connections are closed, also those of dead websocket clients
   */
  async close(timeoutMs: number): Promise<void> {
    await this.#acceptWaiting();
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    // Clients keep a connection open after its response, so the server closes each one that has become idle.
    const idleCloser = setInterval(() => this.http.closeIdleConnections(), IDLE_CLOSE_INTERVAL_MS);
    this.http.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
    this.http.closeIdleConnections();
    const timer = setTimeout(() => {
      this.#front.closeWaitingConnections();
      for (const socket of this.#connections) socket.destroy();
    }, timeoutMs);
    await closed;
    clearInterval(idleCloser);
    clearTimeout(timer);
  }

  /**
   * Accepts the connections that clients have made and this process has not seen yet. Node accepts one in each turn of
   * the event loop, and closing the listener would reset the others.
   */
  async #acceptWaiting(): Promise<void> {
    let quiet = 0;
    for (let turn = 0; turn < MAX_ACCEPT_TURNS && quiet < QUIET_TURNS; turn++) {
      const before = this.#accepted;
      await setImmediate();
      quiet = before === this.#accepted ? quiet + 1 : 0;
    }
  }
}
