import { createTemporaryFolder, type ManagedProcess, type ProcessEnd } from '@messagebox/test-support/managed-process';
import { startCommand } from './run-command.ts';

/** For a busy machine: a start takes one or two seconds of computing. */
const START_LIMIT_MS = 120_000;

/** A server that `messagebox start` runs. */
export interface StandaloneServer {
  readonly url: string;
  readonly dataDir: string;
  readonly process: ManagedProcess;
  /** Ends it as Ctrl-C does, and leaves its data. */
  interrupt(): Promise<ProcessEnd>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/** Starts a server on a port of its own. @param env more variables of the server */
export async function startStandalone(env: Readonly<Record<string, string>> = {}): Promise<StandaloneServer> {
  const folder = createTemporaryFolder();
  const child = startCommand(['start', '--port', '0', '--host', '127.0.0.1', '--data-dir', folder.path], {
    env,
    cwd: folder.path,
  });
  const line = await child.waitForLine((text) => text.includes('"msg":"listening"'), START_LIMIT_MS);
  return {
    url: String((JSON.parse(line) as { url: unknown }).url),
    dataDir: folder.path,
    process: child,
    interrupt: () => child.terminate('SIGINT'),
    async close() {
      await child.terminate('SIGTERM');
      folder.remove();
    },
  };
}
