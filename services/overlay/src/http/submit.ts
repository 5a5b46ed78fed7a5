import { RuleError } from '@messagebox/shared';
import { ByteReader, ChainUnavailableError, InvalidTransactionError, VerifierBusyError } from '@messagebox/wallet';
import { addressOf, DependencyUnavailableError, OverloadedError } from '@messagebox/web';
import type { Request, RequestHandler } from 'express';
import { type OverlayEngine, OverlayFullError } from '../engine/overlay-engine.js';
import { bytesOf } from './body.js';

const MOST_TOPICS = 16;
const MAX_TOPICS_HEADER = 2_048;
const CHAIN_RETRY_SECONDS = 10;

/**
 * `POST /submit` (BRC-22, BRC-101): the body is a BEEF, the header `x-topics` a JSON list of topics. With
 * `x-includes-off-chain-values: true` the BEEF comes behind its length and before values that no topic here needs.
 * Answered with the STEAK, once all is committed.
 */
export function submitRoute(engine: OverlayEngine): RequestHandler {
  return async (request, response) => {
    const topics = topicsOf(request);
    try {
      response.json(await engine.apply(beefOf(request), topics, { askedBy: addressOf(request) }));
    } catch (error) {
      throw toHttp(error);
    }
  };
}

/** @throws {RuleError} `ERR_INVALID_TOPICS` */
function topicsOf(request: Request): string[] {
  const header = request.get('x-topics') ?? '';
  const topics = header.length > MAX_TOPICS_HEADER ? undefined : parsed(header);
  const isList = Array.isArray(topics) && topics.length >= 1 && topics.length <= MOST_TOPICS;
  if (!isList || !topics.every((topic) => typeof topic === 'string')) {
    throw new RuleError('ERR_INVALID_TOPICS', `The header x-topics must be a JSON list of 1 to ${MOST_TOPICS} topics.`);
  }
  return topics;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
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
  if (error instanceof VerifierBusyError || error instanceof OverlayFullError)
    return new OverloadedError(error.message);
  if (!(error instanceof ChainUnavailableError)) return error;
  return new DependencyUnavailableError('ERR_CHAIN_UNAVAILABLE', error.message, CHAIN_RETRY_SECONDS);
}
