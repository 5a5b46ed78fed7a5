import { closedObject, integer, list, openObject, orNull, type Properties, schemaRef, text } from '../../schema.js';
import { MAX_FEE } from '../../schemas/common.js';
import { type Group, json, type Parameter } from '../operation.js';

const success = { const: 'success' };
const fee = (description: string) => integer(description, -1, MAX_FEE);
const box: Parameter = {
  in: 'query',
  name: 'messageBox',
  description: 'The box. `message_box` is accepted as well.',
  schema: schemaRef('BoxName'),
  example: 'inbox',
};
const EXAMPLE_KEY = '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5';

/** Schemas of this group. */
export const permissionSchemas: Properties = {
  Permission: closedObject(
    {
      sender: orNull(schemaRef('IdentityKey', { description: 'Null: for all senders.' })),
      messageBox: schemaRef('BoxName'),
      message_box: schemaRef('BoxName'),
      recipientFee: fee('-1: blocked; 0: always allowed; else satoshis.'),
      recipient_fee: fee('The same.'),
      status: schemaRef('PermissionStatus'),
      receipts: {
        type: 'boolean',
        description:
          'Whether senders may ask with `/sentStatus` what becomes of their messages. Left out where it is not decided: what is set for the box counts for a sender, and without that they may.',
      },
      createdAt: schemaRef('Time'),
      created_at: schemaRef('Time'),
      updatedAt: schemaRef('Time'),
      updated_at: schemaRef('Time'),
    },
    ['receipts'],
  ),
  PermissionStatus: { enum: ['always_allow', 'blocked', 'payment_required'] },
};

/** `/permissions/*`. */
export const permissions: Group = {
  name: 'Permissions',
  description: 'Who may send into one’s own boxes, and at what price.',
  operations: [
    {
      method: 'post',
      path: '/permissions/set',
      operationId: 'setPermission',
      summary: 'Block, allow or charge a sender, or all senders of a box',
      access: 'signed',
      body: {
        schema: {
          ...openObject(
            {
              messageBox: schemaRef('BoxName'),
              message_box: schemaRef('BoxName'),
              sender: { oneOf: [schemaRef('GivenKey'), { type: 'null' }], description: 'Left out: for all senders.' },
              recipientFee: fee('-1 blocks, 0 always allows, any other number is a fee in satoshis.'),
              recipient_fee: fee('The same.'),
              receipts: {
                type: ['boolean', 'null'],
                description:
                  'Whether senders may ask with `/sentStatus` what becomes of their messages. Null: not decided. Left out: as it is.',
              },
            },
            ['messageBox', 'message_box', 'sender', 'recipientFee', 'recipient_fee', 'receipts'],
          ),
          allOf: [
            { anyOf: [{ required: ['messageBox'] }, { required: ['message_box'] }] },
            { anyOf: [{ required: ['recipientFee'] }, { required: ['recipient_fee'] }] },
          ],
        },
        examples: {
          'block a sender': { messageBox: 'inbox', sender: EXAMPLE_KEY, recipientFee: -1 },
          'charge all senders of a box': { messageBox: 'letters', recipientFee: 100 },
          'tell senders nothing': { messageBox: 'inbox', recipientFee: 0, receipts: false },
        },
      },
      answers: {
        200: json('The permission is set.', closedObject({ status: success, description: text('For people.') })),
      },
      errors: [
        'ERR_INVALID_REQUEST',
        'ERR_INVALID_PUBLIC_KEY',
        'ERR_INVALID_FEE_VALUE',
        'ERR_INVALID_RECEIPTS',
        'ERR_INVALID_MESSAGE_BOX',
        'ERR_TOO_MANY_PERMISSIONS',
      ],
    },
    {
      method: 'get',
      path: '/permissions/get',
      operationId: 'getPermission',
      summary: 'Read one permission',
      access: 'signed',
      parameters: [
        box,
        {
          in: 'query',
          name: 'sender',
          description: 'The sender. Left out: the permission of the box.',
          schema: schemaRef('GivenKey'),
          example: EXAMPLE_KEY,
        },
      ],
      answers: {
        200: json(
          'Exactly that permission, or null where it is not set.',
          closedObject({
            status: success,
            description: text('For people.'),
            permission: orNull(schemaRef('Permission')),
          }),
        ),
      },
      errors: ['ERR_MISSING_PARAMETERS', 'ERR_INVALID_PUBLIC_KEY', 'ERR_INVALID_MESSAGE_BOX', 'ERR_INVALID_REQUEST'],
    },
    {
      method: 'get',
      path: '/permissions/list',
      operationId: 'listPermissions',
      summary: 'List one’s own permissions',
      access: 'signed',
      parameters: [
        box,
        { in: 'query', name: 'limit', description: 'Default: 100.', schema: integer('', 1, 1_000), example: 20 },
        { in: 'query', name: 'offset', description: 'Default: 0.', schema: integer('', 0), example: 0 },
        {
          in: 'query',
          name: 'createdAtOrder',
          description: 'Default: newest first.',
          schema: { enum: ['asc', 'desc'] },
          example: 'asc',
        },
      ],
      answers: {
        200: json(
          'A page of permissions.',
          closedObject({
            status: success,
            permissions: list(schemaRef('Permission')),
            totalCount: integer('Of all pages.', 0),
          }),
        ),
      },
      errors: [
        'ERR_INVALID_LIMIT',
        'ERR_INVALID_OFFSET',
        'ERR_INVALID_ORDER',
        'ERR_INVALID_MESSAGE_BOX',
        'ERR_INVALID_REQUEST',
      ],
    },
    {
      method: 'get',
      path: '/permissions/quote',
      operationId: 'getQuote',
      summary: 'Ask what a send would cost',
      access: 'signed',
      parameters: [
        {
          in: 'query',
          name: 'recipient',
          description: 'Repeat it for several recipients, at most `MAX_RECIPIENTS`.',
          schema: list(schemaRef('GivenKey'), { minItems: 1 }),
          example: [EXAMPLE_KEY],
        },
        box,
      ],
      answers: {
        200: json('The cost, in satoshis.', {
          oneOf: [
            {
              title: 'SingleQuote',
              ...closedObject({
                status: success,
                description: text('For people.'),
                quote: closedObject({
                  deliveryFee: integer('Of the server.', 0, MAX_FEE),
                  recipientFee: fee('-1: blocked.'),
                }),
              }),
            },
            {
              title: 'QuoteForSeveral',
              ...closedObject({
                status: success,
                description: text('For people.'),
                quotesByRecipient: list(
                  closedObject({
                    recipient: text('In the spelling of the request.'),
                    messageBox: schemaRef('BoxName'),
                    deliveryFee: integer('Of the server.', 0, MAX_FEE),
                    recipientFee: fee('-1: blocked.'),
                    status: schemaRef('PermissionStatus'),
                  }),
                ),
                totals: closedObject({
                  deliveryFees: integer('For one send to each; a send to all has one delivery fee.', 0),
                  recipientFees: integer('Of all recipients who have not blocked the caller.', 0),
                  totalForPayableRecipients: integer('Both together.', 0),
                }),
                blockedRecipients: list({ type: 'string' }),
              }),
            },
          ],
        }),
      },
      errors: [
        'ERR_MISSING_PARAMETERS',
        'ERR_TOO_MANY_RECIPIENTS',
        'ERR_INVALID_PUBLIC_KEY',
        'ERR_INVALID_MESSAGE_BOX',
        'ERR_INVALID_REQUEST',
      ],
    },
  ],
};
