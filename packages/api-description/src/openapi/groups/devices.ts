import { closedObject, integer, list, openObject, type Properties, schemaRef, text } from '../../schema.js';
import { type Group, json } from '../operation.js';

const success = { const: 'success' };

/** Schemas of this group. */
export const deviceSchemas: Properties = {
  Device: closedObject({
    id: integer('Of the registration.', 1),
    deviceId: { type: ['string', 'null'], description: 'The client’s own id of the device.' },
    platform: { enum: ['ios', 'android', 'web', null] },
    fcmToken: text('`...` and the end of the token: who has all of it can push.'),
    active: { type: 'boolean', description: 'False: Firebase has called the token invalid.' },
    createdAt: schemaRef('Time'),
    updatedAt: schemaRef('Time'),
    lastUsed: schemaRef('Time'),
  }),
};

/** `/registerDevice`, `/unregisterDevice`, `/devices`. */
export const devices: Group = {
  name: 'Devices',
  description: 'Devices that are notified of messages through Firebase Cloud Messaging.',
  operations: [
    {
      method: 'post',
      path: '/registerDevice',
      operationId: 'registerDevice',
      summary: 'Register a device for pushes',
      description:
        'A token that the caller has registered before updates its registration. Other identities keep theirs: up to 20 may register one token, such as the profiles of a phone.',
      access: 'signed',
      body: {
        schema: openObject(
          {
            fcmToken: text('As Firebase gave it: up to 2,000 ASCII characters without spaces.', { minLength: 1 }),
            deviceId: { type: ['string', 'null'], maxLength: 255, description: 'The client’s own id of the device.' },
            platform: { enum: ['ios', 'android', 'web', null] },
          },
          ['deviceId', 'platform'],
        ),
        examples: { 'a phone': { fcmToken: 'example-token-of-firebase', deviceId: 'phone', platform: 'android' } },
      },
      answers: {
        200: json(
          'The device is registered.',
          closedObject({
            status: success,
            message: text('For people.'),
            deviceId: integer('The id of the registration, not the client’s own.', 1),
          }),
        ),
      },
      errors: ['ERR_INVALID_FCM_TOKEN', 'ERR_INVALID_DEVICE_ID', 'ERR_INVALID_PLATFORM', 'ERR_TOO_MANY_IDENTITIES'],
    },
    {
      method: 'post',
      path: '/unregisterDevice',
      operationId: 'unregisterDevice',
      summary: 'End pushes to a device',
      description:
        'For a logout. Ends the registration of the caller, and no other of the same token. Pushes that wait for the device are not sent. The answer is the same for a token that the caller has not registered.',
      access: 'signed',
      body: {
        schema: openObject({
          fcmToken: text('As it was registered: up to 2,000 ASCII characters without spaces.', { minLength: 1 }),
        }),
        examples: { 'a phone': { fcmToken: 'example-token-of-firebase' } },
      },
      answers: {
        200: json(
          'The caller has no registration of this token.',
          closedObject({ status: success, message: text('For people.') }),
        ),
      },
      errors: ['ERR_INVALID_FCM_TOKEN'],
    },
    {
      method: 'get',
      path: '/devices',
      operationId: 'listDevices',
      summary: 'List one’s own devices',
      access: 'signed',
      parameters: [
        { in: 'query', name: 'limit', description: 'Default: 100.', schema: integer('', 1, 100), example: 10 },
        { in: 'query', name: 'offset', description: 'Default: 0.', schema: integer('', 0, 100_000), example: 0 },
      ],
      answers: {
        200: json(
          'A page of devices: active ones first, then by last use.',
          closedObject({
            status: success,
            limit: integer('Of the request, or 100.', 1, 100),
            offset: integer('Of the request, or 0.', 0, 100_000),
            devices: list(schemaRef('Device')),
          }),
        ),
      },
      errors: ['ERR_INVALID_LIMIT', 'ERR_INVALID_OFFSET', 'ERR_INVALID_REQUEST'],
    },
  ],
};
