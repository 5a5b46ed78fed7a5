import { openObject, schemaRef } from '../schema.js';
import type { ClientEvent } from './event.js';

const EXAMPLE_ROOM = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798-inbox';

/** The events that a client may send. The server ignores others. */
export const clientEvents: readonly ClientEvent[] = [
  {
    key: 'authenticated',
    name: 'authenticated',
    summary: 'Begins to listen, after the handshake',
    description:
      'The key must be the one that the signatures have proven. The first one of a connection joins the rooms again that connections of the identity have joined and not left in the last 24 hours, and what was stored since comes again.',
    data: openObject({ identityKey: schemaRef('IdentityKey') }),
    examples: [{ identityKey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798' }],
    answers: ['authenticationSuccess', 'authenticationFailed'],
  },
  {
    key: 'joinRoom',
    name: 'joinRoom',
    summary: 'Listens to an own box',
    description: 'With `after`, the messages of the box behind that cursor come first, and then `roomRecovered`.',
    data: {
      oneOf: [
        schemaRef('RoomId'),
        openObject({
          roomId: schemaRef('RoomId'),
          after: schemaRef('Cursor', { description: 'Of the last message that the client has, or `"0"` for all.' }),
        }),
      ],
    },
    examples: [EXAMPLE_ROOM, { roomId: EXAMPLE_ROOM, after: '0' }],
    answers: ['joinedRoom', 'joinFailed', 'roomRecovered'],
  },
  {
    key: 'leaveRoom',
    name: 'leaveRoom',
    summary: 'Stops listening to a box',
    data: schemaRef('RoomId'),
    examples: [EXAMPLE_ROOM],
    answers: ['leftRoom', 'leaveFailed'],
  },
  {
    key: 'sendMessage',
    name: 'sendMessage',
    summary: 'Sends a message',
    description:
      'By the rules of `POST /sendMessage`. The room names recipient and box. Sends of one connection into one room are stored and answered in their order.',
    data: openObject(
      {
        roomId: schemaRef('RoomId'),
        message: openObject(
          {
            messageId: {
              oneOf: [
                schemaRef('MessageId'),
                { type: 'array', items: schemaRef('MessageId'), minItems: 1, maxItems: 1 },
              ],
            },
            recipient: { oneOf: [schemaRef('GivenKey'), { type: 'null' }] },
            body: schemaRef('GivenBody'),
            expiresAt: schemaRef('ExpiresAt'),
            urgent: schemaRef('Urgent'),
          },
          ['recipient', 'expiresAt', 'urgent'],
        ),
        payment: { oneOf: [schemaRef('Payment'), { type: 'null' }] },
      },
      ['payment'],
    ),
    examples: [
      {
        roomId: EXAMPLE_ROOM,
        message: {
          messageId: 'example-4',
          recipient: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
          body: 'hello',
        },
      },
    ],
    answers: ['sendMessageAck', 'messageFailed', 'paymentFailed'],
  },
];
