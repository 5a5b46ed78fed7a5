import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './lib/child.mjs';
import { removeRedisKeys } from './lib/redis.mjs';

const MEMORY_FOLDER = '/dev/shm';
const ROOM_NEEDED_BYTES = 1024 ** 3;
/** The options of Node that the Dockerfile sets, because it decides how much memory a process keeps. */
const IMAGE_ENVIRONMENT = {
  NODE_ENV: 'production',
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/** Whether the system has a folder in memory with enough space. Containers often have little. */
export function hasRoomInMemory() {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    return bavail * bsize >= ROOM_NEEDED_BYTES;
  } catch {
    return false;
  }
}

/** The processes, files and databases of one run, which are removed at its end. */
export class Bench {
  /** @type {Child[]} */
  #children = [];
  #folder = mkdtempSync(join(tmpdir(), 'messagebox-bench-'));
  /** @type {(() => Promise<void>)[]} */
  #undo = [];
  #files = 0;
  /** The server's private key, created for this run. */
  privateKey = randomBytes(32).toString('hex');

  /**
   * @param {typeof import('./effort.mjs').thorough} effort how long the parts of `npm run bench` take
   * @param {string | undefined} profileFolder where servers write CPU profiles
   * @param {(text: string) => void} say reports progress
   */
  constructor(effort, profileFolder, say) {
    this.effort = effort;
    this.profileFolder = profileFolder;
    this.say = say;
  }

  /** Starts a load generator or another process. @param {string} file */
  process(file, nodeOptions = []) {
    const child = new Child(file, { nodeOptions });
    this.#children.push(child);
    return child;
  }

  /** Starts a server under test, and waits until it listens. @param {string} file */
  async server(file, database) {
    const options = ['--expose-gc'];
    if (this.profileFolder !== undefined) {
      mkdirSync(this.profileFolder, { recursive: true });
      options.push('--cpu-prof', `--cpu-prof-dir=${this.profileFolder}`);
    }
    const process = this.process(file, options);
    return { process, url: await process.call('start', { privateKey: this.privateKey, database }) };
  }

  /**
   * Starts one of our services as its image does, and waits until it listens. It answers the calls of `lib/probe.mjs`.
   *
   * @param {string} name the service's folder in services/
   * @param {{ client: string, connection: unknown }} database
   * @param {Record<string, string>} [env] variables that differ from the defaults
   */
  async service(name, database, env = {}) {
    const child = new Child(`../services/${name}/dist/main.js`, {
      nodeOptions: ['--expose-gc', '--import', new URL('lib/probe.mjs', import.meta.url).href],
      cwd: this.#folder,
      env: {
        ...IMAGE_ENVIRONMENT,
        SERVER_PRIVATE_KEY: this.privateKey,
        KNEX_DB_CLIENT: database.client,
        KNEX_DB_CONNECTION: JSON.stringify(database.connection),
        NETWORK: 'local',
        HOST: '127.0.0.1',
        PORT: '0',
        INTERNAL_HOST: '127.0.0.1',
        INTERNAL_PORT: '0',
        DATA_DIR: this.#folder,
        ...env,
      },
    });
    this.#children.push(child);
    const [, url = ''] = await child.waitForOutput(/"url":"(http[^"]+)"[^\n]*"msg":"listening"/);
    return { process: child, url };
  }

  /** Runs the migrations on a database. */
  async migrate(database) {
    const child = this.process('lib/migrate.mjs');
    await child.call('migrate', database, 300);
    await child.stop();
  }

  /** Makes a prefix for keys in Redis, which are removed at the end. @param {string} url */
  redis(url) {
    const prefix = `mb_bench_${randomBytes(8).toString('hex')}`;
    this.#undo.push(() => removeRedisKeys(url, prefix));
    return { REDIS_URL: url, REDIS_PREFIX: prefix };
  }

  /** Creates an SQLite database in the temporary folder, which is usually on a disk. */
  sqlite() {
    return { client: 'better-sqlite3', connection: { filename: join(this.#folder, `${++this.#files}.sqlite`) } };
  }

  /**
   * Creates an SQLite database in memory if the system has space for one. SQLite works as usual, but does not depend on the
   * disk and on other programs that write to it.
   */
  sqliteInMemory() {
    if (!hasRoomInMemory()) return this.sqlite();
    const folder = mkdtempSync(join(MEMORY_FOLDER, 'messagebox-bench-'));
    this.#undo.push(async () => rmSync(folder, { recursive: true, force: true }));
    return { client: 'better-sqlite3', connection: { filename: join(folder, 'database.sqlite') } };
  }

  /** Creates a MySQL or MariaDB database, which is dropped at the end. @param {string} serverUrl */
  async mysql(serverUrl) {
    // The driver is the store's, and no dependency of ours.
    const require = createRequire(import.meta.resolve('@messagebox/store'));
    const { createConnection } = require(String('mysql2/promise'));
    const query = async (statement) => {
      const connection = await createConnection({ uri: serverUrl });
      try {
        await connection.query(statement);
      } finally {
        await connection.end();
      }
    };
    const name = `mb_bench_${randomBytes(8).toString('hex')}`;
    await query(`CREATE DATABASE ${name}`);
    this.#undo.push(() => query(`DROP DATABASE IF EXISTS ${name}`));
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    return { client: 'mysql2', connection: url.href };
  }

  /** Stops all processes, and removes all files and databases. Never throws. */
  async close() {
    await Promise.all(this.#children.map((child) => child.stop()));
    for (const undo of this.#undo.splice(0)) {
      await undo().catch((error) => this.say(`Could not clean up: ${error.message}`));
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
