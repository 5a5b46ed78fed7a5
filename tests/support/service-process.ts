import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  createTemporaryFolder,
  type ManagedProcess,
  type ProcessEnd,
  startProcess,
  toExitCode,
} from '@messagebox/test-support/managed-process';
import { findFreePort } from '../../packages/test-kit/src/ports.ts';

const root = resolve(import.meta.dirname, '..', '..');

/** One of our services, running as a process of its own. */
export interface ServiceProcess {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Everything that the line with `"msg":"listening"` says. */
  readonly listening: Readonly<Record<string, unknown>>;
  /** The lines of stdout and stderr of the running process, or of the last one. */
  readonly logs: readonly string[];
  /** Resolves when the running process ends, by itself or not. */
  readonly exited: Promise<ProcessEnd>;
  /** The first log line, written already or still to come, that contains the text. */
  waitForLog(text: string): Promise<string>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
  /** SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>;
  /** Stops it if it runs and starts it with the same environment, on the same port if asked to. */
  restart(options?: { readonly samePort?: boolean; readonly env?: Record<string, string> }): Promise<void>;
}

/**
 * Starts the build of a service and waits until it listens. It gets PATH, HOME and the given environment, nothing
 * else; PORT is a free one unless given, and its working directory is an empty one.
 *
 * @param options.name the service's folder in services/
 * @param options.script another program than the service's dist/main.js, relative to the root
 * @throws with the output of the process, when it ends or does not listen within 30 seconds
 */
export async function startService(options: {
  readonly name: string;
  readonly script?: string;
  readonly env?: Record<string, string>;
}): Promise<ServiceProcess> {
  const script = resolve(root, options.script ?? join('services', options.name, 'dist', 'main.js'));
  if (!existsSync(script)) throw new Error(`${script} does not exist: npm run build`);
  const folder = createTemporaryFolder();
  let env = options.env ?? {};
  let child: ManagedProcess;
  let listening: Record<string, unknown> = {};

  const start = async (): Promise<void> => {
    mkdirSync(folder.path, { recursive: true });
    // Not 0: between a stop and a start on the same port the system could give that one to somebody else.
    const common = { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: String(await findFreePort()) };
    child = startProcess(process.execPath, [script], { cwd: folder.path, env: { ...common, ...env } });
    try {
      listening = parseLogLine(await child.waitForLine((line) => parseLogLine(line)['msg'] === 'listening'));
    } catch (error) {
      await end('SIGKILL');
      throw error;
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<ProcessEnd> => {
    const ended = await child.terminate(signal);
    try {
      rmdirSync(folder.path);
      folder.remove();
    } catch {
      // The next start may need the service's files. The end of the run removes them.
    }
    return ended;
  };
  const url = (): string => String(listening['url']);

  await start();
  return {
    name: options.name,
    get url() {
      return url();
    },
    get port() {
      return Number(new URL(url()).port);
    },
    get pid() {
      return child.pid;
    },
    get listening() {
      return listening;
    },
    get logs() {
      return child.lines;
    },
    get exited() {
      return child.exited;
    },
    waitForLog: (text) => child.waitForLine((line) => line.includes(text)),
    async stop() {
      return toExitCode(await end('SIGTERM'));
    },
    async kill() {
      await end('SIGKILL');
    },
    async restart({ samePort = false, env: changes = {} } = {}) {
      await end('SIGTERM');
      env = { ...env, ...changes, ...(samePort ? { PORT: new URL(url()).port } : {}) };
      await start();
    },
  };
}

function parseLogLine(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
