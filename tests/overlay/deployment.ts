import { randomBytes } from 'node:crypto';
import { type Chain, openChain } from '@messagebox/wallet';
import { openStore, type StoreConfig } from '../../packages/shared/src/store/index.js';
import { type ServiceProcess, startService } from '../support/processes.js';
import { createDatabase } from '../support/with-mysql.js';
import { redisUrl, removeKeys } from '../support/with-redis.js';
import { Operator } from './operator.js';

export const ORIGIN = 'https://messagebox-one.com';

/** What overlay workers and an api have in common: a database with the local chain in it, Redis, an operator. */
export interface OverlayDeployment {
  readonly operator: Operator;
  readonly chain: Chain;
  readonly database: StoreConfig;
  /** An api, or a worker: the build, or the one that can be interrupted. Ended with the deployment. */
  start(name: 'api' | 'overlay', env?: Record<string, string>, script?: string): Promise<ServiceProcess>;
  close(): Promise<void>;
}

export async function deployOverlay(env: Record<string, string> = {}): Promise<OverlayDeployment> {
  const operator = new Operator();
  const database = await createDatabase();
  const prefix = `mb_test_${randomBytes(8).toString('hex')}:`;
  const common = {
    HOST: '127.0.0.1',
    INTERNAL_PORT: '0',
    NETWORK: 'local',
    HOSTING_DOMAIN: ORIGIN,
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    KNEX_DB_CLIENT: 'mysql2',
    KNEX_DB_CONNECTION: JSON.stringify(database.url),
    REDIS_URL: redisUrl(),
    REDIS_PREFIX: prefix,
    ADMIN_IDENTITY_KEYS: operator.key,
    ...env,
  };
  const store = openStore(database.config);
  await store.migrate();
  await store.close();
  const chain = openChain({ network: 'local', database: database.config });
  const services: ServiceProcess[] = [];
  return {
    operator,
    chain,
    database: database.config,
    async start(name, more = {}, script) {
      const service = await startService({ name, env: { ...common, ...more }, ...(script ? { script } : {}) });
      services.push(service);
      return service;
    },
    async close() {
      await Promise.all(services.map((service) => service.kill()));
      await chain.close();
      await database.drop();
      await removeKeys(redisUrl(), prefix);
    },
  };
}
