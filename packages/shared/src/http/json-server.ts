import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Health } from '../health/health.js';
import { limitedLines } from '../logging/limited-lines.js';
import type { Logger } from '../logging/logger.js';
import { DOWNLOAD_PACE, type DownloadPace, DownloadWatch } from './download-watch.js';
import { FrontServer } from './front-server.js';
import { type Excess, excessOfRequest, REQUEST_BOUNDS, type RequestBounds } from './request-bounds.js';
import { UPLOAD_PACE, type UploadPace, UploadWatch } from './upload-watch.js';

/**
 * The largest header block that is read, request line included: a quote names up to 1,000 recipients in its query, which
 * is 80 KB. Must match the edge's (`large_client_header_buffers`).
 */
export const MAX_HEADER_BYTES = 98_304;
const HEADERS_TIMEOUT_MS = 15_000;
/** How often Node looks for headers that take too long. */
const HEADERS_CHECK_MS = 5_000;
const PACE_CHECK_MS = 1_000;

const SWEEP_MS = 50;
/** After so many turns of the loop without a new connection, none waits; and after so many in all, enough is enough. */
const QUIET_TURNS = 3;
const MOST_ACCEPT_TURNS = 1_000;

const BAD_REQUEST = 'ERR_BAD_REQUEST';
const TOO_SLOW = 'The request took too long to arrive.';

/** Limits of the server itself, as `messagebox_limits_hit_total` names them. */
export type ServerLimit = 'slow_upload' | 'slow_download' | 'slow_headers' | 'header_bytes' | Excess['limit'];

export interface JsonServerOptions {
  /** How slowly a body may arrive before its request is answered with 408: {@link UPLOAD_PACE} unless given. */
  readonly uploadPace?: UploadPace;
  /** How often to look for slow uploads, milliseconds. */
  readonly uploadCheckMs?: number;
  /** How slowly an answer may be taken before its connection is ended: {@link DOWNLOAD_PACE} unless given. */
  readonly downloadPace?: DownloadPace;
  /** How often to look for answers that are taken too slowly, milliseconds. */
  readonly downloadCheckMs?: number;
  /** What a request may have by its shape: {@link REQUEST_BOUNDS} unless given. */
  readonly requestBounds?: RequestBounds;
  /** Told by name of each limit that a client has met here. Must not throw. */
  readonly onLimit?: (limit: ServerLimit) => void;
  /** How long the headers of a request may take, milliseconds. */
  readonly headersTimeoutMs?: number;
  /** The clock by which uploads and downloads are slow: milliseconds, never going back. */
  readonly now?: () => number;
}

/**
 * An HTTP server whose own refusals are JSON, too, and which can end without cutting answers off. Runs of slashes in a path
 * count as one, offers of other protocols are ignored unless they are taken, and uploads and answers are bounded by pace, not by time.
 */
export class JsonServer {
  readonly http: Server;
  readonly #connections = new Set<Socket>();
  readonly #front: FrontServer;
  #accepted = 0;

