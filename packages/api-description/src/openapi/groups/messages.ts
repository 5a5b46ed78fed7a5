import { closedObject, integer, list, openObject, orNull, type Properties, schemaRef, text } from '../../schema.js';
import { type Group, json, type Parameter } from '../operation.js';

const success = { const: 'success' };

const recipients = {
  oneOf: [schemaRef('GivenKey'), list(schemaRef('GivenKey'), { minItems: 1 })],
  description: 'One recipient or several. At most `MAX_RECIPIENTS`, usually 100.',
};

const messageToSend = {
  ...openObject(
    {
      recipient: recipients,
      recipients: list(schemaRef('GivenKey'), { minItems: 1, description: 'Another name for several recipients.' }),
      messageBox: schemaRef('BoxName'),
      messageId: {
        oneOf: [schemaRef('MessageId'), list(schemaRef('MessageId'), { minItems: 1 })],
        description: 'One for each recipient, in the same order.',
      },
      body: schemaRef('GivenBody'),
      expiresAt: schemaRef('ExpiresAt'),
      urgent: schemaRef('Urgent'),
      upload: {
        oneOf: [schemaRef('UploadId'), { type: 'null' }],
        description:
          'An own upload that belongs to the message, which has one recipient then. It is deleted with the message.',
      },
    },
    ['recipient', 'recipients', 'expiresAt', 'urgent', 'upload'],
  ),
  anyOf: [{ required: ['recipient'] }, { required: ['recipients'] }],
};

const advertisedHost = {
  description:
    'The host where the recipient is advertised, when that is not this one: `URL`, or `KEY=URL` for several. Unsigned.',
  schema: { type: 'string' },
};

const listedMessage = closedObject(
  {
    messageId: schemaRef('MessageId'),
    body: text(
      'As it was sent; with a payment, or where the body is an object with a `message`: `{"message", "payment"?}`.',
    ),
    sender: schemaRef('IdentityKey'),
    created_at: schemaRef('Time'),
    updated_at: schemaRef('Time'),
    createdAt: schemaRef('Time'),
    updatedAt: schemaRef('Time'),
    expiresAt: schemaRef('Time'),
    upload: schemaRef('ListedUpload'),
  },
  ['expiresAt', 'upload'],
);

const boxStatusProperties: Properties = {
  messageBox: schemaRef('BoxName'),
  count: integer('Messages that have not expired.', 0),
  bytes: integer('UTF-8 bytes of their bodies.', 0),
  atLeast: {
    const: true,
    description: 'The box holds more: `count` and `bytes` are those of the oldest 10,000. Left out where it does not.',
  },
  oldest: orNull(schemaRef('Time', { description: 'When the oldest message was stored; null for an empty box.' })),
  newest: orNull(schemaRef('Time', { description: 'When the newest message was stored; null for an empty box.' })),
};
const boxStatus = closedObject(boxStatusProperties, ['atLeast']);

const sentStatus = closedObject(
  {
    messageId: schemaRef('MessageId'),
    recipient: schemaRef('IdentityKey', {
      description: 'Left out where it is not known any more, because the message is gone.',
    }),
    state: {
      enum: ['stored', 'acknowledged', 'expired', 'unknown'],
      description:
        '`unknown`: not sent by the caller, or forgotten, or erased, or its recipient does not want it to be told.',
    },
  },
  ['recipient'],
);

/** How a request is paid where the operator has set prices (BRC-105). */
const paymentHeader: Parameter = {
  in: 'header',
  name: 'x-bsv-payment',
  description:
    'Pays the price that an `ERR_PAYMENT_REQUIRED` asks for (BRC-105): JSON of `{"derivationPrefix", "derivationSuffix", "transaction"}`, with an AtomicBEEF in base64. Signed. `AuthFetch` makes it.',
  schema: { type: 'string' },
};
const satoshisPaid = {
  description: 'Satoshis that the request has paid. Left out where it has paid none. Signed.',
  schema: { type: 'string', pattern: '^[0-9]+$' },
};

