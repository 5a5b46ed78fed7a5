import path from 'node:path';
import { z } from 'zod';
import type { QuotaLimits } from '../quotas/index.js';
import type { StoreConfig } from '../store/index.js';
import { ConfigError } from './config-error.js';
import { type Limits, limitsOf } from './limits.js';
import { secretVariables, variables } from './variables.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Network = 'main' | 'test' | 'local';

export interface Config {
  readonly nodeEnv: 'development' | 'staging' | 'production' | 'test';
  readonly debug: boolean;
  /** Undefined: all interfaces. */
  readonly host: string | undefined;
  /** Undefined: the service's own default. 0: any free port. */
  readonly port: number | undefined;
  /** Port for metrics and for other instances. Undefined: none. */
  readonly internalPort: number | undefined;
  readonly internalHost: string | undefined;
  /** The host name or address by which other instances reach that port. Undefined: found out. */
  readonly internalAddress: string | undefined;
  /** '' or a path that begins with a slash and ends with none. */
  readonly routingPrefix: string;
  /** How many proxies in front may be believed about the client's address. */
  readonly trustedProxies: number;
  /** 32 bytes. Undefined only where a service may make its own (standalone, not in production). */
  readonly serverPrivateKey: Uint8Array | undefined;
  readonly sessions: {
    readonly secrets: readonly Uint8Array[] | undefined;
    readonly lifeMs: number;
    readonly socketMaxMs: number;
  };
  /** Undefined: no database is named, and the service decides whether the embedded one will do. */
  readonly store: StoreConfig | undefined;
  readonly dataDir: string;
  /** Undefined: one process, room events stay in it. */
  readonly redis: { readonly url: string; readonly prefix: string } | undefined;
  readonly websockets: boolean;
  /** `local` is a play chain in our own database, for development and tests. */
  readonly network: Network;
  /** As given; whether it can be advertised is for the overlay to say. */
  readonly hostingDomain: string | undefined;
  readonly walletStorageUrl: string | undefined;
  /** Who may use the operator's routes: 66 lower-case hex characters each. */
  readonly adminIdentityKeys: readonly string[];
  readonly overlay: {
    /** Origins of SLAP trackers. Undefined: the network's usual ones. */
    readonly slapTrackers: readonly string[] | undefined;
    /** Origins of hosts to synchronise with, besides those that are found. */
    readonly peers: readonly string[];
    readonly reconcileMs: number;
    readonly syncMs: number;
  };
  /** Undefined: nothing is pushed to devices. What a service needs of the rest, it asks for. */
  readonly push:
    | {
        readonly projectId: string | undefined;
        /** The service account's key file, as JSON; wins over the path. */
        readonly serviceAccountJson: string | undefined;
        readonly serviceAccountPath: string | undefined;
      }
    | undefined;
  readonly limits: Limits;
  /** What may be stored at a time. */
  readonly quotas: QuotaLimits;
  /** Authorises `POST /migrate`. */
  readonly migrateKey: string | undefined;
  /** How long a socket may stay without having proven an identity. */
  readonly socketAuthMs: number;
  readonly shutdownGraceMs: number;
}

/**
 * Turns an environment into a checked configuration. Reads nothing else.
 *
 * @throws {ConfigError} with one line for each variable that is wrong
 */
export function readConfig(env: Environment): Config {
  const given = Object.fromEntries(
    Object.keys(variables).map((name) => [name, env[name] === '' ? undefined : env[name]]),
  );
  const read = z.object(variables).safeParse(given);
  if (!read.success) throw new ConfigError(linesOf(read.error.issues, env));
  const v = read.data;
  return {
    nodeEnv: v.NODE_ENV,
    debug: v.LOGGING_ENABLED,
    host: v.HOST,
    port: v.PORT,
    internalPort: v.INTERNAL_PORT,
    internalHost: v.INTERNAL_HOST,
    internalAddress: v.INTERNAL_ADDRESS,
    routingPrefix: v.ROUTING_PREFIX,
    trustedProxies: v.TRUST_PROXY,
    serverPrivateKey: v.SERVER_PRIVATE_KEY,
    sessions: {
      secrets: v.SESSION_SECRETS,
      lifeMs: v.SESSION_LIFE_SECONDS,
      socketMaxMs: v.SOCKET_SESSION_MAX_SECONDS,
    },
    store: storeConfig(v.KNEX_DB_CLIENT, v.KNEX_DB_CONNECTION, v.DB_POOL_SIZE),
    dataDir: path.resolve(v.DATA_DIR),
    redis: v.REDIS_URL === undefined ? undefined : { url: v.REDIS_URL, prefix: v.REDIS_PREFIX },
    websockets: v.ENABLE_WEBSOCKETS,
    network: networkOf(v.NETWORK, v.BSV_NETWORK, v.NODE_ENV),
    hostingDomain: v.HOSTING_DOMAIN,
    walletStorageUrl: v.WALLET_STORAGE_URL,
    adminIdentityKeys: v.ADMIN_IDENTITY_KEYS,
    overlay: {
      slapTrackers: v.SLAP_TRACKERS,
      peers: v.OVERLAY_PEERS,
      reconcileMs: v.RECONCILE_SECONDS,
      syncMs: v.OVERLAY_SYNC_SECONDS,
    },
    push: v.ENABLE_FIREBASE
      ? {
          projectId: v.FIREBASE_PROJECT_ID,
          serviceAccountJson: v.FIREBASE_SERVICE_ACCOUNT_JSON,
          serviceAccountPath: v.FIREBASE_SERVICE_ACCOUNT_PATH,
        }
      : undefined,
    limits: limitsOf(v),
    quotas: {
      inbox: { messages: v.INBOX_MAX_MESSAGES, bytes: v.INBOX_MAX_BYTES },
      sender: { messages: v.SENDER_MAX_MESSAGES, bytes: v.SENDER_MAX_BYTES },
      pair: { messages: v.PAIR_MAX_MESSAGES, bytes: v.PAIR_MAX_BYTES },
    },
    migrateKey: v.MIGRATE_KEY,
    socketAuthMs: v.SOCKET_AUTH_SECONDS,
    shutdownGraceMs: v.SHUTDOWN_GRACE_SECONDS,
  };
}

const NETWORKS: Readonly<Record<string, Network>> = {
  main: 'main',
  mainnet: 'main',
  test: 'test',
  testnet: 'test',
  regtest: 'local',
  local: 'local',
};

/** Play money must be asked for in production, and real money anywhere else. */
function networkOf(network: string | undefined, bsvNetwork: string | undefined, nodeEnv: string): Network {
  const [named, other] = [network, bsvNetwork].map((name) => (name === undefined ? undefined : NETWORKS[name]));
  if (named !== undefined && other !== undefined && named !== other) {
    throw new ConfigError([`NETWORK is ${network} and BSV_NETWORK is ${bsvNetwork}: set one of them, or both alike`]);
  }
  return named ?? other ?? (nodeEnv === 'production' ? 'main' : 'local');
}

function linesOf(issues: readonly z.core.$ZodIssue[], env: Environment): string[] {
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

function storeConfig(client: string | undefined, connection: unknown, poolSize: number): StoreConfig | undefined {
  if (client === undefined && connection === undefined) return undefined;
  if (client === 'better-sqlite3' || client === 'sqlite3') {
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