  /** @param log gets one line for each refusal of this server's own; those of the listener are the listener's */
  constructor(listener: RequestListener, log?: Logger, options: JsonServerOptions = {}) {
    const { uploadPace: pace = UPLOAD_PACE, headersTimeoutMs = HEADERS_TIMEOUT_MS } = options;
    const { now = () => performance.now(), onLimit = () => {}, requestBounds: bounds = REQUEST_BOUNDS } = options;
    const uploads = new UploadWatch({
      paceOf: () => pace,
      onTooSlow: (request, response) => {
        onLimit('slow_upload');
        refuseSlowUpload(log, request, response);
      },
      everyMs: options.uploadCheckMs ?? PACE_CHECK_MS,
      now,
    });
    const downloads = new DownloadWatch({
      pace: options.downloadPace ?? DOWNLOAD_PACE,
      onTooSlow: (response) => {
        onLimit('slow_download');
        if (log)
          limitedLines(log).write(
            'info',
            { status: response.statusCode, limit: 'slow_download' },
            'an answer was taken too slowly',
          );
        response.destroy();
      },
      everyMs: options.downloadCheckMs ?? PACE_CHECK_MS,
      now,
    });
    this.#front = new FrontServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: 0, // a total time would cut off large bodies on slow lines: see UploadWatch
        headersTimeout: headersTimeoutMs,
        connectionsCheckingInterval: Math.min(HEADERS_CHECK_MS, headersTimeoutMs),
        keepAliveTimeout: 65_000,
        requireHostHeader: false, // Node's own refusal has no body: see below
      },
      (request, response) => {
        uploads.watch(request, response);
        downloads.watch(request, response);
        const excess = excessOfRequest(request, bounds);
        if (excess === undefined) return true;
        onLimit(excess.limit);
        refuseRequest(log, request, response, excess.status, excess.description, excess.limit);
        return false;
      },
      (request) => excessOfRequest(request, bounds) === undefined,
      (request, response) => {
        if (request.headers.host === undefined && request.httpVersion === '1.1') {
          refuseRequest(log, request, response, 400, 'The request has no Host header.');
        } else listener(request, response);
      },
    );
    this.http = this.#front;
    // Node leaves out of `headers` what comes after so many, Content-Length like any other; but more are refused.
    this.http.maxHeadersCount = bounds.headers;
    this.http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const limit = LIMIT_OF_ERROR[error.code ?? ''];
      if (limit !== undefined) onLimit(limit);
      refuseUnreadable(log, error, socket, limit);
    });
    this.http.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      refuseRequest(log, request, response, 417, 'Only 100-continue can be expected here.');
    });
    this.http.on('connection', (socket) => {
      if (this.#connections.has(socket)) return; // it comes again after an offer that was ignored
      this.#accepted += 1;
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  /**
   * Lets `upgrade` listeners have the websockets for whose request target (runs of slashes collapsed) `take` answers true.
   * Any other offer of another protocol is served as if it weren't there.
   */
  takeWebSockets(take: (target: string) => boolean): void {
    this.#front.takesWebSocket = take;
  }

  /** @returns the base URL it listens on, with 127.0.0.1 in place of "all interfaces" */
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
   * Takes no new connections, lets running requests end, and resolves when the last connection has.
   * Connections that are still there after `patienceMs`, those of dead websocket clients among them, are cut.
   */
  async close(patienceMs: number): Promise<void> {
    await this.#acceptWaiting();
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    // Clients keep a connection open after its answer, so each is closed once it has become idle.
    const sweeping = setInterval(() => this.http.closeIdleConnections(), SWEEP_MS);
    this.http.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
    this.http.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const socket of this.#connections) socket.destroy();
    }, patienceMs);
    await closed;
    clearInterval(sweeping);
    clearTimeout(timer);
  }

  /**
   * Takes the connections that clients have made and this process has not looked at yet: Node accepts one in each turn
   * of its loop, and closing the listener would reset the others.
   */
  async #acceptWaiting(): Promise<void> {
    let quiet = 0;
    for (let turn = 0; turn < MOST_ACCEPT_TURNS && quiet < QUIET_TURNS; turn++) {
      const before = this.#accepted;
      await setImmediate();
      quiet = before === this.#accepted ? quiet + 1 : 0;
    }
  }
}

function refuseRequest(
  log: Logger | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  description: string,
  limit?: ServerLimit,
): void {
  if (log) limitedLines(log).write('info', { status, code: BAD_REQUEST, limit }, 'request refused');
  response.setHeader('Connection', 'close'); // its body stays unread
  sendJson(response, status, { status: 'error', code: BAD_REQUEST, description });
  request.resume();
}

function refuseSlowUpload(log: Logger | undefined, request: IncomingMessage, response: ServerResponse): void {
  // Node doesn't tell whoever waits for the rest of an answered request that it will not come.
  if (response.headersSent) request.destroy();
  else {
    response.once('finish', () => request.destroy());
    refuseRequest(log, request, response, 408, TOO_SLOW, 'slow_upload');
  }
}

/** Errors of Node's own parser that are limits. */
const LIMIT_OF_ERROR: Readonly<Record<string, ServerLimit>> = {
  HPE_HEADER_OVERFLOW: 'header_bytes',
  ERR_HTTP_REQUEST_TIMEOUT: 'slow_headers',
};

function refuseUnreadable(
  log: Logger | undefined,
  error: NodeJS.ErrnoException,
  socket: Duplex,
  limit: ServerLimit | undefined,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, phrase, text] = refusal(error.code);
  if (log) limitedLines(log).write('info', { status, code: BAD_REQUEST, limit, reason: error.code }, 'request refused');
  const body = JSON.stringify({ status: 'error', code: BAD_REQUEST, description: text });
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n${body}`,
  );
}

function refusal(code: string | undefined): [number, string, string] {
  if (code === 'HPE_HEADER_OVERFLOW')
    return [431, 'Request Header Fields Too Large', 'The request headers are too large.'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'Request Timeout', TOO_SLOW];
  return [400, 'Bad Request', 'This is not a valid HTTP request.'];
}

/** Headers that let a page of any origin use this server (protocol: BRC-104, CORS). */
export const corsHeaders: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': '*',
  'Access-Control-Allow-Headers': '*, Authorization',
  'Access-Control-Expose-Headers': '*',
  'Access-Control-Allow-Private-Network': 'true',
};

/** Answers `/health/live` and `/health/ready`; returns false for any other path. */
export function answerHealth(path: string, response: ServerResponse, health: Health): boolean {
  if (path === '/health/live') {
    sendJson(response, 200, { status: 'alive' });
    return true;
  }
  if (path !== '/health/ready') return false;
  void health.report().then((report) => sendJson(response, report.status === 'ready' ? 200 : 503, report));
  return true;
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    ...corsHeaders,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}
