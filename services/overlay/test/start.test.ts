import { randomBytes } from 'node:crypto';
import {
  createLogger,
  createServerIdentity,
  defaultJobPolicy,
  FairScheduler,
  Health,
  InProcessJobQueue,
  JobsUnavailableError,
  LimitHitReporter,
  Metrics,
  NO_TRACER,
  overlayJobNames,
  RateLimits,
  readConfig,
  ShutdownHooks,
} from '@messagebox/shared';
import { openDatabase } from '@messagebox/store';
import { waitUntil } from '@messagebox/test-kit';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createBsvServices } from '@messagebox/wallet';
import { Overlay } from '../src/overlay.js';

test('the overlay serves while the job queue is unavailable at the start, and schedules its jobs later', async () => {
  const folder = createTemporaryFolder();
  const storeConfig = { client: 'better-sqlite3' as const, filename: `${folder.path}/messagebox.sqlite` };
  const { messages, sql } = openDatabase(storeConfig);
  await messages.migrate();
  const config = readConfig({ NETWORK: 'local', SERVER_PRIVATE_KEY: randomBytes(32).toString('hex') });
  const lines: string[] = [];
  const log = createLogger('overlay', 'info', { write: (line) => void lines.push(line) });
  const metrics = new Metrics('overlay', {});
  const shutdown = new ShutdownHooks(log, 5_000);
  shutdown.add('folder', () => folder.remove());
  shutdown.add('database', () => messages.close());
  const bsv = createBsvServices({ config, storeConfig, shutdown, log });
  const jobs = new InProcessJobQueue('overlay', { log, metrics }, defaultJobPolicy);
  shutdown.add('jobs', () => jobs.close());
  const identity = createServerIdentity(config);
  const scheduler = new FairScheduler();
  const limitsHit = new LimitHitReporter(metrics, log);
  const rates = new RateLimits({ onHit: limitsHit.report });
  const watched = { health: new Health(), metrics, tracer: NO_TRACER, limitsHit };
  const overlay = new Overlay({ config, log, ...watched, rates, scheduler, sql, bsv, jobs, identity });
  shutdown.add('overlay', () => overlay.close());
  try {
    const asked = jest.spyOn(jobs, 'repeat').mockRejectedValueOnce(new JobsUnavailableError('away'));
    await overlay.start();
    expect(asked).toHaveBeenCalledTimes(1);
    expect(lines.filter((line) => line.includes('could not be scheduled yet'))).toHaveLength(1);
    await waitUntil('the jobs are scheduled', () => asked.mock.calls.length >= 4);
    expect(asked.mock.calls.slice(1).map(([name]) => name)).toEqual([
      overlayJobNames.reconcile,
      overlayJobNames.sync,
      overlayJobNames.prune,
    ]);
    await waitUntil('it has compared what is advertised', async () => (await jobs.counts()).completed > 0);
  } finally {
    await shutdown.close();
    jest.restoreAllMocks();
  }
});
