import { z } from 'zod';
import { quota, rate, whole } from './schemas.js';

/**
 * The limits that an operator may change. docs/limits.md is made of what is said here, by `node scripts/limits-doc.mjs`;
 * a test holds the two together.
 */

/** What is said of a limit to operators. */
export interface LimitFacts {
  readonly group: LimitGroup;
  /** What it bounds. */
  readonly bounds: string;
  /** What happens beyond it: status and code, where something is answered. */
  readonly beyond: string;
  /** Its names in `messagebox_limits_hit_total{limit}`. None: it divides work, and refuses nothing. */
  readonly metric: readonly string[];
  /** Whether all instances of a service share it, when there is Redis. Default: it holds for each process. */
  readonly isShared?: true;
}

export const limitGroups = ['rates', 'requests', 'sockets', 'stored', 'overlay'] as const;
export type LimitGroup = (typeof limitGroups)[number];

const facts = z.registry<LimitFacts>();

/** @param byDefault as it would be written in the environment */
function limit<S extends z.ZodType<unknown, string>>(schema: S, byDefault: string, about: LimitFacts) {
  const described = schema.prefault(byDefault as z.input<S>);
  facts.add(described, about);
  return described;
}

const MOST = Number.MAX_SAFE_INTEGER;
const places = whole(1, MOST);
const bytes = whole(65_536, MOST);

const TOO_MANY = '429 `ERR_TOO_MANY_REQUESTS`';
const REFUSED_LIVE = 'an error ack or `joinFailed`, `leaveFailed`, `authenticationFailed` with `ERR_TOO_MANY_REQUESTS`';
const COMES_BACK = 'the slowest client’s connection is closed; it comes back, and lists what it has missed';

