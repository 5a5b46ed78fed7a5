import { execFileSync } from 'node:child_process';
import { findFreePort } from '@messagebox/test-kit/ports';
import { describeWhen } from '@messagebox/test-support/describe-when';
import { createTemporaryFolder, startProcess } from '@messagebox/test-support/managed-process';

/** A Redis server of the test's own, which it may configure as it likes. */
export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** `describe` for suites that configure a Redis server of their own. */
export function describeWithOwnRedis(name: string, suite: () => void): void {
  describeWhen(canRun(), name, 'redis-server on the PATH', suite);
}

/** Starts a server that keeps its data over a restart, unless the options say otherwise. */
export async function startOwnRedis(options: readonly string[] = []): Promise<OwnRedis> {
  const [folder, port] = [createTemporaryFolder(), await findFreePort()];
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--daemonize', 'no'];
  const server = startProcess('redis-server', [...args, ...options], { cwd: folder.path });
  await server.waitForLine((line) => line.includes('Ready to accept connections'));
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    async close() {
      await server.terminate('SIGKILL');
      folder.remove();
    },
  };
}

function canRun(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
