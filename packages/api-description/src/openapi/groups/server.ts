import {
  closedObject,
  integer,
  list,
  openObject,
  orNull,
  type Properties,
  type Schema,
  schemaRef,
  text,
} from '../../schema.js';
import { MAX_FEE } from '../../schemas/common.js';
import { type Group, json, type Operation } from '../operation.js';

const quota = (description: string) =>
  closedObject({
    messages: orNull(integer(`${description}. Null: no limit.`, 0)),
    bytes: orNull(integer('Bytes of their bodies. Null: no limit.', 0)),
  });
const feesByBox = (description: string): Schema => ({
  type: 'object',
  description,
  additionalProperties: integer('Satoshis.', 0, MAX_FEE),
});
const listSize = (description: string) =>
  closedObject({ messages: integer(description, 1), bytes: integer('Bytes of JSON.', 1) });

/** Schemas of this group. */
export const serverSchemas: Properties = {
  ServerInfo: closedObject(
    {
      status: { const: 'success' },
      product: { const: 'MessageBox' },
      version: text('Of the software.', { examples: ['0.1.0'] }),
      identityKey: schemaRef('IdentityKey', { description: 'Of the server.' }),
      network: { enum: ['main', 'test', 'local'] },
      limits: closedObject({
        requestBodyBytes: integer('The body of a `/sendMessage`, with its payment: `MAX_BODY_BYTES`.', 1),
        otherRequestBodyBytes: integer('The body of any other request.', 1),
        listedBodyBytes: integer('One message’s body as JSON in a list, where a quote takes two bytes.', 1),
        copiedBodyBytes: integer('A message’s body, times its recipients.', 1),
        liveBodyBytes: integer('A body that is sent or pushed live: `LIVE_MAX_BODY`.', 1),
        liveEventBytes: integer('An event as it is encoded for a listener. A larger message is found by listing.', 1),
        paidMessages: closedObject({
          eachBytes: integer('A message with its payment, as it is stored.', 1),
          allBytes: integer('All such messages of one send.', 1),
        }),
        recipients: integer('Recipients of one send or quote: `MAX_RECIPIENTS`.', 1),
        acknowledgedIds: integer('Ids of one acknowledgement: `MAX_ACKNOWLEDGED_IDS`.', 1),
        messageIdCharacters: integer('Unicode code points of a message id.', 1),
        messageIdBytes: integer('Bytes of a message id, which may then have any number of characters.', 1),
        boxNameCharacters: integer('Unicode code points of the name of a box.', 1),
        boxes: orNull(integer('Boxes of one identity. Null: no limit.', 1)),
        listPage: listSize('Messages in a page by `offset`. One larger message comes alone.'),
        listAnswer: listSize('Messages in an answer without `offset`. One larger message comes alone.'),
        permissions: integer('Permissions of one identity.', 1),
        devices: integer('Devices of one identity; the longest unused one leaves.', 1),
        quotas: closedObject({
          inbox: quota('Messages stored for one recipient'),
          sender: quota('Messages stored from one sender'),
          pair: quota('Messages stored from one sender for one recipient who has not allowed that sender'),
        }),
        retentionDays: orNull(integer('Days until a message without a payment is removed. Null: never.', 1)),
        expiryYears: integer('How many years ahead `expiresAt` may be.', 1),
      }),
      fees: closedObject(
        {
          delivery: feesByBox('The server’s fee for a delivery, by box; 0 for others. Missing while it is not known.'),
          recipientDefaults: feesByBox('The fee of a recipient who has set nothing, by box; 0 for others.'),
        },
        ['delivery'],
      ),
      push: closedObject(
        {
          boxes: list(schemaRef('BoxName'), { description: 'Messages in these boxes are pushed to devices.' }),
          fcm: { type: 'boolean', description: 'Whether devices are pushed to by Firebase.' },
          vapidPublicKey: text('Of Web Push (RFC 8292), base64url. Missing without Web Push.'),
        },
        ['vapidPublicKey'],
      ),
      websockets: closedObject({
        enabled: { type: 'boolean' },
        path: text('Where socket.io is, from the root of the origin.', { examples: ['/socket.io/'] }),
      }),
      overlay: closedObject({
        url: orNull(text('The origin that the server advertises, if it has one.')),
        topics: list({ type: 'string' }),
        lookupServices: list({ type: 'string' }),
      }),
      uploads: closedObject({
        maxBytes: { type: 'integer', description: 'Of one upload (`UPLOAD_MAX_BYTES`).' },
        openPerIdentity: { type: 'integer', description: 'Uploads of one identity that no message names yet.' },
      }),
      prices: closedObject({
        perSend: satoshis('For each send.'),
        perRecipient: satoshis('For each recipient of a send.'),
        perKib: satoshis('For each KiB of the request of a send.'),
        perMibMonth: satoshis('For each MiB that is stored for a month.'),
        perListPage: satoshis('For each answer of `/listMessages`.'),
        storageDays: { type: 'number', description: 'For how many days storage is paid.' },
        exemptsAllowed: {
          type: 'boolean',
          description: 'Whether recipients who have allowed the sender by name cost nothing.',
        },
      }),
    },
    ['uploads', 'prices'],
  ),
  HealthReport: closedObject({
    status: { enum: ['ready', 'not ready'] },
    checks: {
      type: 'object',
      description: 'By the name of what is checked: `ok`, or the problem.',
      additionalProperties: { type: 'string' },
    },
  }),
};

/** A price in satoshis with up to six decimals. */
function satoshis(description: string) {
  return { type: 'number', minimum: 0, description };
}

const readiness = (path: string, operationId: string, summary: string): Operation => ({
  method: 'get',
  path,
  operationId,
  summary,
  access: 'open',
  isAtRoot: true,
  answers: {
    200: json('It does.', schemaRef('HealthReport')),
    503: json('It does not: the database does not answer, or the process stops.', schemaRef('HealthReport')),
  },
});

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
    readiness('/health/ready', 'getReadiness', 'See whether the process takes traffic'),
    {
      method: 'get',
      path: '/health',
      operationId: 'getHealth',
      summary: 'The same as `/health/live`, by a shorter name',
      access: 'open',
      isAtRoot: true,
      answers: { 200: json('The process runs.', closedObject({ status: { const: 'ok' } })) },
    },
    readiness('/ready', 'getReady', 'The same as `/health/ready`, by a shorter name'),
    {
      method: 'get',
      path: '/info',
      operationId: 'getInfo',
      summary: 'Read what the server is, and its limits',
      description:
        'Read it before a payment is made: what is larger than `limits.requestBodyBytes` can’t be sent. May be cached for a minute.',
      access: 'open',
      answers: {
        200: json('What anybody may know. `ETag` tells whether it has changed.', schemaRef('ServerInfo'), {
          headers: {
            ETag: { required: true, schema: { type: 'string' } },
            'Cache-Control': { required: true, schema: { const: 'public, max-age=60' } },
          },
        }),
        304: { description: 'The cached answer is of today.', content: {} },
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
