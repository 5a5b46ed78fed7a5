import { closeServers } from './run-servers.ts';

/** Runs once after all suites: stops and removes the servers that the set-up started. */
export default async function globalTeardown(): Promise<void> {
  await closeServers();
}
