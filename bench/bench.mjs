import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './lib/child.mjs';

const MEMORY_FOLDER = '/dev/shm';
const ROOM_NEEDED_BYTES = 1024 ** 3;

/** Whether this system has a folder in memory, and enough of it: containers often have little. */
export function hasRoomInMemory() {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    return bavail * bsize >= ROOM_NEEDED_BYTES;
  } catch {
    return false;
  }
}

/** What one run has started and made, and how to be rid of it. */
export class Bench {
  /** @type {Child[]} */
  #children = [];
  #folder = mkdtempSync(join(tmpdir(), 'messagebox-bench-'));
  /** @type {(() => Promise<void>)[]} */
  #undo = [];
  #files = 0;
  /** The server's key, made for this run. */
  privateKey = randomBytes(32).toString('hex');

  /**
   * @param {typeof import('./effort.mjs').thorough} effort
   * @param {string | undefined} profileFolder where servers write CPU profiles
   * @param {(text: string) => void} say tells what is going on
   */
  constructor(effort, profileFolder, say) {
    this.effort = effort;
    this.profileFolder = profileFolder;
    this.say = say;
  }

  /** A load generator, or another process of ours. @param {string} file */
  process(file, nodeOptions = []) {
    const child = new Child(file, { nodeOptions });
    this.#children.push(child);
    return child;
  }

  /** A server under test that listens. @param {string} file */
  async server(file, database) {
    const options = ['--expose-gc'];
    if (this.profileFolder !== undefined) {
      mkdirSync(this.profileFolder, { recursive: true });
      options.push('--cpu-prof', `--cpu-prof-dir=${this.profileFolder}`);
    }
    const process = this.process(file, options);
    return { process, url: await process.call('start', { privateKey: this.privateKey, database }) };
  }

  /** An SQLite database of its own, in the folder for temporary files: mostly on a disk. */
  sqlite() {
    return { client: 'better-sqlite3', connection: { filename: join(this.#folder, `${++this.#files}.sqlite`) } };
  }

  /**
   * An SQLite database that waits for no disk, where the system has room for one in memory: as durable as any other in
   * what SQLite does, but not at the mercy of who else writes to the disk just now.
   */
  sqliteInMemory() {
    if (!hasRoomInMemory()) return this.sqlite();
    const folder = mkdtempSync(join(MEMORY_FOLDER, 'messagebox-bench-'));
    this.#undo.push(async () => rmSync(folder, { recursive: true, force: true }));
    return { client: 'better-sqlite3', connection: { filename: join(folder, 'database.sqlite') } };
  }

  /** A MySQL or MariaDB database of its own, dropped in the end. @param {string} serverUrl */
  async mysql(serverUrl) {
    // The driver is the store's, and no dependency of ours.
    const require = createRequire(import.meta.resolve('@messagebox/shared'));
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

  /** Ends every process and removes every file and database. Never throws. */
  async close() {
    await Promise.all(this.#children.map((child) => child.stop()));
    for (const undo of this.#undo.splice(0)) {
      await undo().catch((error) => this.say(`Could not clean up: ${error.message}`));
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
