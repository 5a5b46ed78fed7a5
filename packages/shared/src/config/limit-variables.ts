import { type DescribedLimit, defineGroup, describeLimit, type LimitFacts } from './describe-limit.js';
import { quotaSchema, rateSchema, wholeNumberSchema } from './schemas.js';

/*
 * The limits that an operator may change. `npm run docs` writes the tables of docs/limits.md from these descriptions; a
 * test compares the two.
 */

const MAX = Number.MAX_SAFE_INTEGER;
/** A single PUT of S3 takes no more. */
const MAX_UPLOAD_BYTES = 5_368_709_120;
const countSchema = wholeNumberSchema(1, MAX);
const byteCountSchema = wholeNumberSchema(65_536, MAX);

const TOO_MANY = '429 `ERR_TOO_MANY_REQUESTS`';
const LIVE_REFUSAL = 'the event fails with `ERR_TOO_MANY_REQUESTS`';
const AS_ABOVE = 'as above';
const CLOSED = 'the connection is closed';
const SLOWEST_CLOSED = 'the slowest client’s connection is closed';

const rateLimit = defineGroup('rates');
const requestLimit = defineGroup('requests');
const socketLimit = defineGroup('sockets');
const storageLimit = defineGroup('stored');
const overlayLimit = defineGroup('overlay');

/** A rate that all instances of a service share. */
const sharedRate = (byDefault: string, facts: LimitFacts) =>
  rateLimit(rateSchema, byDefault, { ...facts, isShared: true });