export const limitVariables = {
  RATE_HANDSHAKES_PER_ADDRESS: limit(rate, '3000/3s', {
    group: 'rates',
    bounds: 'handshakes over HTTP from one address',
    beyond: TOO_MANY,
    metric: ['handshakes'],
    isShared: true,
  }),
  RATE_FAILURES_PER_ADDRESS: limit(rate, '1000/10s', {
    group: 'rates',
    bounds: 'requests that fail to authenticate, from one address, or under one proven session',
    beyond: TOO_MANY,
    metric: ['failures'],
    isShared: true,
  }),
  RATE_REQUESTS_PER_IDENTITY: limit(rate, '10000/10s', {
    group: 'rates',
    bounds: 'requests of one identity over HTTP',
    beyond: TOO_MANY,
    metric: ['request_rate'],
    isShared: true,
  }),
  RATE_SENDS_PER_IDENTITY: limit(rate, '20000/10s', {
    group: 'rates',
    bounds: 'messages that one identity sends, over HTTP and live; one for each recipient',
    beyond: `${TOO_MANY}; live, \`messageFailed\` and an error ack with this code. Nothing is stored`,
    metric: ['sends'],
    isShared: true,
  }),
  RATE_SENT_BYTES_PER_IDENTITY: limit(rate, '2147483648/10s', {
    group: 'rates',
    bounds:
      'bytes of the bodies of those messages, for each recipient; not below the largest body times its recipients (64 MB)',
    beyond: 'the same',
    metric: ['sent_bytes'],
    isShared: true,
  }),
  RATE_EVENTS_PER_IDENTITY: limit(rate, '20000/10s', {
    group: 'rates',
    bounds:
      'live events of one identity: `authenticated`, `joinRoom` and `leaveRoom` count as four, `sendMessage` and unknown ones as one',
    beyond: REFUSED_LIVE,
    metric: ['events'],
    isShared: true,
  }),
  RATE_NEW_SOCKETS_PER_ADDRESS: limit(rate, '3000/3s', {
    group: 'rates',
    bounds: 'new socket connections from one address',
    beyond: TOO_MANY,
    metric: ['new_sockets'],
    isShared: true,
  }),
  RATE_MIGRATE_ATTEMPTS_PER_ADDRESS: limit(rate, '10/60s', {
    group: 'rates',
    bounds: 'attempts at `POST /migrate` from one address',
    beyond: TOO_MANY,
    metric: ['migrations'],
  }),

  MAX_BODY_BYTES: limit(whole(1_024, 1_073_741_824), '10485760', {
    group: 'requests',
    bounds: 'bytes of a request’s body',
    beyond: '413 `ERR_BODY_TOO_LARGE`',
    metric: ['body_size'],
  }),
  LIST_MAX_BYTES: limit(whole(1_024, 15_000_000), '15000000', {
    group: 'requests',
    bounds:
      'bytes of messages, as JSON, in one answer of `/listMessages`; not above the default, since clients refuse answers above 16 MiB',
    beyond: '`hasMore: true` and `next`',
    metric: [],
  }),
  MAX_RECIPIENTS: limit(whole(1, 1_000), '100', {
    group: 'requests',
    bounds: 'recipients of one send or quote',
    beyond: '400 `ERR_TOO_MANY_RECIPIENTS`',
    metric: ['recipients'],
  }),
  MAX_ACKNOWLEDGED_IDS: limit(whole(1, 10_000), '1000', {
    group: 'requests',
    bounds: 'ids of one acknowledgement; clients are known to send up to 1,000',
    beyond: '400 `ERR_TOO_MANY_MESSAGE_IDS`',
    metric: ['acknowledged_ids'],
  }),
  MAX_REQUESTS_UNDER_WAY: limit(places, '2000', {
    group: 'requests',
    bounds: 'requests under way, shared by address',
    beyond: `${TOO_MANY} for the address that holds most; its oldest unfinished request makes room for an address within its share`,
    metric: ['requests'],
  }),
  MAX_BODY_BYTES_UNDER_WAY: limit(bytes, '536870912', {
    group: 'requests',
    bounds: 'bytes of the bodies of requests under way, shared by address; several times `MAX_BODY_BYTES`',
    beyond: 'the same',
    metric: ['body_bytes'],
  }),
  MAX_ANSWER_BYTES_HELD: limit(bytes, '134217728', {
    group: 'requests',
    bounds:
      'bytes of lists above 64 KB that are read or wait to be taken, shared by identity; one that may be above 1 MiB counts as `LIST_MAX_BYTES` while it is read',
    beyond: `${TOO_MANY}; an identity within its share cuts off the oldest list of the one that holds most`,
    metric: ['answer_bytes'],
  }),
  MAX_WAITING_WORK_PER_ADDRESS: limit(places, '2000', {
    group: 'requests',
    bounds:
      'requests and frames of one address that wait for their turn on the event loop; each waits at most 10 s in any case',
    beyond: `${TOO_MANY}; live, the end of the connection: the client comes back`,
    metric: ['waiting_work'],
  }),
  MAX_PATH_BYTES: limit(whole(256, 65_536), '2048', {
    group: 'requests',
    bounds: 'bytes of a request’s path, without its query',
    beyond: '414 `ERR_BAD_REQUEST`',
    metric: ['path_length'],
  }),
  MAX_HEADERS: limit(whole(64, 2_000), '200', {
    group: 'requests',
    bounds: 'header lines of a request',
    beyond: '431 `ERR_BAD_REQUEST`',
    metric: ['header_count'],
  }),
  MAX_SIGNED_HEADERS: limit(whole(16, 2_000), '64', {
    group: 'requests',
    bounds: 'header lines among them that begin with `x-bsv-`, each of which is part of what is signed',
    beyond: 'the same',
    metric: ['header_count'],
  }),

  LIVE_MAX_BODY: limit(whole(1_024, 134_217_728), '2097152', {
    group: 'sockets',
    bounds: 'bytes of a body that is sent live',
    beyond: '`messageFailed` and an error ack with `ERR_MESSAGE_TOO_LARGE`; it can be sent over HTTP',
    metric: ['message_size'],
  }),
  MAX_SOCKETS_PER_ADDRESS: limit(places, '12000', {
    group: 'sockets',
    bounds: 'sockets from one address',
    beyond: TOO_MANY,
    metric: ['sockets_per_address'],
  }),
  MAX_SOCKETS_PER_IDENTITY: limit(places, '300', {
    group: 'sockets',
    bounds: 'sockets of one identity',
    beyond: '`authenticationFailed`, and the end of the connection',
    metric: ['sockets_per_identity'],
  }),
  MAX_SOCKETS_PER_ROOM: limit(places, '25', {
    group: 'sockets',
    bounds: 'sockets in one room: a message is signed once for each of them',
    beyond: '`joinFailed` with `ERR_TOO_MANY_SOCKETS`',
    metric: ['sockets_in_room'],
  }),
  MAX_ROOMS_PER_SOCKET: limit(places, '1000', {
    group: 'sockets',
    bounds: 'rooms of one socket',
    beyond: '`joinFailed` with `ERR_TOO_MANY_ROOMS`',
    metric: ['rooms_per_socket'],
  }),
  MAX_EVENTS_UNDER_WAY_PER_SOCKET: limit(places, '512', {
    group: 'sockets',
    bounds: 'events of one socket that are being answered',
    beyond: REFUSED_LIVE,
    metric: ['events_under_way'],
  }),
  MAX_UNPROVEN_SOCKETS: limit(places, '4000', {
    group: 'sockets',
    bounds:
      'sockets without a proven identity, shared among addresses: while all places are taken, an address that has fewer than its share gets those of the address that has most, the longest waiting first',
    beyond: 'refused, or the end of a connection that waits',
    metric: ['unproven_sockets'],
  }),
  MAX_UNPROVEN_BYTES: limit(bytes, '67108864', {
    group: 'sockets',
    bounds:
      'bytes of frames and events before the identity is proven, beyond 64 KB of each socket; one socket gets at most half of what is left',
    beyond: 'the end of the connection; for events that wait, a refusal',
    metric: ['unproven_bytes'],
  }),
  MAX_UNFINISHED_FRAME_BYTES: limit(bytes, '134217728', {
    group: 'sockets',
    bounds:
      'bytes of frames that are still coming, of proven identities, beyond 64 KB of each socket; an identity that has less than its share gets that of the one that has most',
    beyond: 'the end of the connection',
    metric: ['frame_bytes'],
  }),
  MAX_WAITING_BYTES_PER_SOCKET: limit(bytes, '67108864', {
    group: 'sockets',
    bounds: 'bytes that wait for one slow client',
    beyond: 'its connection is closed; it comes back, and lists what it has missed',
    metric: ['slow_clients'],
  }),
  MAX_WAITING_EVENTS_PER_SOCKET: limit(places, '16384', {
    group: 'sockets',
    bounds: 'events that wait for one slow client',
    beyond: 'the same',
    metric: ['slow_clients'],
  }),
  MAX_WAITING_BYTES_PER_IDENTITY: limit(bytes, '134217728', {
    group: 'sockets',
    bounds: 'bytes that wait for the slow clients of one identity',
    beyond: COMES_BACK,
    metric: ['slow_clients'],
  }),
  MAX_WAITING_BYTES: limit(bytes, '536870912', {
    group: 'sockets',
    bounds: 'bytes that wait for all slow clients',
    beyond: 'the same',
    metric: ['slow_clients'],
  }),

  INBOX_MAX_MESSAGES: limit(quota, '10000', {
    group: 'stored',
    bounds: 'messages that are kept for one recipient, from anybody; 0 for no bound, here and in the next five',
    beyond: '429 `ERR_INBOX_QUOTA_EXCEEDED`',
    metric: ['inbox_quota'],
  }),
  INBOX_MAX_BYTES: limit(quota, '1073741824', {
    group: 'stored',
    bounds: 'bytes of their bodies',
    beyond: 'the same',
    metric: ['inbox_quota'],
  }),
  SENDER_MAX_MESSAGES: limit(quota, '10000', {
    group: 'stored',
    bounds: 'messages of one sender that are kept for anybody',
    beyond: '429 `ERR_SENDER_QUOTA_EXCEEDED`',
    metric: ['sender_quota'],
  }),
  SENDER_MAX_BYTES: limit(quota, '1073741824', {
    group: 'stored',
    bounds: 'bytes of their bodies',
    beyond: 'the same',
    metric: ['sender_quota'],
  }),
  PAIR_MAX_MESSAGES: limit(quota, '1000', {
    group: 'stored',
    bounds: 'messages of one sender that are kept for one recipient who has not allowed that sender by name',
    beyond: '429 `ERR_SENDER_QUOTA_EXCEEDED` with `recipient`',
    metric: ['sender_quota'],
  }),
  PAIR_MAX_BYTES: limit(quota, '104857600', {
    group: 'stored',
    bounds: 'bytes of their bodies',
    beyond: 'the same',
    metric: ['sender_quota'],
  }),
  MAX_PERMISSIONS_PER_IDENTITY: limit(places, '10000', {
    group: 'stored',
    bounds: 'permissions of one identity',
    beyond: '429 `ERR_TOO_MANY_PERMISSIONS`; those that are there can be changed',
    metric: ['permissions'],
  }),
  MAX_DEVICES_PER_IDENTITY: limit(whole(1, 1_000), '50', {
    group: 'stored',
    bounds: 'devices of one identity',
    beyond: 'the inactive, then the longest unused is forgotten',
    metric: ['devices'],
  }),

  RATE_OVERLAY_SUBMISSIONS_PER_ADDRESS: limit(rate, '300/60s', {
    group: 'overlay',
    bounds: 'submissions from one address',
    beyond: TOO_MANY,
    metric: ['overlay_submissions'],
  }),
  RATE_OVERLAY_REQUESTS_PER_ADDRESS: limit(rate, '3000/3s', {
    group: 'overlay',
    bounds:
      'other requests from one address; each 4 KB of an answer, or read for another host’s question, count as one more',
    beyond: TOO_MANY,
    metric: ['overlay_requests'],
  }),
  OVERLAY_MAX_REQUESTS_UNDER_WAY: limit(places, '1000', {
    group: 'overlay',
    bounds: 'requests under way at the service overlay, shared by address',
    beyond: TOO_MANY,
    metric: ['requests'],
  }),
  OVERLAY_MAX_BODY_BYTES_UNDER_WAY: limit(bytes, '134217728', {
    group: 'overlay',
    bounds: 'bytes of their bodies, shared by address',
    beyond: 'the same',
    metric: ['body_bytes'],
  }),
  OVERLAY_MAX_ANSWER_BYTES_HELD: limit(bytes, '67108864', {
    group: 'overlay',
    bounds: 'bytes of answers that wait to be taken',
    beyond: '503 `ERR_OVERLOADED`',
    metric: ['overlay_answer_bytes'],
  }),
} as const;

/** A limit as docs/limits.md has it. */
export interface DescribedLimit extends LimitFacts {
  readonly name: string;
  /** As it would be written in the environment. */
  readonly byDefault: string;
}

/** All of them, in the order of their table. */
export function describedLimits(): DescribedLimit[] {
  return Object.entries(limitVariables).map(([name, schema]) => {
    const about = facts.get(schema);
    if (about === undefined) throw new Error(`nothing is said of ${name}`);
    return { name, byDefault: String(schema.def.defaultValue), ...about };
  });
}
