import type { JsonObject } from '../json.js';
import { schemaRef } from '../schema.js';

const BASE64_OF_32_BYTES = { type: 'string', pattern: '^[A-Za-z0-9+/]{43}=$' };

/** The headers that sign requests and answers (BRC-104): what they are in an answer, and in a request. */
const SIGNATURE: Readonly<
  Record<string, { readonly answer: string; readonly request: string; readonly schema: JsonObject }>
> = {
  version: { answer: 'The version of BRC-104.', request: 'The version of BRC-104.', schema: { const: '0.1' } },
  'identity-key': {
    answer: 'The identity of the server.',
    request: 'The identity of the client, for which the session nonce was issued.',
    schema: schemaRef('IdentityKey'),
  },
  nonce: {
    answer: 'A fresh nonce of the server.',
    request: 'A fresh nonce: base64 of 16 to 128 bytes.',
    schema: { type: 'string', minLength: 22, maxLength: 172 },
  },
  'your-nonce': {
    answer: 'The session nonce of the client.',
    request: 'The session nonce of the server: `initialNonce` of its handshake.',
    schema: { type: 'string', minLength: 22, maxLength: 172 },
  },
  signature: {
    answer: 'DER in hex, over request id, status, signed headers and body.',
    request: 'DER in hex, over request id, method, path, query, signed headers and body.',
    schema: { type: 'string', pattern: '^[0-9a-f]+$' },
  },
  'request-id': {
    answer: 'Of the request.',
    request: 'Base64 of 32 random bytes.',
    schema: BASE64_OF_32_BYTES,
  },
};

/** The headers of a 402, which ask for a payment (BRC-105). */
export const PAYMENT_HEADERS: JsonObject = {
  'x-bsv-payment-version': { description: 'The version of BRC-105. Signed.', required: true, schema: { const: '1.0' } },
  'x-bsv-payment-satoshis-required': {
    description: 'The price of the request in satoshis. Signed.',
    required: true,
    schema: { type: 'string', pattern: '^[1-9][0-9]*$' },
  },
  'x-bsv-payment-derivation-prefix': {
    description: 'What the payment must be derived with: base64 of 48 bytes. Signed.',
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9+/]{64}$' },
  },
};

/** `components.headers`: the headers of answers. */
export const headers: JsonObject = {
  'Retry-After': {
    description: 'Seconds after which the request may be repeated, where that is known.',
    required: false,
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  ...PAYMENT_HEADERS,
  ...Object.fromEntries(
    Object.entries(SIGNATURE).flatMap(([name, { answer, schema }]) => [
      [`x-bsv-auth-${name}`, { description: answer, required: true, schema }],
      [
        `optional-x-bsv-auth-${name}`,
        { description: `${answer} Where the answer comes after authentication.`, required: false, schema },
      ],
    ]),
  ),
};

/** `components.parameters`: the headers of requests. */
export const parameters: JsonObject = Object.fromEntries(
  Object.entries(SIGNATURE).map(([name, { request, schema }]) => [
    `x-bsv-auth-${name}`,
    { in: 'header', name: `x-bsv-auth-${name}`, description: request, required: true, schema },
  ]),
);
