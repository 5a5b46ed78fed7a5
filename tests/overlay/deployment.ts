import { randomBytes } from 'node:crypto';
import { openStore, type StoreConfig } from '@messagebox/store';
import { createMysqlDatabase } from '@messagebox/test-support/with-mysql';
import { getRedisUrl, removeRedisKeys } from '@messagebox/test-support/with-redis';
import { type Chain, createChain } from '@messagebox/wallet';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { Operator } from './operator.js';

export const ORIGIN = 'https://messagebox-one.com';

/** Overlay workers and an api that share a database with the local chain, Redis and an operator. */
export interface OverlayDeployment {
  readonly operator: Operator;
  readonly chain: Chain;
  readonly database: StoreConfig;
  /** Starts an api or a worker, which can be interruptible. It ends with the deployment. */
  start(name: 'api' | 'overlay', env?: Record<string, string>, script?: string): Promise<ServiceProcess>;
  close(): Promise<void>;
}

export async function deployOverlay(env: Record<string, string> = {}): Promise<OverlayDeployment> {
  const operator = new Operator();
  const database = await createMysqlDatabase();
  const prefix = `mb_test_${randomBytes(8).toString('hex')}:`;
  const common = {
    HOST: '127.0.0.1',
    INTERNAL_PORT: '0',
    NETWORK: 'local',
    HOSTING_DOMAIN: ORIGIN,
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    KNEX_DB_CLIENT: 'mysql2',
    KNEX_DB_CONNECTION: JSON.stringify(database.url),
    REDIS_URL: getRedisUrl(),
    REDIS_PREFIX: prefix,
    ADMIN_IDENTITY_KEYS: operator.key,
    ...env,
  };
  const store = openStore(database.config);
  await store.migrate();
  await store.close();
  const chain = createChain({ network: 'local', database: database.config });
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
      await removeRedisKeys(getRedisUrl(), prefix);
    },
  };
}
