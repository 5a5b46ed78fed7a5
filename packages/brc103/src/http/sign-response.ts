import type { Hash } from 'node:crypto';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { types } from 'node:util';
import type { Authenticator, Session } from '../authenticator.js';
import { hashPayload, hashPayloadInChunks, needsChunkedHash, type RunInTurn } from './payload-hash.js';
import { encodeResponsePayloadHead, isSignedResponseHeader } from './response-payload.js';

/** The argument of {@link signResponse}. */
export interface SignResponseOptions {
  readonly authenticator: Authenticator;
  readonly session: Session;
  /** 32 bytes. */
  readonly requestId: Uint8Array;
  /** Runs the hashing of a large response in chunks. Default: a response is hashed at once. */
  readonly runInTurn?: RunInTurn;
  /** Called with the time that encoding and signing the response took. Milliseconds. */
  readonly onSigned?: (ms: number) => void;
}

/**
 * Makes `res` sign any response to this request: that of a route, the 404, an error handler or a stream. The response is held
 * back until it is complete, because the signature is sent in the headers.
 *
 * Three things are changed. An empty body becomes `{}`, except where HTTP allows no body (HEAD, 204, 205, 304). `ETag` and
 * `Last-Modified` are removed and `Cache-Control` becomes `no-store`, because a cached or conditional response carries the
 * signature of another request, and clients wait forever for a response that they can verify. Trailers are dropped.
 *
 * Does not throw. `res.end` throws when signing fails, and the response is not signed any more then.
 */
export function signResponse(req: IncomingMessage, res: ServerResponse, options: SignResponseOptions): void {
  const chunks: Buffer[] = [];
  /** Once true, the functions below only call the originals. They stay, because other code may have wrapped them. */
  let isComplete = false;
  /** Whether a large response is complete, but still being hashed. */
  let isHashing = false;
  const { write, end, writeHead, flushHeaders } = res;

  const keep = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk === 'string') {
      chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'));
    } else if (types.isUint8Array(chunk)) {
      chunks.push(Buffer.from(chunk)); // a copy, because the caller may reuse its buffer before the response is sent
    } else if (chunk !== undefined && chunk !== null) {
      throw new TypeError('A response body must consist of strings and bytes');
    }
  };

  res.writeHead = function signedWriteHead(...args: unknown[]) {
    if (isComplete) return Reflect.apply(writeHead, res, args);
    const [status, second, third] = args;
    res.statusCode = Number(status);
    if (typeof second === 'string') res.statusMessage = second;
    setHeaders(res, typeof second === 'string' ? third : (second ?? third));
    return res;
  };

  // Error handlers read this to find out whether a part of another response was written already.
  Object.defineProperty(res, 'headersSent', {
    configurable: true,
    get: () =>
      isComplete ? isHashing || Reflect.get(ServerResponse.prototype, 'headersSent', res) : chunks.length > 0,
  });

  res.flushHeaders = () => {
    if (isComplete) Reflect.apply(flushHeaders, res, []);
  };

  res.write = function signedWrite(...args: unknown[]) {
    if (isHashing) return true;
    if (isComplete || res.destroyed) return Reflect.apply(write, res, args);
    keep(args[0], args[1]);
    const done = args.find((arg) => typeof arg === 'function');
    if (done) process.nextTick(done);
    return true;
  };

  res.end = function signedEnd(...args: unknown[]) {
    if (isHashing) return res;
    if (isComplete || res.destroyed) return Reflect.apply(end, res, args);
    if (typeof args[0] !== 'function') keep(args[0], args[1]);
    const done = args.find((arg) => typeof arg === 'function');
    isComplete = true;
    const start = performance.now();
    const body = finishHeaders(req, res, joinSmall(chunks));
    chunks.length = 0;
    const bytes = countBytes(body);
    const head = encodePayloadHead(res, bytes, options);
    const finish = (hash: Hash, since: number) => {
      setSignatureHeaders(res, hash, options);
      options.onSigned?.(performance.now() - since);
      if (body.length > 1) res.cork();
      for (const chunk of body.slice(0, -1)) Reflect.apply(write, res, [chunk]);
      Reflect.apply(end, res, [...body.slice(-1), ...(done ? [done] : [])]);
      return res;
    };
    if (options.runInTurn === undefined || !needsChunkedHash(bytes)) return finish(hashPayload(head, ...body), start);
    isHashing = true;
    options.onSigned?.(performance.now() - start);
    void hashPayloadInChunks(head, body, options.runInTurn)
      // The response is also due when `runInTurn` rejects.
      .catch(() => hashPayload(head, ...body))
      .then((hash) => {
        isHashing = false;
        if (!res.destroyed) finish(hash, performance.now());
      })
      .catch((error: Error) => res.destroy(error));
    return res;
  };
}

