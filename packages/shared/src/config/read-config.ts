import path from 'node:path';
import { deriveP256PublicKey, type PriceList, type PushBox, type QuotaLimits } from '@messagebox/messages';
import type { StoreConfig } from '@messagebox/store';
import { z } from 'zod';
import type { LogLevel } from '../logging/log-level.js';
import type { TracingConfig } from '../tracing/tracing-config.js';
import { ConfigError } from './config-error.js';
import { getDefaultText } from './describe-variable.js';
import { hasWallet } from './has-wallet.js';
import { databaseClientAliases, networkAliases, resolveAlias } from './legacy-aliases.js';
import { type Limits, toLimits } from './limits.js';
import { toPriceList } from './prices.js';
import { toTracingConfig } from './tracing.js';
import { toUploadStorageConfig, type UploadStorageConfig } from './uploads.js';
import { secretVariables, variables } from './variables.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Network = 'main' | 'test' | 'local';

export interface Config {
  readonly nodeEnv: 'development' | 'staging' | 'production' | 'test';
  readonly logLevel: LogLevel;
  /** Undefined: nothing is traced. */
  readonly tracing: TracingConfig | undefined;
  /** Undefined: all interfaces. */
  readonly host: string | undefined;
  /** Undefined: the service's own default. 0: any free port. */
  readonly port: number | undefined;
  /** The port for metrics, health and other instances. Undefined: none. */
  readonly internalPort: number | undefined;
  readonly internalHost: string | undefined;
  /** The host name or address under which other instances reach that port. Undefined: found automatically. */
  readonly internalAddress: string | undefined;
  /** '', or a path that begins with a slash and does not end with one. */
  readonly routingPrefix: string;
  /** The number of proxies in front whose `X-Forwarded-For` is trusted. */
  readonly trustedProxies: number;
  /** 32 bytes. Undefined: standalone generates a key, other services and production refuse to start. */
  readonly serverPrivateKey: Uint8Array | undefined;
  readonly sessions: {
    readonly secrets: readonly Uint8Array[] | undefined;
    readonly lifeMs: number;
    readonly socketMaxMs: number;
  };
  /** Undefined: no database is configured. Standalone then uses its embedded one. */
  readonly store: StoreConfig | undefined;
  /** Whether a body for several recipients is stored once. Undefined: as the database's default is. */
  readonly storesBatchBodiesOnce: boolean | undefined;
  /** Messages older than this expire; 0: never. */
  readonly retentionDays: number;
  /** How long it is remembered what became of messages that are gone; 0: not at all. */
  readonly receiptDays: number;
  readonly dataDir: string;
  /** Undefined: one process, which keeps room events, jobs and counts to itself. */
  readonly redis: { readonly url: string; readonly prefix: string } | undefined;
  readonly websockets: boolean;
  /** `local` is a play chain in the server's own database, for development and tests. */
  readonly network: Network;
  /** HOSTING_DOMAIN as given. The overlay checks whether it can be advertised. */
  readonly hostingDomain: string | undefined;
  readonly walletStorageUrl: string | undefined;
  /** The identities that may use the operator routes: 66 lower-case hex characters each. */
  readonly adminIdentityKeys: readonly string[];
  readonly overlay: {
    /** Origins of SLAP trackers. Undefined: the usual trackers of the network. */
    readonly slapTrackers: readonly string[] | undefined;
    /** Origins of hosts to synchronise with, in addition to those that trackers name. */
    readonly peers: readonly string[];
    readonly reconcileMs: number;
    readonly syncMs: number;
  };
  /** Undefined: nothing is pushed to devices. A service that pushes checks the fields that it needs. */
  readonly push:
    | {
        readonly projectId: string | undefined;
        /** The service account's key file, as JSON. It takes precedence over the path. */
        readonly serviceAccountJson: string | undefined;
        readonly serviceAccountPath: string | undefined;
      }
    | undefined;
  /** The boxes that are pushed when anything is. */
  readonly pushBoxes: readonly PushBox[];
  /** Undefined: nothing is pushed to browsers. */
  readonly webPush: WebPushConfig | undefined;
  /** Where push services reach the operator: a mailto: or https: URL. Undefined: see `getVapidSubject`. */
  readonly vapidSubject: string | undefined;
  /** Where uploads are kept. Undefined: none are taken. */
  readonly uploads: UploadStorageConfig | undefined;
  readonly limits: Limits;
  /** Undefined: requests have no price. */
  readonly prices: PriceList | undefined;
  /** Limits on the stored messages. */
  readonly quotas: QuotaLimits;
  /** Authorises `POST /migrate`. */
  readonly migrateKey: string | undefined;
  /** How long a socket may stay open before it has proven an identity. */
  readonly socketAuthMs: number;
  readonly shutdownGraceMs: number;
  /** All variables, for operators to read. No secrets. */
  readonly settings: readonly Setting[];
}

