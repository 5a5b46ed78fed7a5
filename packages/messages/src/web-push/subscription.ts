import type { WebPushKeys } from '@messagebox/store';
import { getField } from '../request-fields.js';
import { RuleError } from '../rule-error.js';
import { decodeBase64Url } from './base64url.js';
import { decodeP256Point } from './p256.js';

/** Where and how a browser takes pushes (`PushSubscription.toJSON()` of the Push API). */
export interface WebPushSubscription {
  /** The URL at the browser's push service. It is secret: who has it can take pushes away. */
  readonly endpoint: string;
  readonly keys: WebPushKeys;
}

/**
 * Normalises the URL of an endpoint when pushes may be sent there.
 *
 * @returns undefined when they may not
 */
export type NormaliseEndpoint = (endpoint: string) => string | undefined;

const MAX_ENDPOINT_CHARACTERS = 2_000;
const AUTH_BYTES = 16;

/**
 * Reads a subscription from a request.
 *
 * @param given `{endpoint, keys: {p256dh, auth}}`, unchecked; other fields are ignored
 * @throws {RuleError} `ERR_INVALID_SUBSCRIPTION`, which names the field
 */
export function parseSubscription(given: unknown, normaliseEndpoint: NormaliseEndpoint): WebPushSubscription {
  const endpoint = parseEndpoint(getField(given, 'endpoint'), normaliseEndpoint);
  const keys = getField(given, 'keys');
  const [p256dh, auth] = [getField(keys, 'p256dh'), getField(keys, 'auth')];
  const point = typeof p256dh === 'string' ? decodeP256Point(p256dh) : undefined;
  if (point === undefined) {
    throw invalid('subscription.keys.p256dh must be an uncompressed point of P-256: 65 bytes in base64url.');
  }
  const secret = typeof auth === 'string' ? decodeBase64Url(auth, AUTH_BYTES) : undefined;
  if (secret === undefined) throw invalid(`subscription.keys.auth must be ${AUTH_BYTES} bytes in base64url.`);
  return { endpoint, keys: { p256dh: point.toString('base64url'), auth: secret.toString('base64url') } };
}

/**
 * Reads the endpoint of a subscription.
 *
 * @throws {RuleError} `ERR_INVALID_SUBSCRIPTION`
 */
export function parseEndpoint(given: unknown, normaliseEndpoint: NormaliseEndpoint): string {
  const isShort = typeof given === 'string' && given.length <= MAX_ENDPOINT_CHARACTERS;
  const endpoint = isShort ? normaliseEndpoint(given) : undefined;
  // The URL may have become longer, because what is no ASCII is escaped.
  if (endpoint === undefined || endpoint.length > MAX_ENDPOINT_CHARACTERS) {
    throw invalid(
      'subscription.endpoint must be the https URL of a public host, on port 443, of up to 2,000 characters.',
    );
  }
  return endpoint;
}

function invalid(description: string): RuleError {
  return new RuleError('ERR_INVALID_SUBSCRIPTION', description);
}
