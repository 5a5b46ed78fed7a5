import { closedObject, integer, list, openObject, type Properties, schemaRef, text } from '../../schema.js';
import { type Group, json } from '../operation.js';

const success = { const: 'success' };

const fcmToken = (description: string) =>
  text(`${description}: up to 2,000 ASCII characters without spaces.`, { minLength: 1 });
const endpoint = text('The URL at the browser’s push service: https, of a public host, on port 443.', {
  minLength: 1,
  maxLength: 2_000,
});
const deviceId = { type: ['string', 'null'], maxLength: 255, description: 'The client’s own id of the device.' };

const exampleSubscription = {
  endpoint: 'https://updates.push.services.mozilla.com/wpush/v2/example',
  keys: {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  },
};

/** Schemas of this group. */
export const deviceSchemas: Properties = {
  Device: closedObject({
    id: integer('Of the registration.', 1),
    deviceId: { type: ['string', 'null'], description: 'The client’s own id of the device.' },
    platform: { enum: ['ios', 'android', 'web', null] },
    fcmToken: text('`...` and the end of the token, or of a browser’s endpoint: who has all of it can push.'),
    active: {
      type: 'boolean',
      description: 'False: the push service has called the token or the subscription invalid.',
    },
    createdAt: schemaRef('Time'),
    updatedAt: schemaRef('Time'),
    lastUsed: schemaRef('Time'),
  }),
  WebPushSubscription: openObject({
    endpoint,
    keys: openObject({
      p256dh: text('The browser’s public key: an uncompressed point of P-256, 65 bytes in base64url.', {
        minLength: 87,
        maxLength: 88,
      }),
      auth: text('The authentication secret: 16 bytes in base64url.', { minLength: 22, maxLength: 24 }),
    }),
  }),
};

/** `/registerDevice`, `/unregisterDevice`, `/devices`. */
export const devices: Group = {
  name: 'Devices',
  description: 'Devices that are notified of messages, through Firebase Cloud Messaging or Web Push (RFC 8030).',
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
        schema: {
          anyOf: [
            openObject(
              {
                fcmToken: fcmToken('As Firebase gave it'),
                deviceId,
                platform: { enum: ['ios', 'android', 'web', null] },
              },
              ['deviceId', 'platform'],
            ),
            openObject({ subscription: schemaRef('WebPushSubscription'), deviceId, platform: { const: 'web' } }, [
              'deviceId',
            ]),
          ],
        },
        examples: {
          'a phone': { fcmToken: 'example-token-of-firebase', deviceId: 'phone', platform: 'android' },
          'a browser (Web Push)': { platform: 'web', subscription: exampleSubscription },
        },
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
      errors: [
        'ERR_INVALID_FCM_TOKEN',
        'ERR_INVALID_SUBSCRIPTION',
        'ERR_INVALID_DEVICE_ID',
        'ERR_INVALID_PLATFORM',
        'ERR_TOO_MANY_IDENTITIES',
      ],
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
        schema: {
          anyOf: [
            openObject({ fcmToken: fcmToken('As it was registered') }),
            openObject({ subscription: openObject({ endpoint }) }),
            openObject({ endpoint }),
          ],
        },
        examples: {
          'a phone': { fcmToken: 'example-token-of-firebase' },
          'a browser (Web Push)': { endpoint: exampleSubscription.endpoint },
        },
      },
      answers: {
        200: json(
          'The caller has no registration of this token.',
          closedObject({ status: success, message: text('For people.') }),
        ),
      },
      errors: ['ERR_INVALID_FCM_TOKEN', 'ERR_INVALID_SUBSCRIPTION'],
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
