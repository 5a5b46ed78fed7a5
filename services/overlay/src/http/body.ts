import { parseJson, RuleError } from '@messagebox/shared';
import express, { type RequestHandler } from 'express';

/**
 * Reads a request's body as it is, whatever it calls itself. Compressed ones are refused: a small one can be large.
 *
 * @throws {RuleError} `ERR_BODY_TOO_LARGE`, `ERR_UNSUPPORTED_ENCODING`; to `next`
 */
export function rawBody(maxBytes: number): RequestHandler {
  const read = express.raw({ type: () => true, limit: maxBytes, inflate: false });
  return (request, response, next) => {
    read(request, response, (error?: unknown) => next(error === undefined ? undefined : refusalOf(error, maxBytes)));
  };
}

/** What {@link rawBody} has read; empty without a body. */
export function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array(0);
}

/** @throws {RuleError} `ERR_INVALID_JSON` */
export function jsonOf(body: unknown): unknown {
  return parseJson(bytesOf(body));
}

function refusalOf(error: unknown, maxBytes: number): unknown {
  const type: unknown = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
  if (type === 'entity.too.large') {
    return new RuleError('ERR_BODY_TOO_LARGE', `The body has more than ${maxBytes} bytes.`, 413);
  }
  if (type === 'encoding.unsupported') {
    return new RuleError('ERR_UNSUPPORTED_ENCODING', 'The body must not be compressed.', 415);
  }
  return error;
}
