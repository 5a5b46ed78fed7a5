import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { Edge, type Group } from '../../rolling/edge.ts';
import { type ManagedServer, startMariadbServer, startRedisServer } from '../../support/managed-servers.ts';
import { createTcpProxy } from '../../support/tcp-proxy.ts';
import { fakeClockEnv } from './clock.ts';
import { DatabaseAdmin } from './database-admin.ts';
import { RedisAdmin } from './redis-admin.ts';
import { Service, type ServiceOptions } from './service.ts';
import type { World } from './world.ts';

/** A database server for all trials of a run. @throws {Error} when none is installed */
export async function startDatabaseServer(): Promise<ManagedServer> {
  const server = await startMariadbServer();
  if (server === undefined) throw new Error('The fault harness needs mariadbd or mysqld.');
  return server;
}

/**
 * Starts two api, two realtime and one overlay process on a new database and a new Redis, behind a load balancer.
 *
 * @param fakeClock the library of `findFakeClock`, when the fault sets clocks
 */
export async function startWorld(database: ManagedServer, fakeClock: string | undefined): Promise<World> {
  const opened: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    const redis = await startRedisServer();
    if (redis === undefined) throw new Error('The fault harness needs redis-server.');
    opened.push(() => redis.close());
    await database.start();
    const databaseAdmin = new DatabaseAdmin(database.url);
    const databaseUrl = await databaseAdmin.createDatabase();
    const store = openStore({ client: 'mysql2', connection: databaseUrl });
    await store.migrate();
    await store.close();

    const folder = createTemporaryFolder();
    opened.push(() => folder.remove());
    const common = {
      HOST: '127.0.0.1',
      SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
      KNEX_DB_CLIENT: 'mysql2',
      NETWORK: 'local',
      INTERNAL_PORT: '0',
      INTERNAL_HOST: '127.0.0.1',
      INTERNAL_ADDRESS: '127.0.0.1',
    };
    const start = async (name: ServiceOptions['name'], index: number): Promise<Service> => {
      const label = `${name} ${index}`;
      const clockFile = fakeClock === undefined ? undefined : join(folder.path, `${name}-${index}.clock`);
      let env: Record<string, string> = common;
      if (fakeClock !== undefined && clockFile !== undefined) {
        writeFileSync(clockFile, '+0\n');
        env = { ...common, ...fakeClockEnv(fakeClock, clockFile) };
      }
      const service = await Service.start({ name, label, env, redisUrl: redis.url, databaseUrl, clockFile });
      opened.push(() => service.close());
      return service;
    };
    const [api0, api1, realtime0, realtime1, overlay] = await Promise.all([
      start('api', 0),
      start('api', 1),
      start('realtime', 0),
      start('realtime', 1),
      start('overlay', 0),
    ]);
    const edge = await Edge.open();
    opened.push(() => edge.close());
    const front = await createTcpProxy({ target: edge.url });
    opened.push(() => front.close());
    const groups: readonly (readonly [Group, Service])[] = [
      ['api', api0],
      ['api', api1],
      ['realtime', realtime0],
      ['realtime', realtime1],
    ];
    for (const [group, { url }] of groups) await edge.add(group, url);
    return {
      redis,
      redisAdmin: new RedisAdmin(redis.url),
      database,
      databaseAdmin,
      apis: [api0, api1],
      realtimes: [realtime0, realtime1],
      overlay,
      services: [api0, api1, realtime0, realtime1, overlay],
      edge,
      front,
      async waitUntilReady() {
        await Promise.all(groups.map(([, { url }]) => edge.ready(url)));
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
