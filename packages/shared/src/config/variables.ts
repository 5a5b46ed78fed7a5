import { z } from 'zod';
import { logLevels } from '../logging/log-level.js';
import { samplerNames } from '../tracing/tracing-config.js';
import { type DescribedVariable, describeVariable, variableDescription } from './describe-variable.js';
import { databaseClientAliases, networkAliases } from './legacy-aliases.js';
import { limitVariables } from './limit-variables.js';
import { pushBoxesSchema } from './push-boxes.js';
import {
  baseUrlSchema,
  flagSchema,
  hexKeySchema,
  jsonSchema,
  listSchema,
  originSchema,
  pairsSchema,
  ratioSchema,
  satoshisSchema,
  secondsSchema,
  vapidPrivateKeySchema,
  vapidPublicKeySchema,
  vapidSubjectSchema,
  wholeNumberSchema,
} from './schemas.js';

/**
 * Every environment variable that the servers read: its schema, its default and its description. `npm run docs` makes
 * docs/configuration.md and .env.example of this table; a test keeps them equal.
 */

const networkSchema = z.enum(['main', 'test', 'local', ...listKeys(networkAliases)]);
/** A hundred years. */
const MAX_RETENTION_DAYS = 36_525;
/** Ten years. */
const MAX_RECEIPT_DAYS = 3_650;
/** A tenth of a coin. */
const MAX_PRICE_SATOSHIS = 10_000_000;
const SATOSHIS = `satoshis, 0 to ${MAX_PRICE_SATOSHIS}, with up to six decimals`;
const TRUE_OR_FALSE = '`true` or `false`';

