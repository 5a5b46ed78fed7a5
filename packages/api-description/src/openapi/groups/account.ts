import { closedObject, integer, list, openObject, schemaRef, text } from '../../schema.js';
import { type Group, json } from '../operation.js';

const success = { const: 'success' };
const count = (description: string) => integer(description, 0);

const lines = {
  description: 'Of each line.',
  oneOf: [
    closedObject({
      type: { const: 'account' },
      identityKey: schemaRef('IdentityKey'),
      exportedAt: schemaRef('Time'),
    }),
    closedObject(
      {
        type: { const: 'message' },
        messageBox: schemaRef('BoxName'),
        messageId: schemaRef('MessageId'),
        sender: schemaRef('IdentityKey'),
        body: text('As it is stored.'),
        createdAt: schemaRef('Time'),
        expiresAt: schemaRef('Time'),
      },
      ['messageBox', 'expiresAt'],
    ),
    closedObject(
      {
        type: { const: 'permission' },
        messageBox: schemaRef('BoxName'),
        sender: schemaRef('IdentityKey', { description: 'Left out: every sender.' }),
        recipientFee: integer('-1: blocked.', -1),
        createdAt: schemaRef('Time'),
      },
      ['sender'],
    ),
    closedObject(
      {
        type: { const: 'device' },
        deviceId: text('The client’s own.'),
        platform: text('Of the device.'),
        fcmToken: text('All of it.'),
        webPushKeys: closedObject({ p256dh: text('In base64url.'), auth: text('In base64url.') }),
        active: { type: 'boolean' },
        createdAt: schemaRef('Time'),
        updatedAt: schemaRef('Time'),
        lastUsed: schemaRef('Time'),
      },
      ['deviceId', 'platform', 'webPushKeys', 'lastUsed'],
    ),
    closedObject({
      type: { const: 'payment' },
      transactionId: schemaRef('Txid'),
      state: text('How far it has come.'),
      createdAt: schemaRef('Time'),
    }),
    closedObject({
      type: { const: 'end' },
      next: { type: ['string', 'null'], description: '`after` of the next request; null at the end.' },
    }),
  ],
};

/** `/account/*`. */
export const account: Group = {
  name: 'Account',
  description: 'What the server keeps of the caller.',
  operations: [
    {
      method: 'post',
      path: '/account/export',
      operationId: 'exportAccount',
      summary: 'Take along everything that is kept of oneself',
      description:
        'Lines of JSON. The signature of an answer is in its headers, so an export comes in parts: the last line of each is `{"type": "end", "next"}`.',
      access: 'signed',
      body: {
        required: false,
        schema: openObject(
          { after: { type: ['string', 'null'], description: '`next` of the part before; left out for the first.' } },
          ['after'],
        ),
        examples: { 'from the beginning': {} },
      },
      answers: { 200: { description: 'A part.', content: { 'application/x-ndjson': lines } } },
      errors: ['ERR_INVALID_AFTER', 'ERR_OVERLOADED'],
    },
    {
      method: 'post',
      path: '/account/delete',
      operationId: 'deleteAccount',
      summary: 'Delete what is kept of oneself',
      description:
        'Messages that carry a payment stay and are named, unless `includePayments` is true: their money would be lost. An interrupted deletion is completed by the next request.',
      access: 'signed',
      body: {
        schema: openObject(
          {
            confirm: schemaRef('GivenKey', { description: 'One’s own identity key.' }),
            includePayments: { type: ['boolean', 'null'] },
          },
          ['includePayments'],
        ),
        examples: {
          'but no payments': { confirm: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798' },
        },
      },
      answers: {
        200: json(
          'It is deleted.',
          closedObject({
            status: success,
            removed: closedObject({
              messages: count(''),
              boxes: count(''),
              permissions: count(''),
              devices: count(''),
              payments: count('Records that name the caller no more.'),
            }),
            keptPayments: list(
              closedObject(
                {
                  messageBox: schemaRef('BoxName'),
                  messageId: schemaRef('MessageId'),
                  sender: schemaRef('IdentityKey'),
                },
                ['messageBox'],
              ),
              { description: 'Messages that carry a payment; the first of them.' },
            ),
            keptPaymentCount: count('Of all such messages.'),
          }),
        ),
      },
      errors: ['ERR_NOT_CONFIRMED', 'ERR_INVALID_REQUEST', 'ERR_OVERLOADED'],
    },
  ],
};
