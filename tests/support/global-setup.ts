import { request } from 'node:http';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { startMariadbServer, startRedisServer } from './managed-servers.ts';
import { type RunningServer, rememberServers } from './run-servers.ts';

/** A server for this run: its address, where it comes from, and how to stop it if this run started it. */
interface FoundServer extends RunningServer {
  readonly url: string;
  readonly from: string;
}

/** The ways to find or start one kind of server, in the order of the tries. */
interface ServerKind {
  readonly name: string;
  readonly variable: 'TEST_MYSQL_URL' | 'TEST_REDIS_URL';
  readonly defaultUrl: string;
  /** The server's version; rejects when none answers there. */
  readonly fetchVersion: (url: string) => Promise<string>;
  readonly startContainer: () => Promise<FoundServer>;
  readonly startProcess: () => Promise<FoundServer | undefined>;
  readonly programs: string;
}

const mysqlKind: ServerKind = {
  name: 'MySQL or MariaDB',
  variable: 'TEST_MYSQL_URL',
  defaultUrl: 'mysql://root@127.0.0.1:3306',
  fetchVersion: async (uri) => {
    const connection = await createConnection({ uri, connectTimeout: 2000 });
    try {
      const [rows] = await connection.query('SELECT VERSION() AS version');
      const version = (rows as { version: string }[])[0]?.version ?? '';
      return /MariaDB/.test(version) ? `MariaDB ${version.replace(/-.*/, '')}` : `MySQL ${version}`;
    } finally {
      await connection.end();
    }
  },
  startContainer: async () => {
    const { MySqlContainer } = await import('@testcontainers/mysql');
    const container = await new MySqlContainer('mysql:8.4').start();
    const url = `mysql://root:${container.getRootPassword()}@${container.getHost()}:${container.getPort()}`;
    return { url, from: 'a container', close: async () => void (await container.stop()) };
  },
  startProcess: async () => toFoundServer(await startMariadbServer()),
  programs: 'mariadbd, mysqld',
};

const redisKind: ServerKind = {
  name: 'Redis',
  variable: 'TEST_REDIS_URL',
  defaultUrl: 'redis://127.0.0.1:6379',
  fetchVersion: async (url) => {
    const client = new Redis(url, { lazyConnect: true, connectTimeout: 2000, retryStrategy: () => null });
    // Why it failed is what connect() rejects with.
    client.on('error', () => {});
    try {
      await client.connect();
      return `Redis ${/redis_version:(\S+)/.exec(await client.info('server'))?.[1]}`;
    } finally {
      client.disconnect();
    }
  },
  startContainer: async () => {
    const { GenericContainer, Wait } = await import('testcontainers');
    const container = await new GenericContainer('redis:7-alpine')
      .withExposedPorts(6379)
      .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
      .start();
    const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
    return { url, from: 'a container', close: async () => void (await container.stop()) };
  },
  startProcess: async () => toFoundServer(await startRedisServer()),
  programs: 'redis-server',
};

/** Finds or starts one real server of each kind, once for all suites, and puts its address into the environment. */
export default async function globalSetup(): Promise<void> {
  const docker = process.env['TEST_MYSQL_URL'] && process.env['TEST_REDIS_URL'] ? false : await isDockerReachable();
  const results = await Promise.allSettled([mysqlKind, redisKind].map((kind) => provideServer(kind, docker)));
  rememberServers(results.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : [])));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function provideServer(kind: ServerKind, docker: boolean): Promise<RunningServer | undefined> {
  const found = await findServer(kind, docker);
  if (!found) {
    const line = '!'.repeat(100);
    printLine(
      `\n${line}\nNo ${kind.name} server for the tests: ${kind.variable} is not set, Docker does not answer, and none of ` +
        `${kind.programs} was found.\nThe suites that need one will NOT run.\n${line}\n`,
    );
    return undefined;
  }
  const version = await kind.fetchVersion(found.url);
  printLine(`Tests use ${version} at ${found.url.replace(/:[^:@/]*@/, ':…@')} (${found.from})`);
  const given = process.env[kind.variable];
  process.env[kind.variable] = found.url;
  return {
    async close() {
      if (given === undefined) delete process.env[kind.variable];
      await found.close();
    },
  };
}

async function findServer(kind: ServerKind, docker: boolean): Promise<FoundServer | undefined> {
  const given = process.env[kind.variable];
  if (given) {
    await kind.fetchVersion(given).catch((error: unknown) => {
      throw new Error(`${kind.variable} names a server that does not answer: ${error}`);
    });
    return { url: given, from: kind.variable, close: async () => {} };
  }
  // The run must test the images, so no other server will do.
  if (process.env['TEST_CONTAINERS']) return await kind.startContainer();
  // Outside of CI, servers at the default ports may hold somebody's data.
  if (process.env['CI'] && (await isReachable(kind)))
    return { url: kind.defaultUrl, from: 'found', close: async () => {} };
  if (docker) {
    try {
      return await kind.startContainer();
    } catch (error) {
      printLine(`Docker could not start ${kind.name}: ${error}`);
    }
  }
  try {
    return await kind.startProcess();
  } catch (error) {
    printLine(`${kind.name} could not be started: ${error}`);
    return undefined;
  }
}

function toFoundServer(server: Awaited<ReturnType<typeof startRedisServer>>): FoundServer | undefined {
  return server && { url: server.url, from: 'started for this run', close: () => server.close() };
}

const isReachable = (kind: ServerKind): Promise<boolean> =>
  kind.fetchVersion(kind.defaultUrl).then(
    () => true,
    () => false,
  );

/** Whether a Docker daemon answers; a second is enough for one that is there. */
function isDockerReachable(): Promise<boolean> {
  const host = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  const { protocol, hostname, port, pathname } = new URL(host);
  const where = protocol === 'unix:' ? { socketPath: pathname } : { host: hostname, port: port || 2375 };
  // Over TLS or SSH only the real client knows how, so that is left to it.
  if (protocol === 'ssh:' || process.env['DOCKER_TLS_VERIFY']) return Promise.resolve(true);
  return new Promise((resolve) => {
    const ping = request({ ...where, path: '/_ping', timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

function printLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
