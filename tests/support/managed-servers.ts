import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findFreePort } from '../../packages/test-kit/src/ports.ts';
import { describeWhen } from '../../packages/test-support/src/describe-when.ts';
import {
  createTemporaryFolder,
  type ManagedProcess,
  startProcess,
} from '../../packages/test-support/src/managed-process.ts';

/** A server process that belongs to the test that started it: the only kind a test may stop, hang or flush. */
export interface ManagedServer {
  /** Stays the same over stops and starts. */
  readonly url: string;
  readonly port: number;
  /** Shuts the server down in order; resolves when its process has ended. */
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on its port and with its data; resolves when it takes connections. */
  start(): Promise<void>;
  /** Makes the server hang: connections stay open, and nothing is answered until `resume()`. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/** A Redis server on a free port; it starts empty each time. `undefined` without a `redis-server` on this machine. */
export async function startRedisServer(): Promise<ManagedServer | undefined> {
  const program = findProgram('redis-server');
  if (!program) return undefined;
  return startManagedServer('redis://127.0.0.1', /Ready to accept connections/, (folder, port) =>
    startProcess(
      program,
      ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'],
      { cwd: folder },
    ),
  );
}

/**
 * A MariaDB (or MySQL) server on a free port, `undefined` when this machine has none.
 *
 * @param options more options of the server, such as `--innodb-data-file-path=…`
 */
export async function startMariadbServer(options: readonly string[] = []): Promise<ManagedServer | undefined> {
  const program = findProgram('mariadbd', 'mysqld');
  if (!program) return undefined;
  const isMariadb = execFileSync(program, ['--no-defaults', '--version'], { encoding: 'utf8' }).includes('MariaDB');
  // Neither program runs as root unless told to.
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];
  const dataIn = (folder: string): string => `--datadir=${join(folder, 'data')}`;

  const createData = (folder: string): void => {
    const common = ['--no-defaults', dataIn(folder), ...asRoot, '--innodb-log-file-size=16M', ...options];
    if (!isMariadb) {
      execFileSync(program, [...common, '--initialize-insecure'], { stdio: 'pipe' });
      return;
    }
    const installer = findProgram('mariadb-install-db', 'mysql_install_db');
    if (!installer) throw new Error(`${program} is here, but mariadb-install-db is not`);
    execFileSync(installer, [...common, '--auth-root-authentication-method=normal', '--skip-test-db'], {
      stdio: 'pipe',
    });
  };
  const startIn = (folder: string, port: number): ManagedProcess =>
    startProcess(program, [
      '--no-defaults',
      dataIn(folder),
      ...asRoot,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder, 'sock')}`,
      `--pid-file=${join(folder, 'pid')}`,
      '--innodb-log-file-size=16M',
      // A commit survives the end of the process, which is all that a test can cause.
      '--innodb-flush-log-at-trx-commit=2',
      ...(isMariadb ? [] : ['--mysqlx=OFF', '--skip-log-bin']),
      ...options,
    ]);
  return startManagedServer('mysql://root@127.0.0.1', /ready for connections/, startIn, createData);
}

/** `describe` for suites that stop and start a Redis server of their own (`startRedis`). */
export function describeWithManagedRedis(name: string, suite: () => void): void {
  describeWhen(Boolean(findProgram('redis-server')), name, 'redis-server on the PATH', suite);
}

/** `describe` for suites that stop and start a MariaDB server of their own (`startMariadb`). */
export function describeWithManagedMariadb(name: string, suite: () => void): void {
  describeWhen(Boolean(findProgram('mariadbd', 'mysqld')), name, 'mariadbd or mysqld on the PATH', suite);
}

async function startManagedServer(
  urlWithoutPort: string,
  ready: RegExp,
  startIn: (folder: string, port: number) => ManagedProcess,
  createData: (folder: string) => void = () => {},
): Promise<ManagedServer> {
  const folder = createTemporaryFolder();
  let port = 0;
  let server: ManagedProcess | undefined;
  const start = async (): Promise<void> => {
    if (server?.running) return;
    server = startIn(folder.path, port);
    await server.waitForLine((line) => ready.test(line));
  };
  try {
    createData(folder.path);
    for (let attempt = 1; ; attempt += 1) {
      port = await findFreePort();
      try {
        await start();
        break;
      } catch (error) {
        await server?.terminate('SIGKILL');
        // Another process may have taken the port meanwhile; a second time is unlikely.
        if (attempt === 2) throw error;
      }
    }
  } catch (error) {
    folder.remove();
    throw error;
  }
  return {
    url: `${urlWithoutPort}:${port}`,
    port,
    start,
    async stop() {
      server?.signal('SIGCONT');
      await server?.terminate('SIGTERM');
    },
    async kill() {
      await server?.terminate('SIGKILL');
    },
    pause() {
      server?.signal('SIGSTOP');
      if (server?.running) waitUntilStopped(server.pid);
    },
    resume() {
      server?.signal('SIGCONT');
    },
    async close() {
      await server?.terminate('SIGKILL');
      folder.remove();
    },
  };
}

/** The threads of a process stop one by one, a moment after the signal was sent. */
function waitUntilStopped(pid: number): void {
  // Only Linux shows this. It takes microseconds, so the loop does not sleep.
  const tasks = `/proc/${pid}/task`;
  const runs = (task: string): boolean => {
    try {
      return !/\) [TtZX] /.test(readFileSync(join(tasks, task, 'stat'), 'utf8'));
    } catch {
      return false; // a thread that has ended meanwhile
    }
  };
  while (existsSync(tasks) && readdirSync(tasks).some(runs));
}

function findProgram(...names: readonly string[]): string | undefined {
  // Servers are installed where the PATH of an ordinary user does not look.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
