import type { ErrorCode } from '../errors/catalogue.js';
import { closedObject, integer, schemaRef, text } from '../schema.js';
import { createRefusalSchema } from './error-data.js';
import type { LiveEvent } from './event.js';

const ROOM_ERRORS: readonly ErrorCode[] = [
  'ERR_WEBSOCKET_INVALID_ROOM',
  'ERR_WEBSOCKET_ROOM_NOT_OWNED',
  'ERR_TOO_MANY_REQUESTS',
];
const PAYMENT_ERRORS: readonly ErrorCode[] = [
  'ERR_MISSING_PAYMENT_TX',
  'ERR_MISSING_DELIVERY_OUTPUT',
  'ERR_INSUFFICIENT_PAYMENT',
  'ERR_MISSING_RECIPIENT_OUTPUTS',
  'ERR_INSUFFICIENT_OUTPUTS',
  'ERR_INVALID_PAYMENT',
  'ERR_PAYMENT_REUSED',
  'ERR_PAYMENT_NOT_SUPPORTED',
  'ERR_PAYMENT_REQUIRED',
  'ERR_INTERNALIZE_FAILED',
  'ERR_CHAIN_UNAVAILABLE',
];
const SEND_ERRORS: readonly ErrorCode[] = [
  'ERR_MESSAGE_REQUIRED',
  'ERR_INVALID_MESSAGEBOX',
  'ERR_INVALID_MESSAGE_BODY',
  'ERR_RECIPIENT_REQUIRED',
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
  'ERR_UPLOADS_DISABLED',
  'ERR_INVALID_UPLOAD',
  'ERR_TOO_MANY_REQUESTS',
  'ERR_STORE_UNAVAILABLE',
  'ERR_INTERNAL',
];

const reason = text('For people; it may change.');
const echoedRoom = text('As the client has sent it; left out where it is no text, or too long.');
const echoedId = text('As the client has sent it; left out where it is no text, or too long.');

/** The events that the server sends. */
export const serverEvents: readonly LiveEvent[] = [
  {
    key: 'authenticationSuccess',
    name: 'authenticationSuccess',
    summary: 'The connection is authenticated',
    data: closedObject({ status: { const: 'success' } }),
    examples: [{ status: 'success' }],
  },
  {
    key: 'authenticationFailed',
    name: 'authenticationFailed',
    summary: 'The connection is not authenticated',
    description: 'Comes unsigned, as an event of socket.io, where a frame was not authentic.',
    data: closedObject({ reason, code: { const: 'ERR_TOO_MANY_REQUESTS' } }, ['code']),
    examples: [{ reason: 'The identityKey does not match the session.' }],
  },
  {
    key: 'joinedRoom',
    name: 'joinedRoom',
    summary: 'From now on no message of the box is missed',
    data: closedObject({ roomId: schemaRef('RoomId') }),
  },
  {
    key: 'joinFailed',
    name: 'joinFailed',
    summary: 'The room can not be joined',
    data: createRefusalSchema(
      [...ROOM_ERRORS, 'ERR_TOO_MANY_ROOMS', 'ERR_TOO_MANY_SOCKETS', 'ERR_TOO_MANY_REPLAYS', 'ERR_INVALID_AFTER'],
      { reason, roomId: echoedRoom },
      ['roomId'],
    ),
    examples: [
      { reason: 'The roomId must be YOURKEY-messageBox.', roomId: 'inbox', code: 'ERR_WEBSOCKET_INVALID_ROOM' },
    ],
  },
  {
    key: 'roomRecovered',
    name: 'roomRecovered',
    summary: 'The messages behind the cursor of a join have come',
    data: closedObject({
      roomId: schemaRef('RoomId'),
      after: schemaRef('Cursor', { description: 'Where the client may continue.' }),
      complete: { type: 'boolean', description: 'False: join again with the new `after`, or list.' },
      skipped: integer('Messages that came by no event, because they carry a payment or are too large: list them.', 0),
    }),
  },
  {
    key: 'leftRoom',
    name: 'leftRoom',
    summary: 'No more messages of the box come to this connection',
    data: closedObject({ roomId: schemaRef('RoomId') }),
  },
  {
    key: 'leaveFailed',
    name: 'leaveFailed',
    summary: 'The room can not be left',
    data: createRefusalSchema(ROOM_ERRORS, { reason, roomId: echoedRoom }, ['roomId']),
  },
  {
    key: 'pushedMessage',
    name: 'sendMessage-{roomId}',
    summary: 'A message for a room that was joined',
    description: 'Messages that carry a payment, or are too large, come by listing only.',
    data: closedObject(
      {
        sender: schemaRef('IdentityKey'),
        messageId: schemaRef('MessageId'),
        body: text('As it was sent.'),
        messageBox: schemaRef('BoxName'),
        after: schemaRef('Cursor', { description: 'Of this message, for a later `joinRoom {roomId, after}`.' }),
      },
      ['after'],
    ),
    examples: [
      {
        sender: '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5',
        messageId: 'example-4',
        body: 'hello',
        messageBox: 'inbox',
        after: '17',
      },
    ],
  },
  {
    key: 'sendMessageAck',
    name: 'sendMessageAck-{roomId}',
    summary: 'A send is stored, or refused',
    data: {
      oneOf: [
        closedObject({ status: { const: 'success' }, messageId: schemaRef('MessageId') }),
        createRefusalSchema(
          [...SEND_ERRORS, ...PAYMENT_ERRORS],
          { status: { const: 'error' }, description: reason, messageId: echoedId },
          ['messageId'],
          true,
        ),
      ],
    },
    examples: [{ status: 'success', messageId: 'example-4' }],
  },
  {
    key: 'messageFailed',
    name: 'messageFailed',
    summary: 'A send is refused',
    data: createRefusalSchema(SEND_ERRORS, { reason, messageId: echoedId }, ['messageId'], true),
  },
  {
    key: 'paymentFailed',
    name: 'paymentFailed',
    summary: 'A send is refused for its payment',
    data: createRefusalSchema(PAYMENT_ERRORS, { reason, messageId: echoedId }, ['messageId'], true),
  },
  {
    key: 'sessionRefreshed',
    name: 'sessionRefreshed',
    summary: 'The first event under a new session',
    description: 'Has no meaning: it makes clients use the session that the server has begun before theirs grows old.',
    data: closedObject({}),
  },
];
