// Written by `npm run docs` from docs/errors.md.

/** What docs/errors.md says of an error code. */
export interface ErrorEntry {
  /** The HTTP statuses that it comes with. Live, there is no status. */
  readonly statuses: readonly number[];
  /** The heading of its table. */
  readonly section: string;
  /** When it comes. */
  readonly cause: string;
  /** What the caller does about it. */
  readonly cure: string;
}

/** Every error code that a client may receive. */
export const errorCatalogue = {
  UNAUTHORIZED: {
    statuses: [401],
    section: 'Authentication',
    cause: 'The request has no auth headers.',
    cure: 'Use a BRC-104 client such as `AuthFetch`.',
  },
  ERR_AUTH_MALFORMED: {
    statuses: [400],
    section: 'Authentication',
    cause: "An auth header, a handshake or a frame can't be read.",
    cure: 'Fix the client.',
  },
  ERR_AUTH_FAILED: {
    statuses: [401],
    section: 'Authentication',
    cause: 'The request is well-formed but not authentic.',
    cure: 'Make a new handshake and repeat the request.',
  },
  ERR_BODY_TOO_LARGE: {
    statuses: [413],
    section: 'Authentication',
    cause: 'The body of the request is too large; `limit` says what is allowed.',
    cure: 'Send less; list and acknowledge in parts.',
  },
  ERR_UNSUPPORTED_ENCODING: {
    statuses: [415],
    section: 'Authentication',
    cause: 'The body is compressed.',
    cure: 'Send it without `Content-Encoding`.',
  },
  ERR_BAD_REQUEST: {
    statuses: [400, 408, 413, 414, 415, 417, 431],
    section: 'Requests',
    cause: 'The request is not valid HTTP.',
    cure: 'Fix the client, or the proxy before the server.',
  },
  ERR_INVALID_JSON: {
    statuses: [400],
    section: 'Requests',
    cause: 'The body is not JSON in UTF-8, or its structure is too large.',
    cure: 'Send JSON; send large structures as a string, or in parts.',
  },
  ERR_NOT_FOUND: {
    statuses: [404],
    section: 'Requests',
    cause: 'There is no such route, or not with this method.',
    cure: 'Check path, method and routing prefix.',
  },
  ERR_TOO_MANY_REQUESTS: {
    statuses: [429],
    section: 'Requests',
    cause: 'There are too many requests at once.',
    cure: 'Wait for `Retry-After` seconds; live, wait for acks.',
  },
  ERR_MESSAGE_REQUIRED: {
    statuses: [400],
    section: 'Sending',
    cause: '`message` is missing or not an object.',
    cure: 'Send `{"message": {…}}`.',
  },
  ERR_INVALID_MESSAGEBOX: {
    statuses: [400],
    section: 'Sending',
    cause: '`messageBox` is not a string of 1 to 255 characters.',
    cure: 'Choose another name, or send over HTTP.',
  },
  ERR_INVALID_MESSAGE_BODY: {
    statuses: [400],
    section: 'Sending',
    cause: '`body` is not valid.',
    cure: 'Fix the body.',
  },
  ERR_RECIPIENT_REQUIRED: {
    statuses: [400],
    section: 'Sending',
    cause: 'There is no recipient, or an empty one in the list.',
    cure: 'Give at least one.',
  },
  ERR_TOO_MANY_RECIPIENTS: {
    statuses: [400],
    section: 'Sending',
    cause: 'A send or a quote has more recipients than `MAX_RECIPIENTS` (100).',
    cure: 'Send or ask in parts.',
  },
  ERR_MESSAGEID_REQUIRED: {
    statuses: [400],
    section: 'Sending',
    cause: '`messageId` is missing or an empty list.',
    cure: 'Give one for each recipient.',
  },
  ERR_MESSAGEID_COUNT_MISMATCH: {
    statuses: [400],
    section: 'Sending',
    cause: 'There are not as many ids as recipients.',
    cure: 'Give one for each recipient.',
  },
  ERR_INVALID_MESSAGEID: {
    statuses: [400],
    section: 'Sending',
    cause: 'A `messageId` is not a string of 1 to 255 characters or 256 bytes of UTF-8.',
    cure: 'Choose another id.',
  },
  ERR_INVALID_RECIPIENT_KEY: {
    statuses: [400],
    section: 'Sending',
    cause: 'A recipient is not a public key; live: not the key of the room.',
    cure: 'Check the key.',
  },
  ERR_INVALID_EXPIRES_AT: {
    statuses: [400],
    section: 'Sending',
    cause:
      '`expiresAt` is not a time in ISO 8601 with a zone, or not in the future, or more than a year ahead. Nothing was stored.',
    cure: 'Give such a time, or leave it out.',
  },
  ERR_INVALID_URGENT: {
    statuses: [400],
    section: 'Sending',
    cause: '`urgent` is neither `true` nor `false`. Nothing was stored.',
    cure: 'Give one of them, or leave it out.',
  },
  ERR_DUPLICATE_MESSAGE: {
    statuses: [400],
    section: 'Sending',
    cause: 'The recipient has another message with this id. Nothing was stored.',
    cure: 'Choose another id.',
  },
  ERR_DELIVERY_BLOCKED: {
    statuses: [403],
    section: 'Sending',
    cause: 'Recipients have blocked the sender in this box. Nothing was stored.',
    cure: 'Leave them out.',
  },
  ERR_INBOX_QUOTA_EXCEEDED: {
    statuses: [429],
    section: 'Sending',
    cause: 'The recipient has too many unacknowledged messages. Nothing was stored.',
    cure: 'Send later, or leave the recipient out.',
  },
  ERR_SENDER_QUOTA_EXCEEDED: {
    statuses: [429],
    section: 'Sending',
    cause: 'Too many messages of this sender are unacknowledged. Nothing was stored.',
    cure: 'Send later, or ask the recipient for a permission.',
  },
  ERR_MESSAGE_TOO_LARGE: {
    statuses: [413],
    section: 'Sending',
    cause: 'The body is too large for so many recipients, to be sent live, or to be listed.',
    cure: 'Send to fewer recipients, over HTTP, or in parts.',
  },
  ERR_UPLOADS_DISABLED: {
    statuses: [403],
    section: 'Uploads',
    cause: 'The server takes no uploads. Live sends have none at all.',
    cure: 'Send the body in the request, over HTTP.',
  },
  ERR_INVALID_UPLOAD: {
    statuses: [400],
    section: 'Uploads',
    cause: 'A field of the upload is not valid.',
    cure: 'Fix the request.',
  },
  ERR_UPLOAD_TOO_LARGE: {
    statuses: [413],
    section: 'Uploads',
    cause: "`bytes` is above `UPLOAD_MAX_BYTES`, or a payment's transaction above 128 MiB.",
    cure: 'Upload less.',
  },
  ERR_TOO_MANY_UPLOADS: {
    statuses: [429],
    section: 'Uploads',
    cause: 'The caller has too many uploads that no message names.',
    cure: 'Send them, or wait until they expire.',
  },
  ERR_UPLOAD_NOT_FOUND: {
    statuses: [404],
    section: 'Uploads',
    cause: "The upload was never made, is not the caller's, or has expired.",
    cure: 'Make another upload.',
  },
  ERR_UPLOAD_INCOMPLETE: {
    statuses: [409],
    section: 'Uploads',
    cause: "Nothing was written to the upload's URL yet.",
    cure: 'PUT the content, and send again.',
  },
  ERR_UPLOAD_MISMATCH: {
    statuses: [400],
    section: 'Uploads',
    cause: 'What was written has another size or another SHA-256 than announced.',
    cure: 'Make another upload.',
  },
  ERR_UPLOAD_NAMED: {
    statuses: [409],
    section: 'Uploads',
    cause: 'Another message has the upload.',
    cure: 'Make another upload.',
  },
  ERR_UPLOADS_UNAVAILABLE: {
    statuses: [503],
    section: 'Uploads',
    cause: 'The storage for uploads does not answer, or is full.',
    cure: 'Try again later.',
  },
  ERR_MISSING_PAYMENT_TX: {
    statuses: [400],
    section: 'Payments',
    cause: 'The send costs something, and there is no payment, or one without `tx`.',
    cure: 'Ask `/permissions/quote`, and pay.',
  },
  ERR_MISSING_DELIVERY_OUTPUT: {
    statuses: [400],
    section: 'Payments',
    cause: 'The delivery costs something, and the first of `payment.outputs` is no wallet payment.',
    cure: 'Pay the server with the first output.',
  },
  ERR_INSUFFICIENT_PAYMENT: {
    statuses: [400],
    section: 'Payments',
    cause: 'The output of the server, or all outputs of a recipient together, are less than the fee.',
    cure: 'Ask for a new quote: fees change.',
  },
  ERR_MISSING_RECIPIENT_OUTPUTS: {
    statuses: [400],
    section: 'Payments',
    cause: 'A recipient charges a fee, and there is no output for it.',
    cure: 'Add one output for each message to such a recipient.',
  },
  ERR_INSUFFICIENT_OUTPUTS: {
    statuses: [400],
    section: 'Payments',
    cause: 'There are fewer outputs than messages to recipients who charge a fee.',
    cure: 'As above.',
  },
  ERR_INVALID_PAYMENT: {
    statuses: [400],
    section: 'Payments',
    cause: 'The payment or its transaction is not valid.',
    cure: 'Make a new payment.',
  },
  ERR_PAYMENT_REUSED: {
    statuses: [400],
    section: 'Payments',
    cause: 'The transaction has paid for other messages or for another request, or came from another sender.',
    cure: 'Make a new payment.',
  },
  ERR_PAYMENT_NOT_SUPPORTED: {
    statuses: [400],
    section: 'Payments',
    cause: 'The payment has an output for this server, which has no wallet. Or the server takes no payments.',
    cure: 'Tell the operator.',
  },
  ERR_INTERNALIZE_FAILED: {
    statuses: [500],
    section: 'Payments',
    cause: "The payment is valid and recorded, but the server's wallet failed.",
    cure: 'Repeat the same request later.',
  },
  ERR_PAYMENT_REQUIRED: {
    statuses: [402],
    section: 'Prices',
    cause: 'The request has a price, and no payment for it.',
    cure: 'Pay what the headers say; live, send over HTTP.',
  },
  ERR_MALFORMED_PAYMENT: {
    statuses: [400],
    section: 'Prices',
    cause: "The header `x-bsv-payment` can't be read.",
    cure: 'Send JSON of `derivationPrefix`, `derivationSuffix` and `transaction`.',
  },
  ERR_INVALID_DERIVATION_PREFIX: {
    statuses: [400],
    section: 'Prices',
    cause: "The payment's `derivationPrefix` was made for another identity, or not by this server, or a day ago.",
    cure: 'Ask again without a payment.',
  },
  ERR_PAYMENT_FAILED: {
    statuses: [400],
    section: 'Prices',
    cause: 'The payment for the request is not valid, or does not pay this server.',
    cure: 'Make a new payment.',
  },
  ERR_WEBSOCKET_INVALID_ROOM: {
    statuses: [400],
    section: 'Rooms',
    cause: "The room is not `KEY-box`, or its name can't be used live.",
    cure: 'Name another room, or list the box.',
  },
  ERR_WEBSOCKET_ROOM_NOT_OWNED: {
    statuses: [403],
    section: 'Rooms',
    cause: 'The room belongs to another identity.',
    cure: 'Join your own.',
  },
  ERR_TOO_MANY_ROOMS: {
    statuses: [429],
    section: 'Rooms',
    cause: 'The connection is in `MAX_ROOMS_PER_SOCKET` (1,000) rooms.',
    cure: 'Leave some, or open another connection.',
  },
  ERR_TOO_MANY_SOCKETS: {
    statuses: [429],
    section: 'Rooms',
    cause: 'The room has `MAX_SOCKETS_PER_ROOM` (25) connections on one realtime instance.',
    cure: 'Close some, or list the box.',
  },
  ERR_TOO_MANY_REPLAYS: {
    statuses: [429],
    section: 'Rooms',
    cause: 'The connection has 4 replays in progress, or the identity 16 on one realtime instance.',
    cure: 'Wait for `roomRecovered`, or list the box.',
  },
  ERR_MESSAGEBOX_REQUIRED: {
    statuses: [400],
    section: 'Listing and acknowledging',
    cause: '`messageBox` is missing.',
    cure: 'Name a box.',
  },
  ERR_INVALID_LIMIT: {
    statuses: [400],
    section: 'Listing and acknowledging',
    cause: '`limit` is not a whole number in the allowed range.',
    cure: 'Omit it, or fix it.',
  },
  ERR_INVALID_OFFSET: {
    statuses: [400],
    section: 'Listing and acknowledging',
    cause: '`offset` is not a whole number from 0 to 100,000, or `skip` differs from it.',
    cure: 'Omit it, or fix it; acknowledge, then list again.',
  },
  ERR_INVALID_AFTER: {
    statuses: [400],
    section: 'Listing and acknowledging',
    cause:
      '`after` is not a value of `next`, or is used with `offset`. Live: `joinRoom {roomId, after}` without a cursor.',
    cure: 'Use the value of the previous response, and only one of the two.',
  },
  ERR_INVALID_COUNT_ONLY: {
    statuses: [400],
    section: 'Listing and acknowledging',
    cause: '`countOnly` is neither `true` nor `false`, or is used with `messageId`.',
    cure: 'Fix it, or omit one of the two.',
  },
  ERR_MESSAGE_ID_REQUIRED: {
    statuses: [400],
    section: 'Listing and acknowledging',
    cause: '`messageIds` is missing or empty.',
    cure: 'Give the ids.',
  },
  ERR_INVALID_MESSAGE_ID: {
    statuses: [400],
    section: 'Listing and acknowledging',
    cause: '`messageIds` is not a list, or an id is not valid.',
    cure: 'Send the ids as they were listed.',
  },
  ERR_TOO_MANY_MESSAGE_IDS: {
    statuses: [400],
    section: 'Listing and acknowledging',
    cause: 'There are more ids than `MAX_ACKNOWLEDGED_IDS` (1,000), or more than 1,000 for `/sentStatus`.',
    cure: 'Acknowledge or ask in parts.',
  },
  ERR_INVALID_ACKNOWLEDGMENT: {
    statuses: [400],
    section: 'Listing and acknowledging',
    cause: 'None of the messages exists: they were acknowledged before, or belong to somebody else.',
    cure: 'Nothing; they are acknowledged.',
  },
  ERR_INVALID_REQUEST: {
    statuses: [400],
    section: 'Permissions, quotes and fees',
    cause: '`messageBox` or the fee is missing, the fee is not a number, or the query is not valid.',
    cure: 'Give both; fix the query.',
  },
  ERR_MISSING_PARAMETERS: {
    statuses: [400],
    section: 'Permissions, quotes and fees',
    cause: '`messageBox` is missing, or a quote has no recipient.',
    cure: 'Give them.',
  },
  ERR_INVALID_PUBLIC_KEY: {
    statuses: [400],
    section: 'Permissions, quotes and fees',
    cause: '`sender`, or a recipient of a quote or of `/sentStatus`, is not a public key.',
    cure: 'Check the key.',
  },
  ERR_INVALID_FEE_VALUE: {
    statuses: [400],
    section: 'Permissions, quotes and fees',
    cause: '`recipientFee` is not a whole number from -1 to 2^31 - 1 (`deliveryFee`: from 0).',
    cure: 'Fix the fee.',
  },
  ERR_INVALID_RECEIPTS: {
    statuses: [400],
    section: 'Permissions, quotes and fees',
    cause: '`receipts` is neither `true` nor `false` nor null.',
    cure: 'Omit it, or fix it.',
  },
  ERR_TOO_MANY_PERMISSIONS: {
    statuses: [429],
    section: 'Permissions, quotes and fees',
    cause: 'The identity has `MAX_PERMISSIONS_PER_IDENTITY` (10,000) permissions, and this is a new one.',
    cure: 'Change an existing one, or set one for the whole box.',
  },
  ERR_INVALID_MESSAGE_BOX: {
    statuses: [400],
    section: 'Permissions, quotes and fees',
    cause: '`messageBox` is not one string of 1 to 255 characters.',
    cure: 'Choose another name.',
  },
  ERR_INVALID_ORDER: {
    statuses: [400],
    section: 'Permissions, quotes and fees',
    cause: '`createdAtOrder` is neither `asc` nor `desc`.',
    cure: 'Omit it, or fix it.',
  },
  ERR_INVALID_TOPICS: {
    statuses: [400],
    section: 'The overlay',
    cause: "The header `x-topics` is missing or can't be read.",
    cure: 'Fix the header.',
  },
  ERR_UNKNOWN_TOPIC: {
    statuses: [400],
    section: 'The overlay',
    cause: 'One of the topics is not served here.',
    cure: 'See `/listTopicManagers`.',
  },
  ERR_INVALID_TRANSACTION: {
    statuses: [400],
    section: 'The overlay',
    cause: 'The transaction is not valid; the description says why.',
    cure: 'Fix the transaction.',
  },
  ERR_DOUBLE_SPEND: {
    statuses: [409],
    section: 'The overlay',
    cause: 'A transaction that was submitted before spends the same output.',
    cure: 'Submit it again with its merkle path, once it is in a block.',
  },
  ERR_UNKNOWN_LOOKUP_SERVICE: {
    statuses: [400],
    section: 'The overlay',
    cause: 'The lookup service is not served here.',
    cure: 'See `/listLookupServiceProviders`.',
  },
  ERR_INVALID_QUERY: {
    statuses: [400],
    section: 'The overlay',
    cause: 'The query, or a part of it, has a wrong type or is too long.',
    cure: 'See `/getDocumentationForLookupServiceProvider`.',
  },
  ERR_INVALID_SYNC_REQUEST: {
    statuses: [400],
    section: 'The overlay',
    cause: "The request of another host can't be read, or uses another version of GASP.",
    cure: 'Fix the client.',
  },
  ERR_UNKNOWN_OUTPUT: {
    statuses: [404],
    section: 'The overlay',
    cause: 'The output is not stored here, or does not depend on that transaction.',
    cure: 'Nothing; it may have been spent.',
  },
  ERR_CHAIN_UNAVAILABLE: {
    statuses: [503],
    section: 'The overlay',
    cause: 'The chain could not be asked, or too many payments are in progress.',
    cure: 'Repeat the same request after `Retry-After`.',
  },
  ERR_INVALID_FCM_TOKEN: {
    statuses: [400],
    section: 'Devices',
    cause: '`fcmToken` is missing, or not a string of 1 to 2,000 ASCII characters without spaces.',
    cure: 'Send the token as Firebase gave it.',
  },
  ERR_INVALID_SUBSCRIPTION: {
    statuses: [400],
    section: 'Devices',
    cause:
      'A field of `subscription` is missing or wrong, or there is an `fcmToken` beside it. The `endpoint` must be an https URL of a public host on port 443, of up to 2,000 characters; `keys.p256dh` a point of P-256 (65 bytes) and `keys.auth` 16 bytes, in base64url.',
    cure: 'Send what `PushSubscription.toJSON()` of the browser gives.',
  },
  ERR_INVALID_DEVICE_ID: {
    statuses: [400],
    section: 'Devices',
    cause: '`deviceId` is not a string of up to 255 characters.',
    cure: 'Omit it, or fix it.',
  },
  ERR_INVALID_PLATFORM: {
    statuses: [400],
    section: 'Devices',
    cause: '`platform` is none of `ios`, `android`, `web`; with a `subscription`, it is not `web`.',
    cure: 'Omit it, or fix it.',
  },
  ERR_TOO_MANY_IDENTITIES: {
    statuses: [429],
    section: 'Devices',
    cause:
      '20 identities have registered this `fcmToken`, each of them is active, and was renewed or pushed to within 60 days.',
    cure: 'Unregister one of them with `POST /unregisterDevice`, or get a new token from Firebase.',
  },
  ERR_IDENTITY_BLOCKED: {
    statuses: [403],
    section: 'Accounts',
    cause: 'An operator of this server has blocked the identity.',
    cure: 'Ask the operator.',
  },
  ERR_NOT_CONFIRMED: {
    statuses: [400],
    section: 'Accounts',
    cause: "`confirm` of `POST /account/delete` is not the caller's own key. Nothing was deleted.",
    cure: 'Send your identity key.',
  },
  ERR_NOT_ADMIN: {
    statuses: [403],
    section: 'Operators',
    cause: 'The identity is not in `ADMIN_IDENTITY_KEYS`.',
    cure: 'Operators: add the key and restart.',
  },
  ERR_JOB_NOT_FAILED: {
    statuses: [409],
    section: 'Operators',
    cause: 'Only a failed job can be retried.',
    cure: 'Look at its state.',
  },
  ERR_IDENTITY_IS_OPERATOR: {
    statuses: [409],
    section: 'Operators',
    cause: 'The identity to be blocked is in `ADMIN_IDENTITY_KEYS`.',
    cure: 'Take the key out first.',
  },
  ERR_TOO_MANY_BLOCKED: {
    statuses: [409],
    section: 'Operators',
    cause: '10,000 identities are blocked.',
    cure: 'Unblock others.',
  },
  ERR_INSTANCES_UNAVAILABLE: {
    statuses: [503],
    section: 'Operators',
    cause: 'Redis, which knows the instances, does not answer.',
    cure: 'Repeat after `Retry-After`.',
  },
  ERR_JOB_NOT_FOUND: {
    statuses: [404],
    section: 'Operators',
    cause: 'There is no such job, or it finished long ago.',
    cure: 'Check the id; the log says how old jobs ended.',
  },
  ERR_JOBS_UNAVAILABLE: {
    statuses: [503],
    section: 'Operators',
    cause: 'Redis does not answer, or the queue is full.',
    cure: 'Repeat after `Retry-After`.',
  },
  ERR_STORE_UNAVAILABLE: {
    statuses: [503],
    section: 'The server',
    cause: "The database does not answer, or permissions and fees can't be read.",
    cure: 'Repeat after `Retry-After`, with the same message ids.',
  },
  ERR_OVERLOADED: {
    statuses: [503],
    section: 'The server',
    cause: 'The overlay has too much work or data, or four accounts are being exported or deleted. Nothing was done.',
    cure: 'Repeat after `Retry-After`.',
  },
  ERR_UNAVAILABLE: {
    statuses: [502, 503, 504],
    section: 'The server',
    cause: 'The proxy could not reach an instance, or the instance stopped before it answered.',
    cure: 'Repeat, with the same message ids.',
  },
  ERR_STOPPING: {
    statuses: [503],
    section: 'The server',
    cause: 'This realtime instance is stopping and takes no new connections.',
    cure: 'Connect again.',
  },
  ERR_UNAUTHORIZED: {
    statuses: [401],
    section: 'The server',
    cause: '`POST /migrate` with a wrong key, or on a server without `MIGRATE_KEY`.',
    cure: 'Operators: check the key.',
  },
  ERR_INTERNAL: {
    statuses: [500],
    section: 'The server',
    cause: 'The server has a fault. Its log has a line at error level.',
    cure: 'Repeat later; report it.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

/** One of the codes of {@link errorCatalogue}. */
export type ErrorCode = keyof typeof errorCatalogue;