/** A large response stays in chunks, because copying it into one takes long. */
function joinSmall(chunks: readonly Buffer[]): Buffer[] {
  const bytes = countBytes(chunks);
  if (bytes === 0) return [];
  return chunks.length === 1 || needsChunkedHash(bytes) ? [...chunks] : [Buffer.concat(chunks, bytes)];
}

const countBytes = (chunks: readonly Buffer[]) => chunks.reduce((sum, { length }) => sum + length, 0);

/** Sets the final headers, and returns the chunks of the body that the client receives. */
function finishHeaders(req: IncomingMessage, res: ServerResponse, written: Buffer[]): Buffer[] {
  for (const name of ['ETag', 'Last-Modified', 'Transfer-Encoding', 'Trailer']) res.removeHeader(name);
  res.setHeader('Cache-Control', 'no-store');
  if (req.method === 'HEAD') return []; // the Content-Length is that of the response to GET
  if (res.statusCode === 204 || res.statusCode === 205 || res.statusCode === 304) {
    res.removeHeader('Content-Type');
    if (res.statusCode === 205) res.setHeader('Content-Length', 0);
    else res.removeHeader('Content-Length');
    return [];
  }
  let body = written;
  if (body.length === 0) {
    body = [Buffer.from('{}')];
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
  }
  res.setHeader('Content-Length', countBytes(body));
  return body;
}

function encodePayloadHead(res: ServerResponse, bodyBytes: number, { requestId }: SignResponseOptions): Buffer {
  trimSignedHeaders(res);
  return encodeResponsePayloadHead({ requestId, status: res.statusCode, headers: res.getHeaders(), bodyBytes });
}

/** @param payload the hash of the payload head and the body */
function setSignatureHeaders(
  res: ServerResponse,
  payload: Hash,
  { authenticator, session, requestId }: SignResponseOptions,
): void {
  const { nonce, signature } = authenticator.signGeneral(session, payload);
  res.setHeader('x-bsv-auth-version', '0.1');
  res.setHeader('x-bsv-auth-identity-key', authenticator.identityKey);
  res.setHeader('x-bsv-auth-nonce', nonce);
  res.setHeader('x-bsv-auth-your-nonce', session.clientNonce);
  res.setHeader('x-bsv-auth-signature', Buffer.from(signature).toString('hex'));
  res.setHeader('x-bsv-auth-request-id', Buffer.from(requestId).toString('base64'));
}

/** Removes whitespace around the values of signed headers, because clients differ in how much of it they keep. */
function trimSignedHeaders(res: ServerResponse): void {
  const trim = (value: unknown) => String(value).replace(/^[\t ]+|[\t ]+$/g, '');
  for (const [name, value] of Object.entries(res.getHeaders())) {
    if (isSignedResponseHeader(name)) res.setHeader(name, Array.isArray(value) ? value.map(trim) : trim(value));
  }
}

/** Sets the headers of `writeHead`: an object, or a flat list of names and values. */
function setHeaders(res: ServerResponse, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return;
  const entries: [unknown, unknown][] = Array.isArray(headers) ? toPairs(headers.flat()) : Object.entries(headers);
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    if (typeof name !== 'string' || value === undefined) continue;
    const header = Array.isArray(value) ? value.map(String) : String(value);
    if (seen.has(name.toLowerCase())) res.appendHeader(name, header);
    else res.setHeader(name, header);
    seen.add(name.toLowerCase());
  }
}

function toPairs(flat: readonly unknown[]): [unknown, unknown][] {
  const result: [unknown, unknown][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) result.push([flat[i], flat[i + 1]]);
  return result;
}