/** `/sendMessage`, `/listMessages`, `/acknowledgeMessage`, `/boxStatus`, `/sentStatus`. */
export const messages: Group = {
  name: 'Messages',
  description: 'Send, list and acknowledge messages. A message is stored until its recipient acknowledges it.',
  operations: [
    {
      method: 'post',
      path: '/sendMessage',
      operationId: 'sendMessage',
      summary: 'Send a message to one or more recipients',
      description:
        'Answered when the message is stored for all recipients, or refused for all. A repeat of the same message is answered like the first time, and costs nothing again.',
      access: 'signed',
      parameters: [paymentHeader],
      body: {
        schema: openObject({ message: messageToSend, payment: { oneOf: [schemaRef('Payment'), { type: 'null' }] } }, [
          'payment',
        ]),
        examples: {
          'one recipient': {
            message: {
              recipient: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
              messageBox: 'inbox',
              messageId: 'example-1',
              body: 'hello',
            },
          },
          'several recipients': {
            message: {
              recipients: [
                '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
                '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5',
              ],
              messageBox: 'inbox',
              messageId: ['example-2', 'example-3'],
              body: { subject: 'hello', text: 'An object is stored as its JSON.' },
            },
          },
        },
      },
      answers: {
        200: json(
          'The message is stored.',
          closedObject({
            status: success,
            messageId: { oneOf: [schemaRef('MessageId'), list(schemaRef('MessageId'))] },
            message: text('For people.'),
            results: list(closedObject({ recipient: schemaRef('IdentityKey'), messageId: schemaRef('MessageId') })),
          }),
          {
            headers: {
              'x-messagebox-advertised-host': advertisedHost,
              'x-bsv-messagebox-advertised-host': { ...advertisedHost, description: 'The same, signed.' },
              'x-bsv-payment-satoshis-paid': satoshisPaid,
            },
          },
        ),
      },
      errors: [
        'ERR_MESSAGE_REQUIRED',
        'ERR_INVALID_MESSAGEBOX',
        'ERR_INVALID_MESSAGE_BODY',
        'ERR_RECIPIENT_REQUIRED',
        'ERR_TOO_MANY_RECIPIENTS',
        'ERR_MESSAGEID_REQUIRED',
        'ERR_MESSAGEID_COUNT_MISMATCH',
        'ERR_INVALID_MESSAGEID',
        'ERR_INVALID_RECIPIENT_KEY',
        'ERR_INVALID_EXPIRES_AT',
        'ERR_INVALID_URGENT',
        'ERR_DUPLICATE_MESSAGE',
        'ERR_DELIVERY_BLOCKED',
        'ERR_INBOX_QUOTA_EXCEEDED',
        'ERR_SENDER_QUOTA_EXCEEDED',
        'ERR_MESSAGE_TOO_LARGE',
        'ERR_MISSING_PAYMENT_TX',
        'ERR_MISSING_DELIVERY_OUTPUT',
        'ERR_INSUFFICIENT_PAYMENT',
        'ERR_MISSING_RECIPIENT_OUTPUTS',
        'ERR_INSUFFICIENT_OUTPUTS',
        'ERR_INVALID_PAYMENT',
        'ERR_PAYMENT_REUSED',
        'ERR_PAYMENT_NOT_SUPPORTED',
        'ERR_INTERNALIZE_FAILED',
        'ERR_CHAIN_UNAVAILABLE',
        'ERR_UPLOADS_DISABLED',
        'ERR_INVALID_UPLOAD',
        'ERR_UPLOAD_TOO_LARGE',
        'ERR_UPLOAD_NOT_FOUND',
        'ERR_UPLOAD_INCOMPLETE',
        'ERR_UPLOAD_MISMATCH',
        'ERR_UPLOAD_NAMED',
        'ERR_UPLOADS_UNAVAILABLE',
        'ERR_PAYMENT_REQUIRED',
        'ERR_MALFORMED_PAYMENT',
        'ERR_INVALID_DERIVATION_PREFIX',
        'ERR_PAYMENT_FAILED',
      ],
    },
    {
      method: 'post',
      path: '/listMessages',
      operationId: 'listMessages',
      summary: 'List the messages of an own box',
      description:
        'Oldest first. With `offset`: a page of about 1 MiB. With `after`: the page behind a cursor. With neither: everything up to `LIST_MAX_BYTES`.',
      access: 'signed',
      parameters: [paymentHeader],
      body: {
        schema: openObject(
          {
            messageBox: schemaRef('BoxName'),
            limit: integer('The most messages to return; with `offset` at most 1,000.', 1, 10_000),
            offset: integer('Start at this position.', 0, 100_000),
            skip: integer('Another name for `offset`.', 0, 100_000),
            after: schemaRef('Cursor', { description: 'The value of `next` of an earlier answer.' }),
            messageId: schemaRef('MessageId', { description: 'Only the message with exactly this id.' }),
            countOnly: {
              type: 'boolean',
              description: 'True: count the messages of the box, and list none. Not with `messageId`.',
            },
          },
          ['limit', 'offset', 'skip', 'after', 'messageId', 'countOnly'],
        ),
        examples: {
          everything: { messageBox: 'inbox' },
          'a page by offset': { messageBox: 'inbox', offset: 0, limit: 10 },
          'a page by cursor': { messageBox: 'inbox', after: '0', limit: 1 },
          'only the number': { messageBox: 'inbox', countOnly: true },
        },
      },
      answers: {
        200: json(
          'The messages. An unknown box is empty.',
          {
            oneOf: [
              {
                title: 'ListAnswer',
                ...closedObject(
                  {
                    status: success,
                    messages: list(schemaRef('ListedMessage')),
                    hasMore: { const: true, description: 'There are more messages. Left out where there are none.' },
                    next: schemaRef('Cursor'),
                  },
                  ['hasMore', 'next'],
                ),
                dependentRequired: { hasMore: ['next'], next: ['hasMore'] },
              },
              {
                title: 'PageByOffset',
                ...closedObject({
                  status: success,
                  messages: list(schemaRef('ListedMessage')),
                  limit: integer('Of the request, or 1,000.', 1, 1_000),
                  offset: integer('Of the request.', 0, 100_000),
                  nextOffset: {
                    type: ['integer', 'null'],
                    description: 'The start of the next page; null at the end.',
                  },
                  hasMore: { type: 'boolean' },
                }),
              },
              {
                title: 'CountAnswer',
                ...closedObject(
                  {
                    status: success,
                    messages: list(schemaRef('ListedMessage'), { maxItems: 0 }),
                    hasMore: { const: false },
                    ...boxStatusProperties,
                  },
                  ['atLeast'],
                ),
              },
            ],
          },
          { headers: { 'x-bsv-payment-satoshis-paid': satoshisPaid } },
        ),
      },
      errors: [
        'ERR_MESSAGEBOX_REQUIRED',
        'ERR_INVALID_MESSAGEBOX',
        'ERR_INVALID_LIMIT',
        'ERR_INVALID_OFFSET',
        'ERR_INVALID_AFTER',
        'ERR_INVALID_MESSAGEID',
        'ERR_INVALID_COUNT_ONLY',
        'ERR_PAYMENT_REQUIRED',
        'ERR_MALFORMED_PAYMENT',
        'ERR_INVALID_DERIVATION_PREFIX',
        'ERR_PAYMENT_FAILED',
        'ERR_INSUFFICIENT_PAYMENT',
        'ERR_PAYMENT_REUSED',
        'ERR_INTERNALIZE_FAILED',
        'ERR_CHAIN_UNAVAILABLE',
      ],
    },
    {
      method: 'post',
      path: '/acknowledgeMessage',
      operationId: 'acknowledgeMessage',
      summary: 'Delete messages that were received',
      access: 'signed',
      body: {
        schema: openObject({
          messageIds: list(schemaRef('MessageId'), {
            minItems: 1,
            description: 'At most `MAX_ACKNOWLEDGED_IDS`, usually 1,000.',
          }),
        }),
        examples: { 'two messages': { messageIds: ['example-1', 'example-2'] } },
      },
      answers: {
        200: json('Those of the messages that were the caller’s own are deleted.', closedObject({ status: success })),
      },
      errors: [
        'ERR_MESSAGE_ID_REQUIRED',
        'ERR_INVALID_MESSAGE_ID',
        'ERR_TOO_MANY_MESSAGE_IDS',
        'ERR_INVALID_ACKNOWLEDGMENT',
      ],
    },
    {
      method: 'post',
      path: '/boxStatus',
      operationId: 'getBoxStatus',
      summary: 'Count the messages of own boxes',
      description:
        'Without reading messages: for badges. With `messageBox`, that box; an unknown one is empty. Without it, all boxes in the order of the bytes of their names, page by page. A page ends early when its boxes hold more than 100,000 messages.',
      access: 'signed',
      body: {
        required: false,
        schema: openObject(
          {
            messageBox: schemaRef('BoxName'),
            limit: integer('The most boxes of a page. Default: 100.', 1, 1_000),
            after: text('The value of `next` of an earlier answer. Not with `messageBox`.', { maxLength: 2_048 }),
          },
          ['messageBox', 'limit', 'after'],
        ),
        examples: { 'all boxes': {}, 'one box': { messageBox: 'inbox' }, 'a page': { limit: 1 } },
      },
      answers: {
        200: json('What the boxes hold.', {
          ...closedObject(
            {
              status: success,
              boxes: list(schemaRef('BoxStatus')),
              hasMore: { const: true, description: 'There are more boxes. Left out where there are none.' },
              next: text('Where the next page begins. Opaque.'),
            },
            ['hasMore', 'next'],
          ),
          dependentRequired: { hasMore: ['next'], next: ['hasMore'] },
        }),
      },
      errors: [
        'ERR_INVALID_REQUEST',
        'ERR_INVALID_MESSAGEBOX',
        'ERR_MESSAGEBOX_REQUIRED',
        'ERR_INVALID_LIMIT',
        'ERR_INVALID_AFTER',
      ],
    },
    {
      method: 'post',
      path: '/sentStatus',
      operationId: 'getSentStatus',
      summary: 'Ask what has become of messages that were sent',
      description:
        'About the caller’s own sends only. What became of a message that is gone is remembered for `RECEIPT_DAYS`, usually 7. Recipients may not want it to be told (`/permissions/set` with `receipts: false`): then the state is `unknown` from the moment of the send, so that it says nothing about them.',
      access: 'signed',
      body: {
        schema: openObject(
          {
            messageIds: list(schemaRef('MessageId'), { minItems: 1, maxItems: 1_000 }),
            recipient: {
              oneOf: [schemaRef('GivenKey'), { type: 'null' }],
              description: 'Only sends to this recipient. Left out: to any.',
            },
          },
          ['recipient'],
        ),
        examples: { 'two messages': { messageIds: ['example-1', 'example-2'] } },
      },
      answers: {
        200: json(
          'In the order of the ids. An id that was sent to several recipients has an entry for each, at most ten.',
          closedObject({ status: success, statuses: list(schemaRef('SentStatus')) }),
        ),
      },
      errors: [
        'ERR_MESSAGE_ID_REQUIRED',
        'ERR_INVALID_MESSAGE_ID',
        'ERR_TOO_MANY_MESSAGE_IDS',
        'ERR_INVALID_PUBLIC_KEY',
      ],
    },
  ],
};

/** Schemas of this group. */
export const messageSchemas = { ListedMessage: listedMessage, BoxStatus: boxStatus, SentStatus: sentStatus };
