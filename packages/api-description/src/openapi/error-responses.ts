import type { ErrorCode } from '../errors/catalogue.js';
import { describeErrors, getErrorEntry } from '../errors/error-schemas.js';
import type { JsonObject } from '../json.js';
import { schemaRef } from '../schema.js';
import { PAYMENT_HEADERS } from './headers.js';
import type { Operation } from './operation.js';

/** Errors of every route: those of HTTP itself, of limits, of the proxy in front, and faults. */
const ERRORS_OF_ALL: readonly ErrorCode[] = [
  'ERR_BAD_REQUEST',
  'ERR_TOO_MANY_REQUESTS',
  'ERR_UNAVAILABLE',
  'ERR_INTERNAL',
];
/** Errors of routes with authentication: the request is authenticated before its route looks at it. */
const ERRORS_OF_SIGNED: readonly ErrorCode[] = [
  'UNAUTHORIZED',
  'ERR_AUTH_MALFORMED',
  'ERR_AUTH_FAILED',
  'ERR_BODY_TOO_LARGE',
  'ERR_UNSUPPORTED_ENCODING',
  'ERR_IDENTITY_BLOCKED',
  'ERR_STORE_UNAVAILABLE',
];
/** Errors of a body that is read without authentication. */
const ERRORS_OF_OPEN_BODIES: readonly ErrorCode[] = ['ERR_BODY_TOO_LARGE', 'ERR_UNSUPPORTED_ENCODING'];

/** All error codes that a route may answer with, each once. */
export function listErrorCodes({ access, body, errors = [], isAtRoot = false }: Operation): ErrorCode[] {
  const isSigned = access !== 'open';
  return [
    ...new Set<ErrorCode>([
      ...errors,
      ...(access === 'operator' ? (['ERR_NOT_ADMIN'] as const) : []),
      ...(isSigned ? ERRORS_OF_SIGNED : []),
      ...(isSigned && body !== undefined ? (['ERR_INVALID_JSON'] as const) : []),
      ...(!isSigned && body !== undefined ? ERRORS_OF_OPEN_BODIES : []),
      ...(!isSigned && isAtRoot && body !== undefined ? (['ERR_STORE_UNAVAILABLE'] as const) : []),
      ...ERRORS_OF_ALL,
    ]),
  ];
}

/** The codes of requests that match no route: those of signed requests, because the api authenticates first. */
export const unmatchedRouteErrors: readonly ErrorCode[] = ['ERR_NOT_FOUND', ...ERRORS_OF_SIGNED, ...ERRORS_OF_ALL];

/**
 * The error responses of these codes, by status.
 *
 * @param isSigned whether errors may be signed, which those after authentication are
 */
export function createErrorResponses(codes: readonly ErrorCode[], isSigned: boolean): JsonObject {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    for (const status of getErrorEntry(code).statuses) byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const entries = [...byStatus].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    entries.map(([status, ofStatus]) => [
      String(status),
      {
        description: describeErrors(ofStatus),
        headers: {
          ...(status === 429 || status === 503 ? { 'Retry-After': headerRef('Retry-After') } : {}),
          ...(status === 402 ? paymentHeaders() : {}),
          ...(isSigned ? signatureHeaders(false) : {}),
        },
        content: { 'application/json': { schema: toErrorSchema(ofStatus) } },
      },
    ]),
  );
}

function toErrorSchema(codes: readonly ErrorCode[]): JsonObject {
  const schemas = codes.map((code) => schemaRef(code));
  const [only] = schemas;
  return schemas.length === 1 && only !== undefined ? only : { oneOf: schemas };
}

function headerRef(name: string): JsonObject {
  return { $ref: `#/components/headers/${name}` };
}

function paymentHeaders(): JsonObject {
  return Object.fromEntries(Object.keys(PAYMENT_HEADERS).map((name) => [name, headerRef(name)]));
}

const SIGNATURE_HEADERS = ['version', 'identity-key', 'nonce', 'your-nonce', 'signature', 'request-id'] as const;

/** The headers that sign an answer (BRC-104). @param isRequired false where the answer may come unsigned */
export function signatureHeaders(isRequired: boolean): JsonObject {
  return Object.fromEntries(
    SIGNATURE_HEADERS.map((name) => [
      `x-bsv-auth-${name}`,
      headerRef(isRequired ? `x-bsv-auth-${name}` : `optional-x-bsv-auth-${name}`),
    ]),
  );
}
