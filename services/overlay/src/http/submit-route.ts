import { RuleError } from '@messagebox/messages';
import { DependencyUnavailableError, getRequestAddress, OverloadedError } from '@messagebox/shared';
import {
  ByteReader,
  ChainUnavailableError,
  InvalidTransactionError,
  VerifierBusyError,
} from '@messagebox/transactions';
import type { Request, RequestHandler } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import { OverlayFullError } from '../engine/overlay-full-error.js';
import { parseTopics } from './parse-topics.js';
import { getBodyBytes } from './request-body.js';

const CHAIN_RETRY_SECONDS = 10;

/**
 * Handles `POST /submit` (BRC-22, BRC-101): the body is a BEEF, the header `x-topics` names the topics. With
 * `x-includes-off-chain-values: true` the body is the BEEF's length, the BEEF, and values that no topic here needs. The
 * answer is the STEAK, sent after the changes are committed.
 */
export function submitRoute(engine: OverlayEngine): RequestHandler {
  return async (request, response) => {
    const topics = parseTopics(request.get('x-topics'));
    try {
      response.json(await engine.apply(extractBeef(request), topics, { askedBy: getRequestAddress(request) }));
    } catch (error) {
      throw toHttpError(error);
    }
  };
}

/** @throws {RuleError} `ERR_INVALID_TRANSACTION` when the body is shorter than its own length says */
function extractBeef(request: Request): Uint8Array {
  const body = getBodyBytes(request.body);
  if (request.get('x-includes-off-chain-values') !== 'true') return body;
  try {
    const reader = new ByteReader(body);
    return reader.readBytes(reader.readVarInt());
  } catch (error) {
    if (!(error instanceof InvalidTransactionError)) throw error;
    throw new RuleError(
      'ERR_INVALID_TRANSACTION',
      'The body must contain as many bytes of BEEF as the length at its start says.',
    );
  }
}

/** Translates errors that the transaction has not caused. */
function toHttpError(error: unknown): unknown {
  if (error instanceof VerifierBusyError) return new OverloadedError(error.message, 'overlay_verification');
  if (error instanceof OverlayFullError) return new OverloadedError(error.message, 'overlay_size');
  if (!(error instanceof ChainUnavailableError)) return error;
  return new DependencyUnavailableError('ERR_CHAIN_UNAVAILABLE', error.message, CHAIN_RETRY_SECONDS);
}
