import { z } from 'zod';
import { parseUrl } from '../http/parse-url.js';
import { limitVariables } from './limit-variables.js';
import { whole } from './schemas.js';

/**
 * Every environment variable that this software reads: what it means, what is allowed, what it is without a value.
 * `.env.example` and README list the same names, and docs/limits.md those that are limits; tests hold them together.
 */

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const seconds = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number of seconds')
    .transform((text) => Math.round(Number(text) * 1000))
    .refine((ms) => ms >= least * 1000 && ms <= most * 1000, `must be from ${least} to ${most} seconds`);
const hexKey = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex characters (256 bits)')
  .transform((text) => new Uint8Array(Buffer.from(text, 'hex')));
const network = z.enum(['main', 'test', 'regtest', 'mainnet', 'testnet', 'local']);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
/** `https://host[:port]`, no path. */
const origin = z.string().transform((text, context) => {
  const url = parseUrl(text);
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search + url.hash !== '') {
    context.addIssue({ code: 'custom', message: 'must be origins such as https://host.example, with commas' });
    return z.NEVER;
  }
  return url.origin;
});
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
});

export const variables = {
  NODE_ENV: z.enum(['development', 'staging', 'production', 'test']).default('development'),
  HOST: z.string().optional(),
  PORT: whole(0, 65535).optional(),
  INTERNAL_PORT: whole(0, 65535).optional(),
  INTERNAL_HOST: z.string().optional(),
  INTERNAL_ADDRESS: z.string().optional(),
  ROUTING_PREFIX: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)*\/?$/, 'must be a path such as /api')
    .transform((path) => path.replace(/\/$/, ''))
    // Where the overlay and socket.io have paths of their own.
    .refine((path) => !/^\/(development|socket\.io|\.well-known|health)(\/|$)/.test(path), 'is taken by other routes')
    .default(''),
  TRUST_PROXY: whole(0, 16).default(0),

  SERVER_PRIVATE_KEY: hexKey.optional(),
  SESSION_SECRETS: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(hexKey).min(1))
    .optional(),
  SESSION_LIFE_SECONDS: seconds(1, 86_400).default(3_600_000),
  SOCKET_SESSION_MAX_SECONDS: seconds(1, 2_592_000).default(604_800_000),

  MIGRATE_KEY: z.string().optional(),
  KNEX_DB_CLIENT: z.enum(['mysql2', 'mysql', 'better-sqlite3', 'sqlite3']).optional(),
  KNEX_DB_CONNECTION: json.optional(),
  DATA_DIR: z.string().min(1).default('./data'),
  DB_POOL_SIZE: whole(1, 500).default(10),

  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://')
    .optional(),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w:.-]{1,64}$/, 'must be 1 to 64 letters, digits, _ : . or -')
    .default('messagebox'),

  ENABLE_WEBSOCKETS: flag.default(true),
  ...limitVariables,
  SOCKET_AUTH_SECONDS: seconds(1, 3_600).default(60_000),
  SHUTDOWN_GRACE_SECONDS: seconds(0, 600).default(20_000),
  LOGGING_ENABLED: flag.default(false),

  NETWORK: network.optional(),
  BSV_NETWORK: network.optional(),
  HOSTING_DOMAIN: z.string().optional(),
  WALLET_STORAGE_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as https://storage.example' })
    .optional(),
  ADMIN_IDENTITY_KEYS: list
    .pipe(z.array(z.string().regex(/^0[23][0-9a-fA-F]{64}$/, 'must be public keys of 66 hex characters, with commas')))
    .transform((keys) => keys.map((key) => key.toLowerCase()))
    .default([]),
  SLAP_TRACKERS: list.pipe(z.array(origin)).optional(),
  OVERLAY_PEERS: list.pipe(z.array(origin)).default([]),
  RECONCILE_SECONDS: seconds(1, 604_800).default(3_600_000),
  OVERLAY_SYNC_SECONDS: seconds(1, 604_800).default(3_600_000),

  ENABLE_FIREBASE: flag.default(false),
  FIREBASE_PROJECT_ID: z
    .string()
    .regex(/^[\w.:-]{1,128}$/, 'must be the id of a Firebase project')
    .optional(),
  FIREBASE_SERVICE_ACCOUNT_JSON: z.string().optional(),
  FIREBASE_SERVICE_ACCOUNT_PATH: z.string().optional(),
} as const;

/** Values that must never be echoed, not even to say that they are wrong. */
export const secretVariables: ReadonlySet<string> = new Set([
  'SERVER_PRIVATE_KEY',
  'SESSION_SECRETS',
  'KNEX_DB_CONNECTION',
  'REDIS_URL',
  'MIGRATE_KEY',
  'FIREBASE_SERVICE_ACCOUNT_JSON',
]);
