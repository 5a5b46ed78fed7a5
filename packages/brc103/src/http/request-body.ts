import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError, UnsupportedEncodingError } from '../errors.js';
import { PORTION_BYTES } from '../portions.js';

/** How long the rest of a refused request is read for, milliseconds. */
const DISCARD_MS = 5_000;

/** Resolves when the next so many bytes of a large body may be read. Without one, they are read as they come. */
export type AskTurn = (bytes: number) => Promise<void>;

/**
 * Reads a request's whole body, as sent.
 *
 * @param limit bytes
 * @returns undefined when the client went away in the middle
 * @throws {UnsupportedEncodingError} when it has a content-encoding
 * @throws {BodyTooLargeError} when it is, or says that it is, above the limit; the rest is then unread
 * @throws {Error} when somebody else has read it already, and what `askTurn` throws
 */
export async function readBody(req: IncomingMessage, limit: number, askTurn?: AskTurn): Promise<Buffer | undefined> {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new UnsupportedEncodingError();
  if (!hasBody(req)) return Buffer.alloc(0);
  if (Number(req.headers['content-length']) > limit) throw new BodyTooLargeError(limit);
  if (req.readableDidRead) throw new Error('The body was read already: put authentication before any body parser');

  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) return false;
    chunks.push(chunk);
    return true;
  };
  const outcome = await consume(req, take, { askTurn });
  if (outcome === 'stopped') throw new BodyTooLargeError(limit);
  return outcome === 'ended' ? Buffer.concat(chunks, size) : undefined;
}

/**
 * Reads the rest of a refused request and forgets it, for a bounded time. A client that is still sending when the
 * connection closes gets a reset in place of the answer, and one that got the answer early would find the rest of its
 * body in the way of its next request.
 *
 * @returns `drained`: answer, and keep the connection; `unfinished`: answer, and close it; `aborted`: nobody is there
 */
export async function discardBody(
  req: IncomingMessage,
  askTurn?: AskTurn,
): Promise<'drained' | 'unfinished' | 'aborted'> {
  if (!hasBody(req) || req.readableEnded) return 'drained';
  // Whose turn does not come has sent too much anyway.
  const outcome = await consume(req, () => true, { askTurn, limitMs: DISCARD_MS }).catch(() => 'stopped' as const);
  if (outcome === 'stopped') return 'unfinished';
  return outcome === 'ended' ? 'drained' : 'aborted';
}

/** RFC 9112, section 6.3: a request has a body only when it says so. */
function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
}

interface ConsumeOptions {
  readonly askTurn?: AskTurn | undefined;
  readonly limitMs?: number;
}

/**
 * Reads until the end, until `take` answers false or the time is up, or until the client goes away.
 *
 * @throws what `askTurn` throws
 */
function consume(
  req: IncomingMessage,
  take: (chunk: Buffer) => boolean,
  { askTurn, limitMs }: ConsumeOptions,
): Promise<'ended' | 'stopped' | 'aborted'> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    let size = 0;
    let readUntil = PORTION_BYTES;
    const stop = () => {
      isOver = true;
      req.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      clearTimeout(timer);
      req.pause();
    };
    const finish = (outcome: 'ended' | 'stopped' | 'aborted') => {
      stop();
      resolve(outcome);
    };
    const fail = (error: unknown) => {
      stop();
      reject(error);
    };
    const waitForTurn = (ask: AskTurn) => {
      req.pause();
      void ask(PORTION_BYTES).then(
        () => (isOver ? undefined : req.resume()),
        (error: unknown) => (isOver ? undefined : fail(error)),
      );
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (!take(chunk)) {
        finish('stopped');
      } else if (askTurn !== undefined && size >= readUntil) {
        readUntil = size + PORTION_BYTES;
        waitForTurn(askTurn);
      }
    };
    const onEnd = () => finish('ended');
    const onGone = () => finish('aborted');
    if (req.destroyed) {
      resolve('aborted');
      return;
    }
    const timer = limitMs === undefined ? undefined : setTimeout(finish, limitMs, 'stopped');
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
    req.resume(); // a listener alone does not, once the request was paused
  });
}
