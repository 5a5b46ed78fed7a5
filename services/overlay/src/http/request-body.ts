import { parseJson, RuleError } from '@messagebox/messages';
import { toBodyTooLargeError } from '@messagebox/shared';
import express, { type RequestHandler } from 'express';

/**
 * Reads a request's body as bytes, for any content type. Compressed bodies are refused: a few bytes can expand to many.
 *
 * @throws {BodyTooLargeError}, and {RuleError} `ERR_UNSUPPORTED_ENCODING`; passed to `next`
 */
export function readRawBody(maxBytes: number): RequestHandler {
  const read = express.raw({ type: () => true, limit: maxBytes, inflate: false });
  return (request, response, next) => {
    read(request, response, (error?: unknown) => next(error === undefined ? undefined : toBodyError(error)));
  };
}

/** Returns the bytes that {@link readRawBody} has read; none without a body. */
export function getBodyBytes(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array(0);
}

/** @throws {RuleError} `ERR_INVALID_JSON` */
export function parseJsonBody(body: unknown): unknown {
  return parseJson(getBodyBytes(body));
}

function toBodyError(error: unknown): unknown {
  const tooLarge = toBodyTooLargeError(error);
  if (tooLarge !== undefined) return tooLarge;
  const type: unknown = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
  if (type === 'encoding.unsupported') {
    return new RuleError('ERR_UNSUPPORTED_ENCODING', 'The body must not be compressed.', 415);
  }
  return error;
}
