import { RuleError } from '@messagebox/shared';
import { ByteReader, ChainUnavailableError, InvalidTransactionError, VerifierBusyError } from '@messagebox/wallet';
import { addressOf, DependencyUnavailableError, OverloadedError } from '@messagebox/web';
import type { Request, RequestHandler } from 'express';
import { type OverlayEngine, OverlayFullError } from '../engine/overlay-engine.js';
import { bytesOf } from './body.js';
import { parseTopics } from './topics-header.js';

const CHAIN_RETRY_SECONDS = 10;

/**
 * `POST /submit` (BRC-22, BRC-101): the body is a BEEF, the header `x-topics` names the topics. With
 * `x-includes-off-chain-values: true` the BEEF comes behind its length and before values that no topic here needs.
 * Answered with the STEAK, once all is committed.
 */
export function submitRoute(engine: OverlayEngine): RequestHandler {
  return async (request, response) => {
    const topics = parseTopics(request.get('x-topics'));
    try {
      response.json(await engine.apply(beefOf(request), topics, { askedBy: addressOf(request) }));
    } catch (error) {
      throw toHttp(error);
    }
  };
}

/** @throws {RuleError} `ERR_INVALID_TRANSACTION` when the body is shorter than it says */
function beefOf(request: Request): Uint8Array {
  const body = bytesOf(request.body);
  if (request.get('x-includes-off-chain-values') !== 'true') return body;
  try {
    const reader = new ByteReader(body);
    return reader.take(reader.varInt());
  } catch (error) {
    if (!(error instanceof InvalidTransactionError)) throw error;
    throw new RuleError(
      'ERR_INVALID_TRANSACTION',
      'The body is shorter than the length of the BEEF that it begins with.',
    );
  }
}

/** What is not the transaction's fault. */
function toHttp(error: unknown): unknown {
  if (error instanceof VerifierBusyError) return new OverloadedError(error.message, 'overlay_verification');
  if (error instanceof OverlayFullError) return new OverloadedError(error.message, 'overlay_size');
  if (!(error instanceof ChainUnavailableError)) return error;
  return new DependencyUnavailableError('ERR_CHAIN_UNAVAILABLE', error.message, CHAIN_RETRY_SECONDS);
}
