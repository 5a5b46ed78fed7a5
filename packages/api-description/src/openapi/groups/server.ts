import { closedObject, list, openObject, type Properties, schemaRef, text } from '../../schema.js';
import { type Group, json, type Operation } from '../operation.js';

/** Schemas of this group. */
export const serverSchemas: Properties = {
  HealthReport: closedObject({
    status: { enum: ['ready', 'not ready'] },
    checks: {
      type: 'object',
      description: 'By the name of what is checked: `ok`, or the problem.',
      additionalProperties: { type: 'string' },
    },
  }),
};

const file = (path: string, operationId: string, summary: string, contentType: string): Operation => ({
  method: 'get',
  path,
  operationId,
  summary,
  access: 'open',
  answers: {
    200: {
      description: 'May be cached; `ETag` tells whether it has changed.',
      content: { [contentType]: contentType === 'application/json' ? { type: 'object' } : { type: 'string' } },
    },
    304: { description: 'The cached answer is of today.', content: {} },
    ...(path === '/docs' ? { 308: { description: 'To `/docs/`.', content: {} } } : {}),
  },
});

/** Health, the handshake, migration, and this description. */
export const server: Group = {
  name: 'Server',
  description: 'The handshake, health, and this description.',
  operations: [
    {
      method: 'post',
      path: '/.well-known/auth',
      operationId: 'shakeHands',
      summary: 'Begin a session (BRC-103)',
      description:
        'Requests are signed for the session of an earlier handshake. `AuthFetch` of `@bsv/sdk` does this by itself.',
      access: 'open',
      isAtRoot: true,
      body: {
        schema: openObject(
          {
            version: { const: '0.1' },
            messageType: { const: 'initialRequest' },
            identityKey: schemaRef('IdentityKey'),
            initialNonce: text('The client’s nonce: base64 of 16 to 128 bytes.', { minLength: 22, maxLength: 172 }),
            requestedCertificates: { description: 'Ignored: the server has no certificates.' },
          },
          ['requestedCertificates'],
        ),
        examples: {
          'a client that begins': {
            version: '0.1',
            messageType: 'initialRequest',
            identityKey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
            initialNonce: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v',
            requestedCertificates: { certifiers: [], types: {} },
          },
        },
      },
      answers: {
        200: json(
          'The server’s nonce, for which the client signs its requests. The same is in the headers.',
          closedObject({
            version: { const: '0.1' },
            messageType: { const: 'initialResponse' },
            identityKey: schemaRef('IdentityKey', { description: 'Of the server.' }),
            initialNonce: text('The server’s nonce: base64 of 48 bytes.', { pattern: '^[A-Za-z0-9+/]{64}$' }),
            yourNonce: text('The client’s nonce.'),
            requestedCertificates: closedObject({
              certifiers: list({ type: 'string' }, { maxItems: 0 }),
              types: { type: 'object', maxProperties: 0 },
            }),
            signature: schemaRef('Bytes', { description: 'DER, over both nonces.' }),
          }),
          {
            headers: {
              'x-bsv-auth-version': { $ref: '#/components/headers/x-bsv-auth-version' },
              'x-bsv-auth-message-type': { required: true, schema: { const: 'initialResponse' } },
              'x-bsv-auth-identity-key': { $ref: '#/components/headers/x-bsv-auth-identity-key' },
              'x-bsv-auth-your-nonce': { $ref: '#/components/headers/x-bsv-auth-your-nonce' },
              'x-bsv-auth-signature': { $ref: '#/components/headers/x-bsv-auth-signature' },
            },
          },
        ),
      },
      errors: ['ERR_AUTH_MALFORMED', 'ERR_AUTH_FAILED', 'ERR_STORE_UNAVAILABLE'],
    },
    {
      method: 'get',
      path: '/health/live',
      operationId: 'getLiveness',
      summary: 'See whether the process runs',
      access: 'open',
      isAtRoot: true,
      answers: { 200: json('It runs.', closedObject({ status: { const: 'alive' } })) },
    },
    {
      method: 'get',
      path: '/health/ready',
      operationId: 'getReadiness',
      summary: 'See whether the process takes traffic',
      access: 'open',
      isAtRoot: true,
      answers: {
        200: json('It does.', schemaRef('HealthReport')),
        503: json('It does not: the database does not answer, or the process stops.', schemaRef('HealthReport')),
      },
    },
    {
      method: 'post',
      path: '/migrate',
      operationId: 'migrate',
      summary: 'Run pending migrations',
      description: 'For operators who can’t run the command. Works without a session, with `MIGRATE_KEY`.',
      access: 'open',
      body: {
        schema: openObject({ migratekey: text('The value of `MIGRATE_KEY`.') }),
        examples: { 'with the key of the server': { migratekey: 'example-migrate-key' } },
      },
      answers: {
        200: json(
          'The schema is the one that this version needs.',
          closedObject({
            status: { const: 'success' },
            migrations: list({ type: 'string' }, { description: 'Those that were run now.' }),
          }),
        ),
      },
      errors: ['ERR_UNAUTHORIZED', 'ERR_STORE_UNAVAILABLE'],
    },
    file('/openapi.json', 'getOpenApi', 'Read this description', 'application/json'),
    file('/asyncapi.json', 'getAsyncApi', 'Read the description of the live events', 'application/json'),
    file('/docs', 'getDocumentationPage', 'Browse both descriptions', 'text/html; charset=utf-8'),
  ],
};
