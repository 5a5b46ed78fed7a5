import type { Hash } from 'node:crypto';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { types } from 'node:util';
import type { Authenticator, Session } from '../authenticator.js';
import { hashPayload, hashPayloadInSlices, isLongToHash, type RunPiece } from './payload-hash.js';
import { isSignedResponseHeader, responsePayloadHead } from './response-payload.js';

export interface SigningContext {
  readonly authenticator: Authenticator;
  readonly session: Session;
  /** 32 bytes. */
  readonly requestId: Uint8Array;
  /** Runs the pieces in which a large answer is hashed. Default: it is hashed at once. */
  readonly runPiece?: RunPiece;
  /** Told how long putting the answer together and signing it has taken, milliseconds. */
  readonly onSigned?: (ms: number) => void;
}

/**
 * From here on, whatever answers this request is signed: a route, the 404, an error handler, a stream. The answer is
 * held back until it is complete, because its signature goes out in the headers, before it.
 *
 * Three things are changed on the way. An empty body becomes `{}`, except where HTTP allows none (HEAD, 204, 205, 304).
 * `ETag` and `Last-Modified` go, and `Cache-Control` becomes `no-store`: a cached or conditional answer carries another
 * request's signature, and a client waits for ever on an answer that it can't verify. Trailers are lost.
 *
 * @throws nothing itself; a failure to sign is thrown out of `res.end`, after which the response is an ordinary one
 */
export function signResponse(req: IncomingMessage, res: ServerResponse, context: SigningContext): void {
  const chunks: Buffer[] = [];
  /** Once true, the functions below only pass on: others may have wrapped them in the meantime, so they stay in place. */
  let complete = false;
  /** A large answer is complete, but still being hashed. */
  let isHashing = false;
  const { write, end, writeHead, flushHeaders } = res;

  const keep = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk === 'string') {
      chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'));
    } else if (types.isUint8Array(chunk)) {
      chunks.push(Buffer.from(chunk)); // a copy: the caller may fill its buffer again before we send
    } else if (chunk !== undefined && chunk !== null) {
      throw new TypeError('A response body is made of strings and bytes');
    }
  };

  res.writeHead = function signedWriteHead(...args: unknown[]) {
    if (complete) return Reflect.apply(writeHead, res, args);
    const [status, second, third] = args;
    res.statusCode = Number(status);
    if (typeof second === 'string') res.statusMessage = second;
    setHeaders(res, typeof second === 'string' ? third : (second ?? third));
    return res;
  };

  // An error handler asks this before it writes an answer of its own: not behind the half of another one.
  Object.defineProperty(res, 'headersSent', {
    configurable: true,
    get: () => (complete ? isHashing || Reflect.get(ServerResponse.prototype, 'headersSent', res) : chunks.length > 0),
  });

  res.flushHeaders = () => {
    if (complete) Reflect.apply(flushHeaders, res, []);
  };

  res.write = function signedWrite(...args: unknown[]) {
    if (isHashing) return true;
    if (complete || res.destroyed) return Reflect.apply(write, res, args);
    keep(args[0], args[1]);
    const done = args.find((arg) => typeof arg === 'function');
    if (done) process.nextTick(done);
    return true;
  };

  res.end = function signedEnd(...args: unknown[]) {
    if (isHashing) return res;
    if (complete || res.destroyed) return Reflect.apply(end, res, args);
    if (typeof args[0] !== 'function') keep(args[0], args[1]);
    const done = args.find((arg) => typeof arg === 'function');
    complete = true;
    const start = performance.now();
    const [first] = chunks;
    const body = finishHeaders(req, res, first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks));
    chunks.length = 0;
    const head = payloadHead(res, body.length, context);
    const finish = (hash: Hash, since: number) => {
      sign(res, hash, context);
      context.onSigned?.(performance.now() - since);
      return Reflect.apply(end, res, done ? [body, done] : [body]);
    };
    if (context.runPiece === undefined || !isLongToHash(body.length)) return finish(hashPayload(head, body), start);
    isHashing = true;
    context.onSigned?.(performance.now() - start);
    void hashPayloadInSlices(head, body, context.runPiece)
      // When its turn does not come, the answer is due all the same.
      .catch(() => hashPayload(head, body))
      .then((hash) => {
        isHashing = false;
        if (!res.destroyed) finish(hash, performance.now());
      })
      .catch((error: Error) => res.destroy(error));
    return res;
  };
}

/** Settles what the client will see, and answers the body's bytes as it will see them. */
function finishHeaders(req: IncomingMessage, res: ServerResponse, written: Buffer): Buffer {
  for (const name of ['ETag', 'Last-Modified', 'Transfer-Encoding', 'Trailer']) res.removeHeader(name);
  res.setHeader('Cache-Control', 'no-store');
  if (req.method === 'HEAD') return Buffer.alloc(0); // its Content-Length speaks of the body that GET would have
  if (res.statusCode === 204 || res.statusCode === 205 || res.statusCode === 304) {
    res.removeHeader('Content-Type');
    if (res.statusCode === 205) res.setHeader('Content-Length', 0);
    else res.removeHeader('Content-Length');
    return Buffer.alloc(0);
  }
  let body = written;
  if (body.length === 0) {
    body = Buffer.from('{}');
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
  }
  res.setHeader('Content-Length', body.length);
  return body;
}

function payloadHead(res: ServerResponse, bodyBytes: number, { requestId }: SigningContext): Buffer {
  trimSignedHeaders(res);
  return responsePayloadHead({ requestId, status: res.statusCode, headers: res.getHeaders(), bodyBytes });
}

/** @param payload the hash of what `payloadHead` answered, and of the body */
function sign(res: ServerResponse, payload: Hash, { authenticator, session, requestId }: SigningContext): void {
  const { nonce, signature } = authenticator.signGeneral(session, payload);
  res.setHeader('x-bsv-auth-version', '0.1');
  res.setHeader('x-bsv-auth-identity-key', authenticator.identityKey);
  res.setHeader('x-bsv-auth-nonce', nonce);
  res.setHeader('x-bsv-auth-your-nonce', session.clientNonce);
  res.setHeader('x-bsv-auth-signature', Buffer.from(signature).toString('hex'));
  res.setHeader('x-bsv-auth-request-id', Buffer.from(requestId).toString('base64'));
}

/** Clients differ in what they keep of the whitespace around a value, so none goes out. */
function trimSignedHeaders(res: ServerResponse): void {
  const trim = (value: unknown) => String(value).replace(/^[\t ]+|[\t ]+$/g, '');
  for (const [name, value] of Object.entries(res.getHeaders())) {
    if (isSignedResponseHeader(name)) res.setHeader(name, Array.isArray(value) ? value.map(trim) : trim(value));
  }
}

/** What writeHead accepts: an object, or a flat list of names and values. */
function setHeaders(res: ServerResponse, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return;
  const entries: [unknown, unknown][] = Array.isArray(headers) ? pairs(headers.flat()) : Object.entries(headers);
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    if (typeof name !== 'string' || value === undefined) continue;
    const header = Array.isArray(value) ? value.map(String) : String(value);
    if (seen.has(name.toLowerCase())) res.appendHeader(name, header);
    else res.setHeader(name, header);
    seen.add(name.toLowerCase());
  }
}

function pairs(flat: readonly unknown[]): [unknown, unknown][] {
  const result: [unknown, unknown][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) result.push([flat[i], flat[i + 1]]);
  return result;
}