export const limitVariables = {
  RATE_HANDSHAKES_PER_ADDRESS: sharedRate('3000/3s', {
    bounds: 'handshakes over HTTP from one address',
    beyond: TOO_MANY,
    metric: 'handshakes',
  }),
  RATE_FAILURES_PER_ADDRESS: sharedRate('1000/10s', {
    bounds: 'requests from one address, or under one session, that fail to authenticate',
    beyond: TOO_MANY,
    metric: 'failures',
  }),
  RATE_REQUESTS_PER_IDENTITY: sharedRate('10000/10s', {
    bounds: 'HTTP requests of one identity',
    beyond: TOO_MANY,
    metric: 'request_rate',
  }),
  RATE_SENDS_PER_IDENTITY: sharedRate('20000/10s', {
    bounds: 'messages that one identity sends, over HTTP and live; each recipient counts',
    beyond: `${TOO_MANY}; live, \`messageFailed\` and an error ack. Nothing is stored`,
    metric: 'sends',
  }),
  RATE_SENT_BYTES_PER_IDENTITY: sharedRate('2147483648/10s', {
    bounds: 'bytes of those messages’ bodies; each recipient counts. Set at least 64 MB, the largest batch',
    beyond: AS_ABOVE,
    metric: 'sent_bytes',
  }),
  RATE_EVENTS_PER_IDENTITY: sharedRate('20000/10s', {
    bounds:
      'live events of one identity; `authenticated`, `joinRoom` and `leaveRoom` count four times, a `joinRoom` with a replay 40 times, all others once',
    beyond: LIVE_REFUSAL,
    metric: 'events',
  }),
  RATE_NEW_SOCKETS_PER_ADDRESS: sharedRate('3000/3s', {
    bounds: 'new socket connections from one address',
    beyond: TOO_MANY,
    metric: 'new_sockets',
  }),
  RATE_UPLOAD_BYTES_PER_ADDRESS: sharedRate('10737418240/3600s', {
    bounds: 'bytes of uploads that are announced from one address. Set at least `UPLOAD_MAX_BYTES`',
    beyond: TOO_MANY,
    metric: 'upload_bytes',
  }),
  RATE_MIGRATE_ATTEMPTS_PER_ADDRESS: rateLimit(rateSchema, '10/60s', {
    bounds: 'attempts at `POST /migrate` from one address',
    beyond: TOO_MANY,
    metric: 'migrations',
  }),

  MAX_BODY_BYTES: requestLimit(wholeNumberSchema(1_024, 1_073_741_824), '10485760', {
    bounds: 'bytes of one request body',
    beyond: '413 `ERR_BODY_TOO_LARGE`',
    metric: 'body_size',
  }),
  UPLOAD_MAX_BYTES: requestLimit(wholeNumberSchema(0, MAX_UPLOAD_BYTES), '0', {
    bounds:
      'bytes of one [upload](uploads.md). 0 means that no uploads are taken. More than 0 needs `UPLOADS_S3_BUCKET`',
    beyond: '413 `ERR_UPLOAD_TOO_LARGE`',
    metric: 'upload_size',
  }),
  LIST_MAX_BYTES: requestLimit(wholeNumberSchema(1_024, 15_000_000), '15000000', {
    bounds:
      'bytes of messages, as JSON, in one response of `/listMessages`. The default is the maximum: clients refuse more than 16 MiB',
    beyond: 'the response says `hasMore: true` and `next`',
  }),
  MAX_RECIPIENTS: requestLimit(wholeNumberSchema(1, 1_000), '100', {
    bounds: 'recipients of one send or quote',
    beyond: '400 `ERR_TOO_MANY_RECIPIENTS`',
    metric: 'recipients',
  }),
  MAX_ACKNOWLEDGED_IDS: requestLimit(wholeNumberSchema(1, 10_000), '1000', {
    bounds: 'ids in one acknowledgement; known clients send up to 1,000',
    beyond: '400 `ERR_TOO_MANY_MESSAGE_IDS`',
    metric: 'acknowledged_ids',
  }),
  MAX_REQUESTS_UNDER_WAY: requestLimit(countSchema, '2000', {
    bounds: 'requests in progress, shared among addresses',
    beyond: `${TOO_MANY} for the address that holds most`,
    metric: 'requests',
  }),
  MAX_BODY_BYTES_UNDER_WAY: requestLimit(byteCountSchema, '536870912', {
    bounds: 'bytes of the bodies of those requests, shared among addresses. Set several times `MAX_BODY_BYTES`',
    beyond: AS_ABOVE,
    metric: 'body_bytes',
  }),
  MAX_ANSWER_BYTES_HELD: requestLimit(byteCountSchema, '134217728', {
    bounds: 'bytes of lists above 64 KB that are in memory, shared among identities',
    beyond: `${TOO_MANY} for the identity that holds most`,
    metric: 'answer_bytes',
  }),
  MAX_WAITING_WORK_PER_ADDRESS: requestLimit(countSchema, '5000', {
    bounds: 'requests and frames of one address that wait for the event loop. None waits longer than 10 s',
    beyond: `${TOO_MANY}; live, ${CLOSED}`,
    metric: 'waiting_work',
  }),
  MAX_PATH_BYTES: requestLimit(wholeNumberSchema(256, 65_536), '2048', {
    bounds: 'bytes of a request’s path, without the query',
    beyond: '414 `ERR_BAD_REQUEST`',
    metric: 'path_length',
  }),
  MAX_HEADERS: requestLimit(wholeNumberSchema(64, 2_000), '200', {
    bounds: 'header lines of a request',
    beyond: '431 `ERR_BAD_REQUEST`',
    metric: 'header_count',
  }),
  MAX_SIGNED_HEADERS: requestLimit(wholeNumberSchema(16, 2_000), '64', {
    bounds: 'header lines that begin with `x-bsv-`; each is part of the signed data',
    beyond: AS_ABOVE,
    metric: 'header_count',
  }),

  LIVE_MAX_BODY: socketLimit(wholeNumberSchema(1_024, 134_217_728), '2097152', {
    bounds: 'bytes of a body that is sent live. Larger ones go over HTTP',
    beyond: '`messageFailed` and an error ack with `ERR_MESSAGE_TOO_LARGE`',
    metric: 'message_size',
  }),
  MAX_SOCKETS_PER_ADDRESS: socketLimit(countSchema, '12000', {
    bounds: 'sockets from one address',
    beyond: TOO_MANY,
    metric: 'sockets_per_address',
  }),
  MAX_SOCKETS_PER_IDENTITY: socketLimit(countSchema, '300', {
    bounds: 'sockets of one identity',
    beyond: `\`authenticationFailed\`, and ${CLOSED}`,
    metric: 'sockets_per_identity',
  }),
  MAX_SOCKETS_PER_ROOM: socketLimit(countSchema, '25', {
    bounds: 'sockets in one room; a message is signed for each of them',
    beyond: '`joinFailed` with `ERR_TOO_MANY_SOCKETS`',
    metric: 'sockets_in_room',
  }),
  MAX_ROOMS_PER_SOCKET: socketLimit(countSchema, '1000', {
    bounds: 'rooms of one socket',
    beyond: '`joinFailed` with `ERR_TOO_MANY_ROOMS`',
    metric: 'rooms_per_socket',
  }),
  MAX_EVENTS_UNDER_WAY_PER_SOCKET: socketLimit(countSchema, '512', {
    bounds: 'events of one socket that are in progress',
    beyond: LIVE_REFUSAL,
    metric: 'events_under_way',
  }),
  MAX_UNPROVEN_SOCKETS: socketLimit(countSchema, '4000', {
    bounds: 'sockets that have not authenticated yet, shared among addresses',
    beyond: `the socket is refused, or ${CLOSED}`,
    metric: 'unproven_sockets',
  }),
  MAX_UNPROVEN_BYTES: socketLimit(byteCountSchema, '67108864', {
    bounds:
      'bytes that sockets hold before they authenticate, beyond 64 KB each. One socket gets at most half of what is left',
    beyond: `${CLOSED}; a waiting event is refused`,
    metric: 'unproven_bytes',
  }),
  MAX_UNFINISHED_FRAME_BYTES: socketLimit(byteCountSchema, '134217728', {
    bounds:
      'bytes of partly received frames after authentication, beyond 64 KB for each socket, shared among identities',
    beyond: CLOSED,
    metric: 'frame_bytes',
  }),
  MAX_WAITING_BYTES_PER_SOCKET: socketLimit(byteCountSchema, '67108864', {
    bounds: 'bytes that wait for one slow client',
    beyond: CLOSED,
    metric: 'slow_clients',
  }),
  MAX_WAITING_EVENTS_PER_SOCKET: socketLimit(countSchema, '16384', {
    bounds: 'events that wait for one slow client',
    beyond: CLOSED,
    metric: 'slow_clients',
  }),
  MAX_WAITING_BYTES_PER_IDENTITY: socketLimit(byteCountSchema, '134217728', {
    bounds: 'bytes that wait for the slow clients of one identity',
    beyond: SLOWEST_CLOSED,
    metric: 'slow_clients',
  }),
  MAX_WAITING_BYTES: socketLimit(byteCountSchema, '536870912', {
    bounds: 'bytes that wait for all slow clients together',
    beyond: SLOWEST_CLOSED,
    metric: 'slow_clients',
  }),

  INBOX_MAX_MESSAGES: storageLimit(quotaSchema, '10000', {
    bounds: 'messages stored for one recipient, from all senders. 0 means no limit, here and in the next five',
    beyond: '429 `ERR_INBOX_QUOTA_EXCEEDED`',
    metric: 'inbox_quota',
  }),
  INBOX_MAX_BYTES: storageLimit(quotaSchema, '1073741824', {
    bounds: 'bytes of those messages’ bodies',
    beyond: AS_ABOVE,
    metric: 'inbox_quota',
  }),
  SENDER_MAX_MESSAGES: storageLimit(quotaSchema, '10000', {
    bounds: 'messages stored from one sender, for all recipients',
    beyond: '429 `ERR_SENDER_QUOTA_EXCEEDED`',
    metric: 'sender_quota',
  }),
  SENDER_MAX_BYTES: storageLimit(quotaSchema, '1073741824', {
    bounds: 'bytes of those messages’ bodies',
    beyond: AS_ABOVE,
    metric: 'sender_quota',
  }),
  PAIR_MAX_MESSAGES: storageLimit(quotaSchema, '1000', {
    bounds: 'messages stored from one sender for one recipient who has not set a permission for that sender',
    beyond: '429 `ERR_SENDER_QUOTA_EXCEEDED` with `recipient`',
    metric: 'sender_quota',
  }),
  PAIR_MAX_BYTES: storageLimit(quotaSchema, '104857600', {
    bounds: 'bytes of those messages’ bodies',
    beyond: AS_ABOVE,
    metric: 'sender_quota',
  }),
  MAX_PERMISSIONS_PER_IDENTITY: storageLimit(countSchema, '10000', {
    bounds: 'permissions of one identity',
    beyond: '429 `ERR_TOO_MANY_PERMISSIONS`; existing ones can be changed',
    metric: 'permissions',
  }),
  MAX_DEVICES_PER_IDENTITY: storageLimit(wholeNumberSchema(1, 1_000), '50', {
    bounds: 'devices of one identity',
    beyond: 'one is deleted: an inactive one first, else the longest unused',
    metric: 'devices',
  }),
  MAX_RECEIPT_BYTES_PER_SENDER: storageLimit(byteCountSchema, '8388608', {
    bounds:
      'bytes of what is remembered of one sender’s messages that are gone; 64 for each. Half of them at once, the rest over `RECEIPT_DAYS`. Each process counts what it writes',
    beyond: 'no more is remembered: `/sentStatus` says `unknown`',
  }),
  MAX_RECEIPT_BYTES: storageLimit(byteCountSchema, '268435456', {
    bounds: 'bytes of what is remembered of all senders’ messages that are gone',
    beyond: 'the oldest is forgotten, within about ten minutes',
  }),

  MAX_OPEN_UPLOADS_PER_IDENTITY: storageLimit(wholeNumberSchema(1, 1_000), '10', {
    bounds:
      'uploads of one identity that no message names yet, for up to an hour each. Those of messages count for the quotas above',
    beyond: '429 `ERR_TOO_MANY_UPLOADS`',
    metric: 'open_uploads',
  }),
  UPLOADS_MAX_TOTAL_BYTES: storageLimit(quotaSchema, '107374182400', {
    bounds: 'bytes of all uploads together. 0 means no limit',
    beyond: '503 `ERR_UPLOADS_UNAVAILABLE`',
    metric: 'total_uploads',
  }),

  RATE_OVERLAY_SUBMISSIONS_PER_ADDRESS: overlayLimit(rateSchema, '300/60s', {
    bounds: 'submissions from one address',
    beyond: TOO_MANY,
    metric: 'overlay_submissions',
  }),
  RATE_OVERLAY_REQUESTS_PER_ADDRESS: overlayLimit(rateSchema, '3000/3s', {
    bounds: 'other requests from one address. Every 4 KB read or sent for it counts as one more',
    beyond: TOO_MANY,
    metric: 'overlay_requests',
  }),
  OVERLAY_MAX_REQUESTS_UNDER_WAY: overlayLimit(countSchema, '1000', {
    bounds: 'requests in progress at the overlay service, shared among addresses',
    beyond: TOO_MANY,
    metric: 'requests',
  }),
  OVERLAY_MAX_BODY_BYTES_UNDER_WAY: overlayLimit(byteCountSchema, '134217728', {
    bounds: 'bytes of the bodies of those requests, shared among addresses',
    beyond: AS_ABOVE,
    metric: 'body_bytes',
  }),
  OVERLAY_MAX_ANSWER_BYTES_HELD: overlayLimit(byteCountSchema, '67108864', {
    bounds: 'bytes of responses that clients have not read yet',
    beyond: '503 `ERR_OVERLOADED`',
    metric: 'overlay_answer_bytes',
  }),
} as const;

/** All limits, in the order of their table. */
export function describeLimits(): DescribedLimit[] {
  return Object.entries(limitVariables).map(([name, schema]) => describeLimit(name, schema));
}
