import { randomBytes } from 'node:crypto';
import { openStore } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createMysqlDatabase } from '@messagebox/test-support/with-mysql';
import { getRedisUrl, removeRedisKeys } from '@messagebox/test-support/with-redis';
import { type ServiceProcess, startService } from '../support/service-process.js';

export type Env = Record<string, string>;
export type Deploy = (env?: Env) => Promise<Deployment>;

/** A running MessageBox server, whatever it is made of: two addresses for requests and two for sockets. */
export interface Deployment {
  readonly apis: readonly [string, string];
  readonly realtimes: readonly [string, string];
  /** The overlay's address; none when it was not deployed. */
  readonly overlays: readonly string[];
  readonly processes: {
    readonly apis: readonly [ServiceProcess, ServiceProcess];
    readonly realtimes: readonly [ServiceProcess, ServiceProcess];
    readonly overlays: readonly ServiceProcess[];
  };
  /** The environment that all processes have in common. */
  readonly env: Env;
  /** The database itself, where it is a server; processes may reach it by another way. */
  readonly databaseUrl: string | undefined;
  /** Ends the processes and removes all data. */
  close(): Promise<void>;
}

/** One process with its embedded database: both addresses of each kind are the same. */
export async function deployStandalone(env: Env = {}): Promise<Deployment> {
  const folder = createTemporaryFolder();
  const common = { HOST: '127.0.0.1', DATA_DIR: folder.path, ...env };
  const service = await startService({ name: 'standalone', env: common });
  return createDeployment(
    { apis: [service, service], realtimes: [service, service], overlays: [service] },
    common,
    undefined,
    async () => folder.remove(),
  );
}

/** Settings by which a scaled deployment differs from the usual one. */
export interface ScaledOptions {
  /** More environment variables for one of the realtime processes. */
  readonly realtimes?: readonly [Env, Env];
  /** How many overlay processes; none by default. */
  readonly overlays?: number;
  /** The address of the database for the processes, when a proxy is between. */
  readonly databaseAt?: (databaseUrl: string) => Promise<string>;
}

/** Two api and two realtime processes, and overlays where they are asked for, on a new database and a Redis prefix of their own. */
export async function deployScaled(env: Env = {}, variation: ScaledOptions = {}): Promise<Deployment> {
  const database = await createMysqlDatabase();
  const prefix = `mb_test_${randomBytes(8).toString('hex')}:`;
  const databaseUrl = (await variation.databaseAt?.(database.url)) ?? database.url;
  const common = {
    HOST: '127.0.0.1',
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    KNEX_DB_CLIENT: 'mysql2',
    KNEX_DB_CONNECTION: JSON.stringify(databaseUrl),
    REDIS_URL: getRedisUrl(),
    REDIS_PREFIX: prefix,
    ...env,
  };
  const store = openStore(database.config);
  await store.migrate();
  await store.close();
  const start = (name: 'api' | 'overlay' | 'realtime', more: Env = {}) =>
    startService({ name, env: { ...common, ...more } });
  const [first, second] = variation.realtimes ?? [{}, {}];
  const [api0, api1, realtime0, realtime1] = await Promise.all([
    start('api'),
    start('api'),
    start('realtime', first),
    start('realtime', second),
  ]);
  const overlays = await Promise.all(Array.from({ length: variation.overlays ?? 0 }, () => start('overlay')));
  const processes: Deployment['processes'] = { apis: [api0, api1], realtimes: [realtime0, realtime1], overlays };
  return createDeployment(processes, common, database.url, async () => {
    await database.drop();
    // A test may have given it a Redis of its own, which is gone by now.
    if (common.REDIS_URL === getRedisUrl()) await removeRedisKeys(getRedisUrl(), prefix);
  });
}

type Pair = readonly [ServiceProcess, ServiceProcess];

function createDeployment(
  processes: Deployment['processes'],
  env: Env,
  databaseUrl: string | undefined,
  removeData: () => Promise<void>,
): Deployment {
  const { apis, realtimes, overlays } = processes;
  const urls = (pair: Pair): [string, string] => [pair[0].url, pair[1].url];
  return {
    // Read each time: a restarted process may listen elsewhere.
    get apis() {
      return urls(apis);
    },
    get realtimes() {
      return urls(realtimes);
    },
    get overlays() {
      return overlays.map(({ url }) => url);
    },
    processes,
    env,
    databaseUrl,
    async close() {
      const all = new Set([...apis, ...realtimes, ...overlays]);
      // Not SIGTERM: how they stop in order is a test of its own.
      await Promise.all([...all].map((service) => service.kill()));
      await removeData();
    },
  };
}

/** Deploys for the tests of the surrounding `describe`. */
export function useDeployment(deploy: () => Promise<Deployment>): () => Deployment {
  let running: Deployment | undefined;
  beforeAll(async () => {
    running = await deploy();
  });
  afterAll(async () => {
    await running?.close();
  });
  return () => {
    if (running === undefined) throw new Error('the deployment is not up');
    return running;
  };
}
