import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Deployment, deployScaled, deployStandalone } from '../acceptance/deployments.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import type { Endpoint, Target } from './wire/endpoint.ts';

const PROFILER = pathToFileURL(join(import.meta.dirname, 'cpu-profile.mjs')).href;

export const arrangements = ['standalone', 'scaled'] as const;
/** One process, or two api and two realtime on a database server and Redis. */
export type Arrangement = (typeof arrangements)[number];

/** As in the images: see the Dockerfile. */
const MEMORY_SETTINGS = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/** The servers of one run. */
export interface Servers {
  readonly target: Target;
  readonly processes: readonly ServiceProcess[];
  close(): Promise<void>;
}

/** A file system in memory, if there is one, so that a commit does not wait for a disk that others use. */
export function useMemoryForFiles(): void {
  if (existsSync('/dev/shm')) process.env['TMPDIR'] = '/dev/shm';
}

/**
 * Starts new servers on a new database.
 *
 * @param behindProxy whether they are to believe X-Forwarded-For
 * @param profileFolder where each process leaves a CPU profile when it is stopped
 */
export async function startServers(
  arrangement: Arrangement,
  { behindProxy, profileFolder }: { readonly behindProxy: boolean; readonly profileFolder: string | undefined },
): Promise<Servers> {
  const env = {
    ...MEMORY_SETTINGS,
    ...(behindProxy ? { TRUST_PROXY: '1' } : {}),
    ...(profileFolder === undefined ? {} : { NODE_OPTIONS: `--import=${PROFILER}`, HOSTILE_PROFILE: profileFolder }),
  };
  const deployment: Deployment = await (arrangement === 'standalone' ? deployStandalone(env) : deployScaled(env));
  const { apis, realtimes } = deployment.processes;
  const endpoints = (services: readonly ServiceProcess[]): Endpoint[] =>
    [...new Set(services)].map(({ url, port }) => ({ host: new URL(url).hostname, port }));
  return {
    target: { http: endpoints(apis), live: endpoints(realtimes), behindProxy },
    processes: [...new Set([...apis, ...realtimes])],
    close: () => deployment.close(),
  };
}