/** The keys of Web Push (RFC 8292). */
export interface WebPushConfig {
  /** An uncompressed point of P-256, 65 bytes in base64url. Browsers need it to subscribe. */
  readonly publicKey: string;
  /** 32 bytes in base64url. Undefined: this service does not push. */
  readonly privateKey: string | undefined;
}

/** A variable and what it is, without secrets. */
export interface Setting {
  readonly name: string;
  /** As given, or the default. Of a secret only `set` or `not set`; null when it is not set and has no default. */
  readonly value: string | null;
  /** Whether the environment gives it. */
  readonly isGiven: boolean;
}

/**
 * Turns an environment into a checked configuration. Reads neither files nor `process.env`.
 *
 * @throws {ConfigError} with one line for each variable that is wrong
 */
export function readConfig(env: Environment): Config {
  const given = Object.fromEntries(
    Object.keys(variables).map((name) => [name, env[name] === '' ? undefined : env[name]]),
  );
  const parsed = z.object(variables).safeParse(given);
  if (!parsed.success) throw new ConfigError(describeIssues(parsed.error.issues, env));
  const values = withDatabasePassword(parsed.data);
  const network = resolveNetwork(values.NETWORK, values.BSV_NETWORK, values.NODE_ENV);
  const prices = toPriceList(values);
  if (prices !== undefined && !hasWallet({ network, walletStorageUrl: values.WALLET_STORAGE_URL })) {
    throw new ConfigError([
      'WALLET_STORAGE_URL is missing: with a PRICE_ variable above 0 the server needs a wallet, or what is paid would be lost',
    ]);
  }
  return {
    nodeEnv: values.NODE_ENV,
    logLevel: values.LOG_LEVEL ?? (values.LOGGING_ENABLED ? 'debug' : 'info'),
    tracing: toTracingConfig(values),
    host: values.HOST,
    port: values.PORT,
    internalPort: values.INTERNAL_PORT,
    internalHost: values.INTERNAL_HOST,
    internalAddress: values.INTERNAL_ADDRESS,
    routingPrefix: values.ROUTING_PREFIX,
    trustedProxies: values.TRUST_PROXY,
    serverPrivateKey: values.SERVER_PRIVATE_KEY,
    sessions: {
      secrets: values.SESSION_SECRETS,
      lifeMs: values.SESSION_LIFE_SECONDS,
      socketMaxMs: values.SOCKET_SESSION_MAX_SECONDS,
    },
    store: parseStoreConfig(values.KNEX_DB_CLIENT, values.KNEX_DB_CONNECTION, values.DB_POOL_SIZE),
    storesBatchBodiesOnce: values.STORE_BATCH_BODIES_ONCE,
    retentionDays: values.RETENTION_DAYS,
    receiptDays: values.RECEIPT_DAYS,
    dataDir: path.resolve(values.DATA_DIR),
    redis: values.REDIS_URL === undefined ? undefined : { url: values.REDIS_URL, prefix: values.REDIS_PREFIX },
    websockets: values.ENABLE_WEBSOCKETS,
    network,
    hostingDomain: values.HOSTING_DOMAIN,
    walletStorageUrl: values.WALLET_STORAGE_URL,
    adminIdentityKeys: values.ADMIN_IDENTITY_KEYS,
    overlay: {
      slapTrackers: values.SLAP_TRACKERS,
      peers: values.OVERLAY_PEERS,
      reconcileMs: values.RECONCILE_SECONDS,
      syncMs: values.OVERLAY_SYNC_SECONDS,
    },
    push: values.ENABLE_FIREBASE
      ? {
          projectId: values.FIREBASE_PROJECT_ID,
          serviceAccountJson: values.FIREBASE_SERVICE_ACCOUNT_JSON,
          serviceAccountPath: values.FIREBASE_SERVICE_ACCOUNT_PATH,
        }
      : undefined,
    pushBoxes: values.PUSH_BOXES,
    webPush: toWebPushConfig(values.VAPID_PUBLIC_KEY, values.VAPID_PRIVATE_KEY),
    vapidSubject: values.VAPID_SUBJECT,
    uploads: toUploadStorageConfig(values),
    limits: toLimits(values),
    prices,
    quotas: {
      inbox: { messages: values.INBOX_MAX_MESSAGES, bytes: values.INBOX_MAX_BYTES },
      sender: { messages: values.SENDER_MAX_MESSAGES, bytes: values.SENDER_MAX_BYTES },
      pair: { messages: values.PAIR_MAX_MESSAGES, bytes: values.PAIR_MAX_BYTES },
    },
    migrateKey: values.MIGRATE_KEY,
    socketAuthMs: values.SOCKET_AUTH_SECONDS,
    shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS,
    settings: describeSettings(given),
  };
}

