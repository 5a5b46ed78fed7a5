import { randomBytes } from 'node:crypto';
import { openStore } from '@messagebox/store';
import { describeWhen } from '@messagebox/test-support/describe-when';
import { type Connection, createConnection } from 'mysql2/promise';
import {
  describeWithManagedMariadb,
  describeWithManagedRedis,
  type ManagedServer,
  startMariadbServer,
  startRedisServer,
} from '../support/managed-servers.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { canMount, createSmallDisk, type SmallDisk } from './small-disk.js';
import { type TroubledDeployment, troubleSuite, troubleWithoutRedisSuite } from './trouble-suite.js';

/** A way in which the database takes no writes. `admin` is a connection that may do everything. */
interface Trouble {
  readonly name: string;
  begin(admin: Connection): Promise<void>;
  end(admin: Connection): Promise<void>;
}

// A server is installed and started, and writes wait for ten seconds; on a busy machine that takes long.
jest.setTimeout(180_000);

const readOnly: Trouble = {
  name: 'is read-only',
  begin: async (admin) => void (await admin.query('SET GLOBAL read_only = 1')),
  end: async (admin) => void (await admin.query('SET GLOBAL read_only = 0')),
};

const silent: Trouble = {
  name: 'leaves writes unanswered',
  begin: async (admin) => void (await admin.query('FLUSH TABLES WITH READ LOCK')),
  end: async (admin) => void (await admin.query('UNLOCK TABLES')),
};

interface Apis {
  readonly mariadb: ManagedServer;
  readonly redis: ManagedServer;
  readonly admin: Connection;
  readonly processes: readonly [ServiceProcess, ServiceProcess];
  close(): Promise<void>;
}

/** Two apis on a database and a Redis of their own. */
async function startApis(options: readonly string[] = []): Promise<Apis> {
  const redis = (await startRedisServer()) as ManagedServer;
  const mariadb = (await startMariadbServer(options)) as ManagedServer;
  const admin = await createConnection({ uri: mariadb.url });
  await admin.query('CREATE DATABASE messagebox');
  // An ordinary user: administrators may write although the server is read-only.
  await admin.query("CREATE USER app@'%'");
  await admin.query("GRANT ALL ON messagebox.* TO app@'%'");
  const url = new URL(`${mariadb.url}/messagebox`);
  url.username = 'app';
  const store = openStore({ client: 'mysql2', connection: url.href });
  await store.migrate();
  await store.close();
  const env = {
    HOST: '127.0.0.1',
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    KNEX_DB_CLIENT: 'mysql2',
    KNEX_DB_CONNECTION: JSON.stringify(url.href),
    REDIS_URL: redis.url,
  };
  const start = () => startService({ name: 'api', env });
  const processes = await Promise.all([start(), start()] as const);
  const close = async () => {
    await Promise.all(processes.map((api) => api.kill()));
    await admin.end();
    await Promise.all([mariadb.close(), redis.close()]);
  };
  return { mariadb, redis, admin, processes, close };
}

/** The same with ways in and out of trouble. */
function inTrouble(apis: () => Apis, trouble: { begin(): Promise<void>; end(): Promise<void> }): TroubledDeployment {
  return {
    get apis(): [string, string] {
      const [first, second] = apis().processes;
      return [first.url, second.url];
    },
    ...trouble,
  };
}

describeWithManagedMariadb('a database', () => {
  describeWithManagedRedis('two apis on it and on Redis', () => {
    let apis: Apis;
    beforeAll(async () => {
      apis = await startApis();
    });
    afterAll(() => apis.close());
    const at = ({ begin, end }: Trouble) =>
      inTrouble(() => apis, { begin: () => begin(apis.admin), end: () => end(apis.admin) });

    describe.each([readOnly, silent])('that $name', (trouble) => troubleSuite(() => at(trouble), true));

    describe('that is read-only while Redis fails', () => {
      const restartFirst = () => apis.processes[0].restart({ samePort: true });
      troubleWithoutRedisSuite(
        () => ({ ...at(readOnly), restartFirst }),
        () => apis.redis,
      );
    });

    describeWhen(canMount(), 'whose disk is full', 'the right to mount a file system', () => {
      let disk: SmallDisk;
      let full: Apis;
      beforeAll(async () => {
        disk = createSmallDisk(160);
        full = await startApis([`--datadir=${disk.path}/data`]);
      });
      afterAll(async () => {
        await full.close();
        disk.close();
      });
      const trouble = { begin: async () => disk.fill(), end: async () => disk.free() };
      troubleSuite(() => inTrouble(() => full, trouble), false);
    });
  });
});
