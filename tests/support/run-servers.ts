/** A server of this test run; closing one that the run did not start does nothing to it. */
export interface RunningServer {
  close(): Promise<void>;
}

// Jest loads set-up and teardown separately; what they share is the process.
const runGlobals = globalThis as { messageboxTestServers?: readonly RunningServer[] };

/** Keeps the servers of this run until the teardown. */
export function rememberServers(servers: readonly RunningServer[]): void {
  runGlobals.messageboxTestServers = servers;
}

/** Closes what `rememberServers` was given. */
export async function closeServers(): Promise<void> {
  await Promise.all((runGlobals.messageboxTestServers ?? []).map((server) => server.close()));
}