function describeSettings(given: Environment): Setting[] {
  return Object.entries(variables).map(([name, schema]) => {
    const text = given[name];
    const isGiven = text !== undefined;
    if (secretVariables.has(name)) return { name, value: isGiven ? 'set' : 'not set', isGiven };
    return { name, value: hidePasswords(text) ?? getDefaultText(schema) ?? null, isGiven };
  });
}

/** An address may hold a user and a password. */
function hidePasswords(text: string | undefined): string | undefined {
  return text?.replace(/\/\/[^/@\s,]*@/g, '//…@');
}

type NetworkName = Network | keyof typeof networkAliases;

/** Production uses real money unless another network is named, and every other environment uses play money. */
function resolveNetwork(
  network: NetworkName | undefined,
  bsvNetwork: NetworkName | undefined,
  nodeEnv: string,
): Network {
  const [named, other] = [network, bsvNetwork].map((name) =>
    name === undefined ? undefined : resolveAlias<Network, typeof networkAliases>(networkAliases, name),
  );
  if (named !== undefined && other !== undefined && named !== other) {
    throw new ConfigError([
      `NETWORK is ${network} and BSV_NETWORK is ${bsvNetwork}: set only one of them, or both to the same network`,
    ]);
  }
  return named ?? other ?? (nodeEnv === 'production' ? 'main' : 'local');
}

function describeIssues(issues: readonly z.core.$ZodIssue[], env: Environment): string[] {
  const lines = new Map<string, string>();
  for (const issue of issues) {
    const name = String(issue.path[0]);
    if (lines.has(name)) continue;
    const reason = issue.code === 'invalid_value' ? `must be one of ${issue.values.join(', ')}` : issue.message;
    const value = secretVariables.has(name) ? '' : ` (it is ${JSON.stringify(env[name])})`;
    lines.set(name, `${name} ${reason}${value}`);
  }
  return [...lines.values()];
}

/** @throws {ConfigError} when the keys are no pair */
function toWebPushConfig(publicKey: string | undefined, privateKey: string | undefined): WebPushConfig | undefined {
  if (publicKey === undefined) {
    if (privateKey === undefined) return undefined;
    throw new ConfigError(['VAPID_PRIVATE_KEY is set without VAPID_PUBLIC_KEY: set both']);
  }
  if (privateKey !== undefined && deriveP256PublicKey(privateKey) !== publicKey)
    throw new ConfigError(['VAPID_PUBLIC_KEY is not the public key of VAPID_PRIVATE_KEY']);
  return { publicKey, privateKey };
}

/** Puts DB_PASSWORD into the connection. @throws {ConfigError} when there is no connection to put it into */
function withDatabasePassword<T extends { KNEX_DB_CONNECTION?: unknown; DB_PASSWORD?: string | undefined }>(
  values: T,
): T {
  const { KNEX_DB_CONNECTION: connection, DB_PASSWORD: password } = values;
  if (password === undefined) return values;
  if (typeof connection !== 'object' || connection === null || 'filename' in connection)
    throw new ConfigError(['DB_PASSWORD needs KNEX_DB_CONNECTION as {"host", "port", "user", "database"}']);
  return { ...values, KNEX_DB_CONNECTION: { ...connection, password } };
}

type DatabaseClient = StoreConfig['client'];
type DatabaseClientName = DatabaseClient | keyof typeof databaseClientAliases;

function parseStoreConfig(
  clientName: DatabaseClientName | undefined,
  connection: unknown,
  poolSize: number,
): StoreConfig | undefined {
  if (clientName === undefined && connection === undefined) return undefined;
  const client =
    clientName && resolveAlias<DatabaseClient, typeof databaseClientAliases>(databaseClientAliases, clientName);
  if (client === 'better-sqlite3') {
    const filename = z.object({ filename: z.string().min(1) }).safeParse(connection);
    if (!filename.success)
      throw new ConfigError(['KNEX_DB_CONNECTION must hold {"filename": "…"} for an embedded database']);
    return { client: 'better-sqlite3', filename: filename.data.filename };
  }
  const usable = z
    .union([z.string().regex(/^mysql2?:\/\//), z.looseObject({ host: z.string().optional() })])
    .safeParse(connection);
  if (!usable.success) {
    throw new ConfigError([
      'KNEX_DB_CONNECTION must hold {"host", "port", "user", "password", "database"} or a "mysql://…" string',
    ]);
  }
  return { client: 'mysql2', connection: usable.data, poolSize };
}
