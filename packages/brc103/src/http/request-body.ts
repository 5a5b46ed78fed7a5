import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { BodyTooLargeError, UnsupportedEncodingError } from '../errors.js';
import { READ_CHUNK_BYTES } from '../read-cost.js';

/** How long the rest of a refused request is read. */
const DISCARD_TIMEOUT_MS = 5_000;
/** 4 MB per second. What nobody wants must not keep this process busy, and no client needs a refusal in a hurry. */
const DISCARD_BYTES_PER_MS = 4_096;

/** Resolves when the next `bytes` of a large body may be read. */
export type WaitForTurn = (bytes: number) => Promise<void>;

/**
 * Reads a request's whole body, as sent.
 *
 * @param waitForTurn called after each 256 KB of a large body. Default: the body is read as it arrives
 * @param setting the name of the setting that `maxBytes` comes from, for the refusal
 * @returns undefined when the client closed the connection before the end
 * @throws {UnsupportedEncodingError} when the body has a content-encoding
 * @throws {BodyTooLargeError} when the body, or its content-length, is above the limit. The rest is not read then
 * @throws {Error} when other code has read the body already, and what `waitForTurn` throws
 */
export async function readBody(
  req: IncomingMessage,
  maxBytes: number,
  waitForTurn?: WaitForTurn,
  setting?: string,
): Promise<Buffer | undefined> {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new UnsupportedEncodingError();
  if (!hasBody(req)) return Buffer.alloc(0);
  const announced = Number(req.headers['content-length']);
  if (announced > maxBytes) throw new BodyTooLargeError(maxBytes, announced, setting);
  if (req.readableDidRead) throw new Error('The body was read already: put authentication before any body parser');

  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) return false;
    chunks.push(chunk);
    return true;
  };
  const outcome = await consumeBody(req, take, { waitForTurn });
  if (outcome === 'stopped') throw new BodyTooLargeError(maxBytes, undefined, setting);
  return outcome === 'ended' ? Buffer.concat(chunks, size) : undefined;
}

/**
 * Reads and drops the rest of a refused request, at 4 MB per second and for at most 5 seconds. If the connection closed while
 * the client is still sending, the client would get a reset instead of the response. If the response was sent early, the rest
 * of the body would come before the client's next request.
 *
 * @param pause resolves after so many milliseconds. Default: a timer
 * @returns `drained`: respond, and keep the connection. `unfinished`: respond, and close it. `aborted`: the client is gone
 */
export async function discardBody(
  req: IncomingMessage,
  waitForTurn?: WaitForTurn,
  pause: (ms: number) => Promise<unknown> = sleep,
): Promise<'drained' | 'unfinished' | 'aborted'> {
  if (!hasBody(req) || req.readableEnded) return 'drained';
  const waitForSlowTurn: WaitForTurn = async (bytes) => {
    await pause(bytes / DISCARD_BYTES_PER_MS);
    await waitForTurn?.(bytes);
  };
  // When the wait for a turn is rejected, the client has sent too much, so the rest is not read.
  const limits = { waitForTurn: waitForSlowTurn, timeoutMs: DISCARD_TIMEOUT_MS };
  const outcome = await consumeBody(req, () => true, limits).catch(() => 'stopped' as const);
  if (outcome === 'stopped') return 'unfinished';
  return outcome === 'ended' ? 'drained' : 'aborted';
}

/** Whether a request has a body: its headers say so (RFC 9112, section 6.3). */
function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
}

interface ConsumeBodyOptions {
  readonly waitForTurn?: WaitForTurn | undefined;
  readonly timeoutMs?: number;
}

/**
 * Reads until the end, until `take` returns false or the time is up, or until the client closes the connection.
 *
 * @throws what `waitForTurn` throws
 */
function consumeBody(
  req: IncomingMessage,
  take: (chunk: Buffer) => boolean,
  { waitForTurn, timeoutMs }: ConsumeBodyOptions,
): Promise<'ended' | 'stopped' | 'aborted'> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    let size = 0;
    let readUntil = READ_CHUNK_BYTES;
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
    const pauseUntilTurn = (ask: WaitForTurn) => {
      req.pause();
      void ask(READ_CHUNK_BYTES).then(
        () => (isOver ? undefined : req.resume()),
        (error: unknown) => (isOver ? undefined : fail(error)),
      );
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (!take(chunk)) {
        finish('stopped');
      } else if (waitForTurn !== undefined && size >= readUntil) {
        readUntil = size + READ_CHUNK_BYTES;
        pauseUntilTurn(waitForTurn);
      }
    };
    const onEnd = () => finish('ended');
    const onGone = () => finish('aborted');
    if (req.destroyed) {
      resolve('aborted');
      return;
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(finish, timeoutMs, 'stopped');
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
    req.resume(); // adding a listener does not resume a request that was paused before
  });
}
