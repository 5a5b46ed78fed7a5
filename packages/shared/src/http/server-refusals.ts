import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '../logging/logger.js';
import { getRateLimitedLog } from '../logging/rate-limited-log.js';
import type { RequestExcess } from './request-bounds.js';
import { sendJson } from './send-json.js';

/** Limits of the server itself, as `messagebox_limits_hit_total` names them. */
export type ServerLimit = 'slow_upload' | 'slow_download' | 'slow_headers' | 'header_bytes' | RequestExcess['limit'];

const BAD_REQUEST = 'ERR_BAD_REQUEST';
const TOO_SLOW_DESCRIPTION = 'The request took too long to arrive.';

/** Answers a request with `ERR_BAD_REQUEST` and closes its connection. */
export function refuseRequest(
  log: Logger | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  description: string,
  limit?: ServerLimit,
): void {
  if (log) getRateLimitedLog(log).write('info', { status, code: BAD_REQUEST, limit }, 'request refused');
  response.setHeader('Connection', 'close'); // the body stays unread
  sendJson(response, status, { status: 'error', code: BAD_REQUEST, description });
  request.resume();
}

/** Answers a request whose body arrives too slowly with 408, unless its response has begun. */
export function refuseSlowUpload(log: Logger | undefined, request: IncomingMessage, response: ServerResponse): void {
  // Only `destroy()` tells the readers of the body that the rest will not come; the end of the response does not.
  if (response.headersSent) request.destroy();
  else {
    response.once('finish', () => request.destroy());
    refuseRequest(log, request, response, 408, TOO_SLOW_DESCRIPTION, 'slow_upload');
  }
}

/** Errors of Node's parser that are limits. */
const LIMIT_BY_ERROR_CODE: Readonly<Record<string, ServerLimit>> = {
  HPE_HEADER_OVERFLOW: 'header_bytes',
  ERR_HTTP_REQUEST_TIMEOUT: 'slow_headers',
};

/** Answers what Node's parser could not read, and closes the connection. @returns the limit that was exceeded, if any */
export function refuseUnreadable(
  log: Logger | undefined,
  error: NodeJS.ErrnoException,
  socket: Duplex,
): ServerLimit | undefined {
  const limit = LIMIT_BY_ERROR_CODE[error.code ?? ''];
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return limit;
  }
  const [status, phrase, description] = describeParserError(error.code);
  if (log)
    getRateLimitedLog(log).write('info', { status, code: BAD_REQUEST, limit, reason: error.code }, 'request refused');
  const body = JSON.stringify({ status: 'error', code: BAD_REQUEST, description });
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n${body}`,
  );
  return limit;
}

function describeParserError(code: string | undefined): [status: number, phrase: string, description: string] {
  if (code === 'HPE_HEADER_OVERFLOW')
    return [431, 'Request Header Fields Too Large', 'The request headers are too large.'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'Request Timeout', TOO_SLOW_DESCRIPTION];
  return [400, 'Bad Request', 'This is not a valid HTTP request.'];
}