export const variables = {
  NODE_ENV: describeVariable(z.enum(['development', 'staging', 'production', 'test']).prefault('development'), {
    group: 'process',
    meaning:
      'The environment that the server runs in. With `production`, the server never generates a key, and `NETWORK` defaults to `main`.',
    values: '`development`, `staging`, `production` or `test`',
  }),
  HOST: describeVariable(z.string().optional(), {
    group: 'process',
    meaning: 'The address to listen on.',
    values: 'an IP address or a host name',
    unset: 'all addresses',
    example: '127.0.0.1',
  }),
  PORT: describeVariable(wholeNumberSchema(0, 65535).optional(), {
    group: 'process',
    meaning: 'The port for clients.',
    values: '0 to 65535; 0 takes any free port',
    unset: '8080 (standalone, api), 8081 (realtime), 8082 (overlay)',
    example: '8080',
  }),
  INTERNAL_PORT: describeVariable(wholeNumberSchema(0, 65535).optional(), {
    group: 'process',
    meaning:
      'The port for operators (`/metrics` for Prometheus, `/health/`) and for other realtime instances. Keep this port away from the internet.',
    values: '0 to 65535; 0 takes any free port',
    unset: 'no internal port',
    example: '9464',
  }),
  INTERNAL_HOST: describeVariable(z.string().optional(), {
    group: 'process',
    meaning: 'The address that the internal port listens on.',
    values: 'an IP address or a host name',
    unset: 'all addresses',
    example: '127.0.0.1',
  }),
  INTERNAL_ADDRESS: describeVariable(z.string().optional(), {
    group: 'process',
    meaning: 'The address under which other instances reach the internal port.',
    values: 'an IP address or a host name',
    unset: '`INTERNAL_HOST`, or the first address of this machine',
    example: '10.0.0.7',
  }),
  ROUTING_PREFIX: describeVariable(
    z
      .string()
      .regex(/^(\/[A-Za-z0-9._~-]+)*\/?$/, 'must be a path such as /api')
      .transform((path) => path.replace(/\/$/, ''))
      // The overlay and socket.io have their own routes below these paths.
      .refine((path) => !/^\/(development|socket\.io|\.well-known|health)(\/|$)/.test(path), 'is taken by other routes')
      .prefault(''),
    {
      group: 'process',
      meaning: 'The path prefix of the message routes and of `/socket.io/`. Overlay routes stay at the root.',
      values: 'a path such as `/api`',
      unset: 'no prefix',
      example: '/api',
    },
  ),
  TRUST_PROXY: describeVariable(wholeNumberSchema(0, 16).prefault('0'), {
    group: 'process',
    meaning: 'The number of proxies in front of the server whose `X-Forwarded-For` is trusted for the client address.',
    values: '0 to 16',
  }),
  ENABLE_WEBSOCKETS: describeVariable(flagSchema.prefault('true'), {
    group: 'process',
    meaning: 'Whether messages are delivered live, through socket.io.',
    values: TRUE_OR_FALSE,
  }),
  LOGGING_ENABLED: describeVariable(flagSchema.prefault('false'), {
    group: 'process',
    meaning: 'Whether debug lines are logged, among them one for each request. `LOG_LEVEL` says it more exactly.',
    values: TRUE_OR_FALSE,
  }),
  LOG_LEVEL: describeVariable(z.enum(logLevels).optional(), {
    group: 'process',
    meaning:
      'Lines below this level are not logged. `debug` has one for each request. It takes precedence over `LOGGING_ENABLED`.',
    values: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`',
    unset: '`info`, or `debug` with `LOGGING_ENABLED=true`',
    example: 'info',
  }),
  SHUTDOWN_GRACE_SECONDS: describeVariable(secondsSchema(0, 600).prefault('20'), {
    group: 'process',
    meaning: 'How long a stopping process may take to finish its work.',
    values: 'seconds, 0 to 600',
  }),

  SERVER_PRIVATE_KEY: describeVariable(hexKeySchema.optional(), {
    group: 'identity',
    meaning:
      'The private key of the server’s identity. All instances need the same key. Make one with `openssl rand -hex 32`.',
    values: '64 hexadecimal characters',
    unset: 'standalone generates a key in `DATA_DIR`, but not in production; other services do not start',
  }),
  SESSION_SECRETS: describeVariable(
    z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(hexKeySchema).min(1))
      .optional(),
    {
      group: 'identity',
      meaning:
        'Secrets that authenticate session nonces. The server makes nonces with the first secret and accepts those of every secret. To rotate: append the new secret on all instances, then move it to the front on all instances, then drop the old one after `SOCKET_SESSION_MAX_SECONDS`.',
      values: 'secrets of 64 hexadecimal characters, separated by commas without spaces',
      unset: 'one secret, derived from `SERVER_PRIVATE_KEY`',
    },
  ),
  SESSION_LIFE_SECONDS: describeVariable(secondsSchema(1, 86_400).prefault('3600'), {
    group: 'identity',
    meaning: 'How long a session is valid over HTTP.',
    values: 'seconds, 1 to 86400',
  }),
  SOCKET_SESSION_MAX_SECONDS: describeVariable(secondsSchema(1, 2_592_000).prefault('604800'), {
    group: 'identity',
    meaning:
      'The maximum age of a session on a socket. A socket renews its session while it is connected, so only a client that was away for longer has to authenticate again.',
    values: 'seconds, 1 to 2592000 (30 days)',
  }),
  SOCKET_AUTH_SECONDS: describeVariable(secondsSchema(1, 3_600).prefault('60'), {
    group: 'identity',
    meaning: 'How long a socket may take to prove an identity. After that it is closed.',
    values: 'seconds, 1 to 3600',
  }),
  ADMIN_IDENTITY_KEYS: describeVariable(
    listSchema
      .pipe(
        z.array(z.string().regex(/^0[23][0-9a-fA-F]{64}$/, 'must be comma-separated public keys of 66 hex characters')),
      )
      .transform((keys) => keys.map((key) => key.toLowerCase()))
      .prefault(''),
    {
      group: 'identity',
      meaning: 'The identities that may use the operator routes below `/admin/` and `/overlay/`.',
      values: 'public keys of 66 hexadecimal characters, comma-separated',
      unset: 'nobody may use these routes',
    },
  ),

  KNEX_DB_CLIENT: describeVariable(
    z.enum(['mysql2', 'better-sqlite3', ...listKeys(databaseClientAliases)]).optional(),
    {
      group: 'database',
      meaning: 'The database driver.',
      values: '`mysql2` (MySQL 8.4 or newer, MariaDB 10.11 or newer) or `better-sqlite3` (SQLite)',
      unset: '`mysql2` when `KNEX_DB_CONNECTION` is set',
      example: 'mysql2',
    },
  ),
  KNEX_DB_CONNECTION: describeVariable(jsonSchema.optional(), {
    group: 'database',
    meaning: 'The connection to the database. Any option of the driver is allowed.',
    values: 'JSON: an object, or a `"mysql://…"` string; for `better-sqlite3`: `{"filename":"…"}`',
    unset: 'standalone keeps a SQLite file in `DATA_DIR`; other services do not start',
    example: '{"host":"127.0.0.1","port":3306,"user":"root","password":"","database":"messagebox"}',
  }),
  DB_PASSWORD: describeVariable(z.string().optional(), {
    group: 'database',
    meaning:
      'The password of the database’s user, with any characters and without quotes or escapes of JSON. It takes the place of `password` in `KNEX_DB_CONNECTION`, which must be an object then.',
    values: 'a password',
    unset: '`password` of `KNEX_DB_CONNECTION`',
  }),
  DB_POOL_SIZE: describeVariable(wholeNumberSchema(1, 500).prefault('10'), {
    group: 'database',
    meaning: 'The maximum number of MySQL connections of one process.',
    values: '1 to 500',
  }),
  STORE_BATCH_BODIES_ONCE: describeVariable(flagSchema.optional(), {
    group: 'database',
    meaning:
      'Whether a body of 4 KB or more that one send has for several recipients is stored once. Set it for all services when no instance of an older version is left, which would list such messages with an empty body.',
    values: TRUE_OR_FALSE,
    unset: '`true` with SQLite, `false` with MySQL and MariaDB',
  }),
  RETENTION_DAYS: describeVariable(wholeNumberSchema(0, MAX_RETENTION_DAYS).prefault('0'), {
    group: 'database',
    meaning:
      'Messages that were stored longer ago than this expire: they are not listed any more, and are removed. A message that carries a payment stays until it is acknowledged. Set it for all services.',
    values: `days, 1 to ${MAX_RETENTION_DAYS}, or 0: messages stay until they are acknowledged`,
  }),
  RECEIPT_DAYS: describeVariable(wholeNumberSchema(0, MAX_RECEIPT_DAYS).prefault('7'), {
    group: 'database',
    meaning:
      'How long the server remembers that a message was acknowledged or has expired, for its sender to ask with `POST /sentStatus`. A receipt takes about 40 bytes and holds nothing of the message. Set it for all services.',
    values: `days, 1 to ${MAX_RECEIPT_DAYS}, or 0: nothing is remembered`,
  }),
  DATA_DIR: describeVariable(z.string().min(1).prefault('./data'), {
    group: 'database',
    meaning:
      'The folder where standalone keeps its key and its database, in files that only their owner can read. A new folder is closed to other users; an existing folder keeps its mode.',
    values: 'a path',
  }),
  MIGRATE_KEY: describeVariable(z.string().optional(), {
    group: 'database',
    meaning: 'The key for `POST /migrate` with `{"migratekey": "…"}`, for operators who cannot run `npm run migrate`.',
    values: 'at least 11 characters; a shorter key counts as none',
    unset: '`POST /migrate` is refused',
  }),

  REDIS_URL: describeVariable(
    z
      .string()
      .regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://')
      .optional(),
    {
      group: 'redis',
      meaning:
        'The Redis server. Services in several processes need it. Redis 7 or newer has sharded pub/sub; with an older one every realtime instance receives the events of all rooms.',
      values: 'a URL that begins with `redis://` or `rediss://`',
      unset: 'standalone works without Redis; other services do not start',
      example: 'redis://127.0.0.1:6379',
    },
  ),
  REDIS_PREFIX: describeVariable(
    z
      .string()
      .regex(/^[\w:.-]{1,64}$/, 'must be 1 to 64 letters, digits, _ : . or -')
      .prefault('messagebox'),
    {
      group: 'redis',
      meaning: 'The prefix of every key and channel in Redis.',
      values: '1 to 64 letters, digits, `_`, `:`, `.` or `-`',
    },
  ),

  ...limitVariables,

  NETWORK: describeVariable(networkSchema.optional(), {
    group: 'network',
    meaning: 'The Bitcoin SV network. `local` is a play chain in the server’s own database.',
    values: '`main`, `test` or `local`',
    unset: '`main` when `NODE_ENV` is `production`, else `local`',
    example: 'local',
  }),
  HOSTING_DOMAIN: describeVariable(z.string().optional(), {
    group: 'network',
    meaning: 'The public origin of this server, which the overlay advertises.',
    values: 'an https origin',
    unset: 'nothing is advertised',
    example: 'https://messagebox.example',
  }),
  WALLET_STORAGE_URL: describeVariable(
    z.url({ protocol: /^https?$/, error: 'must be a URL such as https://storage.example' }).optional(),
    {
      group: 'network',
      meaning:
        'The wallet storage where the server’s wallet keeps its records on `main` and `test`. On `local` the wallet is in the database.',
      values: 'an http or https URL',
      unset: 'on `main` and `test` the server has no wallet: it charges no delivery fees and cannot advertise itself',
      example: 'https://storage.example',
    },
  ),
  SLAP_TRACKERS: describeVariable(listSchema.pipe(z.array(originSchema)).optional(), {
    group: 'network',
    meaning: 'The SLAP trackers that are asked for hosts and told about this host.',
    values: 'origins, comma-separated',
    unset: 'the usual trackers of the network; on `local` this server itself',
    example: 'https://tracker.example',
  }),
  OVERLAY_PEERS: describeVariable(listSchema.pipe(z.array(originSchema)).prefault(''), {
    group: 'network',
    meaning: 'Overlay hosts to synchronise with, in addition to those that are found through trackers.',
    values: 'origins, comma-separated',
    unset: 'none',
    example: 'https://peer.example',
  }),
  RECONCILE_SECONDS: describeVariable(secondsSchema(1, 604_800).prefault('3600'), {
    group: 'network',
    meaning: 'How often the server compares its own advertisements with what it should advertise.',
    values: 'seconds, 1 to 604800',
  }),
  OVERLAY_SYNC_SECONDS: describeVariable(secondsSchema(1, 604_800).prefault('3600'), {
    group: 'network',
    meaning: 'How often other overlay hosts are asked for their advertisements.',
    values: 'seconds, 1 to 604800',
  }),

  PRICE_BASE: describeVariable(satoshisSchema(MAX_PRICE_SATOSHIS).prefault('0'), {
    group: 'prices',
    meaning:
      'The [price](fees.md#prices) of a send, in addition to fees. The prices below are added to it, and the sum is rounded up. Set all prices for all services.',
    values: SATOSHIS,
  }),
  PRICE_PER_RECIPIENT: describeVariable(satoshisSchema(MAX_PRICE_SATOSHIS).prefault('0'), {
    group: 'prices',
    meaning: 'The price of each recipient of a send.',
    values: SATOSHIS,
  }),
  PRICE_PER_KIB: describeVariable(satoshisSchema(MAX_PRICE_SATOSHIS).prefault('0'), {
    group: 'prices',
    meaning: 'The price of 1,024 bytes of a send’s request body.',
    values: SATOSHIS,
  }),
  PRICE_PER_MIB_MONTH: describeVariable(satoshisSchema(MAX_PRICE_SATOSHIS).prefault('0'), {
    group: 'prices',
    meaning:
      'The price of storing 1,048,576 bytes for 30 days, for the time of `RETENTION_DAYS`; for 30 days where messages do not expire.',
    values: SATOSHIS,
  }),
  PRICE_PER_LIST_PAGE: describeVariable(satoshisSchema(MAX_PRICE_SATOSHIS).prefault('0'), {
    group: 'prices',
    meaning: 'The price of each response to `POST /listMessages`, rounded up.',
    values: SATOSHIS,
  }),
  PRICE_EXEMPT_ALLOWED: describeVariable(flagSchema.prefault('false'), {
    group: 'prices',
    meaning: 'Whether recipients who have allowed the sender by name cost nothing.',
    values: TRUE_OR_FALSE,
  }),

  ENABLE_FIREBASE: describeVariable(flagSchema.prefault('false'), {
    group: 'push',
    meaning:
      'Whether messages in the boxes of `PUSH_BOXES` are announced to their recipients’ devices through Firebase Cloud Messaging. Set it for all services.',
    values: TRUE_OR_FALSE,
  }),
  PUSH_BOXES: describeVariable(pushBoxesSchema.prefault('notifications'), {
    group: 'push',
    meaning:
      'The boxes whose messages are announced to devices, and what the notification shows. Without a title and a text it shows `New Message` and the message’s id. Set it for all services.',
    values:
      'up to 100 entries, comma-separated: `box`, or `box=Title|Text` such as `payment_inbox=Payment received|Open the app to view it.`',
  }),
  FIREBASE_PROJECT_ID: describeVariable(
    z
      .string()
      .regex(/^[\w.:-]{1,128}$/, 'must be the id of a Firebase project')
      .optional(),
    {
      group: 'push',
      meaning: 'The Firebase project. Only realtime and standalone push to devices, and they need it for that.',
      values: 'the id of a project',
      unset: 'none',
      example: 'my-project',
    },
  ),
  FIREBASE_SERVICE_ACCOUNT_JSON: describeVariable(z.string().optional(), {
    group: 'push',
    meaning:
      'The key file of a service account that may send. Only realtime and standalone need it. It takes precedence over `FIREBASE_SERVICE_ACCOUNT_PATH`.',
    values: 'JSON',
    unset: 'none',
  }),
  FIREBASE_SERVICE_ACCOUNT_PATH: describeVariable(z.string().optional(), {
    group: 'push',
    meaning: 'The path of that key file.',
    values: 'a path',
    unset: 'none',
    example: '/run/secrets/firebase.json',
  }),
  VAPID_PUBLIC_KEY: describeVariable(vapidPublicKeySchema.optional(), {
    group: 'push',
    meaning:
      'The public key by which browsers know this server ([Web Push](device-push.md#web-push), RFC 8292). With it, messages are also announced to browsers. Set it for all services.',
    values: 'a point of P-256, 65 bytes in base64url: `npx web-push generate-vapid-keys` makes a pair',
    unset: 'standalone without Redis makes keys and keeps them in `DATA_DIR`; other services do not push to browsers',
  }),
  VAPID_PRIVATE_KEY: describeVariable(vapidPrivateKeySchema.optional(), {
    group: 'push',
    meaning: 'The private key of `VAPID_PUBLIC_KEY`. Only realtime and standalone need it.',
    values: '32 bytes in base64url',
    unset: 'none',
  }),
  VAPID_SUBJECT: describeVariable(vapidSubjectSchema.optional(), {
    group: 'push',
    meaning: 'Where push services reach the operator of this server. Apple refuses pushes without a real address.',
    values: 'a `mailto:` address or an `https:` URL',
    unset: 'the origin of `HOSTING_DOMAIN`, or an address that does not exist',
    example: 'mailto:operator@messagebox.example',
  }),

  UPLOADS_S3_BUCKET: describeVariable(
    z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
      .optional(),
    {
      group: 'uploads',
      meaning:
        'The bucket of an S3-compatible storage for [uploads](uploads.md): bodies that are too large for a request. `UPLOAD_MAX_BYTES` turns them on.',
      values: 'the name of a bucket',
      unset: 'no uploads are taken',
      example: 'messagebox',
    },
  ),
  UPLOADS_S3_ENDPOINT: describeVariable(baseUrlSchema.optional(), {
    group: 'uploads',
    meaning: 'The address of that storage.',
    values: 'an http or https URL',
    unset: 'that of Amazon S3 in `UPLOADS_S3_REGION`',
    example: 'https://s3.example',
  }),
  UPLOADS_S3_PUBLIC_ENDPOINT: describeVariable(baseUrlSchema.optional(), {
    group: 'uploads',
    meaning: 'The address under which clients reach the storage, where it is another one than for the server.',
    values: 'an http or https URL',
    unset: '`UPLOADS_S3_ENDPOINT`',
    example: 'https://uploads.example',
  }),
  UPLOADS_S3_REGION: describeVariable(
    z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be the name of a region')
      .prefault('us-east-1'),
    {
      group: 'uploads',
      meaning: 'The region of the bucket, which is part of the signatures.',
      values: 'a name such as `eu-central-1`; `auto` for some storages',
    },
  ),
  UPLOADS_S3_ACCESS_KEY_ID: describeVariable(z.string().min(1).optional(), {
    group: 'uploads',
    meaning: 'The key that may put, get and delete objects of the bucket, and nothing else.',
    values: 'the id of an access key',
    unset: 'no uploads are taken',
  }),
  UPLOADS_S3_SECRET_ACCESS_KEY: describeVariable(z.string().min(1).optional(), {
    group: 'uploads',
    meaning: 'The secret of that key.',
    values: 'a secret',
    unset: 'no uploads are taken',
  }),
  UPLOADS_S3_FORCE_PATH_STYLE: describeVariable(flagSchema.prefault('true'), {
    group: 'uploads',
    meaning:
      'Whether the bucket is part of the path, as most storages want it, or of the host name, as Amazon S3 wants it.',
    values: TRUE_OR_FALSE,
  }),

  OTEL_EXPORTER_OTLP_ENDPOINT: describeVariable(baseUrlSchema.optional(), {
    group: 'tracing',
    meaning:
      'Where [traces](monitoring.md#traces) are sent, as OTLP over HTTP in JSON. `/v1/traces` is added. Only with it is OpenTelemetry loaded.',
    values: 'a URL',
    unset: 'nothing is traced',
    example: 'http://127.0.0.1:4318',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: describeVariable(pairsSchema.prefault(''), {
    group: 'tracing',
    meaning: 'Headers of these requests, such as a key for the receiver.',
    values: 'pairs such as `name=value`, separated by commas; values are percent-encoded',
    unset: 'none',
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: describeVariable(wholeNumberSchema(100, 60_000).prefault('10000'), {
    group: 'tracing',
    meaning: 'How long one of these requests may take.',
    values: 'milliseconds, 100 to 60000',
  }),
  OTEL_BSP_SCHEDULE_DELAY: describeVariable(wholeNumberSchema(10, 60_000).prefault('5000'), {
    group: 'tracing',
    meaning: 'How long ended spans wait for others, to be sent together.',
    values: 'milliseconds, 10 to 60000',
  }),
  OTEL_SERVICE_NAME: describeVariable(z.string().max(255).optional(), {
    group: 'tracing',
    meaning: 'The name of the service in traces.',
    values: 'a name',
    unset: '`messagebox-` and the service, such as `messagebox-api`',
    example: 'messagebox-api',
  }),
  OTEL_RESOURCE_ATTRIBUTES: describeVariable(pairsSchema.prefault(''), {
    group: 'tracing',
    meaning: 'More about the process in traces, such as `deployment.environment.name=staging`.',
    values: 'pairs such as `name=value`, separated by commas',
    unset: 'none',
  }),
  OTEL_TRACES_SAMPLER: describeVariable(z.enum(samplerNames).prefault('parentbased_traceidratio'), {
    group: 'tracing',
    meaning:
      'Which traces are recorded. The `parentbased_` ones do as the caller does where a request names a trace, so a client can decide for its own requests.',
    values: samplerNames.map((name) => `\`${name}\``).join(', '),
  }),
  OTEL_TRACES_SAMPLER_ARG: describeVariable(ratioSchema.prefault('1'), {
    group: 'tracing',
    meaning:
      'The share of traces that the `traceidratio` samplers record. With more than 50 requests per second, begin with 0.01.',
    values: '0 to 1',
  }),

  BSV_NETWORK: describeVariable(networkSchema.optional(), {
    group: 'legacy',
    meaning: 'An alias of `NETWORK`. When both are set, they must name the same network.',
    values: '`mainnet`, `testnet` or `local`',
    unset: '`NETWORK` decides',
    example: 'local',
  }),
} as const;

/** All variables but the limits, in the order of the table. */
export function describeVariables(): DescribedVariable[] {
  return Object.entries(variables).flatMap(([name, schema]) => variableDescription(name, schema) ?? []);
}

/** The limits that operators change most often: `.env.example` shows these. */
export const commonLimits: ReadonlySet<keyof typeof limitVariables> = new Set([
  'MAX_BODY_BYTES',
  'LIST_MAX_BYTES',
  'LIVE_MAX_BODY',
  'MAX_RECIPIENTS',
  'INBOX_MAX_MESSAGES',
  'INBOX_MAX_BYTES',
  'SENDER_MAX_MESSAGES',
  'SENDER_MAX_BYTES',
  'PAIR_MAX_MESSAGES',
  'PAIR_MAX_BYTES',
]);

/** Variables whose values must never be printed, not even in an error about them. */
export const secretVariables: ReadonlySet<string> = new Set([
  'SERVER_PRIVATE_KEY',
  'SESSION_SECRETS',
  'KNEX_DB_CONNECTION',
  'DB_PASSWORD',
  'REDIS_URL',
  'MIGRATE_KEY',
  'FIREBASE_SERVICE_ACCOUNT_JSON',
  'VAPID_PRIVATE_KEY',
  'UPLOADS_S3_ACCESS_KEY_ID',
  'UPLOADS_S3_SECRET_ACCESS_KEY',
  'OTEL_EXPORTER_OTLP_HEADERS',
]);

function listKeys<K extends string>(aliases: Readonly<Record<K, string>>): K[] {
  return Object.keys(aliases) as K[];
}
