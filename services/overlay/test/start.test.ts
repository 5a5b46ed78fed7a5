import { randomBytes } from 'node:crypto';
import {
  Closing,
  createLogger,
  defaultJobPolicy,
  FairScheduler,
  Health,
  InProcessJobs,
  JobsUnavailableError,
  LimitsHit,
  Metrics,
  openDatabase,
  overlayJob,
  RateLimits,
  readConfig,
  serverIdentity,
} from '@messagebox/shared';
import { openMoney } from '@messagebox/wallet';
import { until } from '../../../tests/acceptance/history.js';
import { temporaryFolder } from '../../../tests/support/own-process.js';
import { Overlay } from '../src/overlay.js';

test('a broker that is away when it starts: it serves, and its jobs are scheduled later', async () => {
  const folder = temporaryFolder();
  const storeConfig = { client: 'better-sqlite3' as const, filename: `${folder.path}/messagebox.sqlite` };
  const { messages, sql } = openDatabase(storeConfig);
  await messages.migrate();
  const config = readConfig({ NETWORK: 'local', SERVER_PRIVATE_KEY: randomBytes(32).toString('hex') });
  const lines: string[] = [];
  const log = createLogger('overlay', false, { write: (line) => void lines.push(line) });
  const metrics = new Metrics('overlay', {});
  const closing = new Closing(log, 5_000);
  closing.add('folder', () => folder.remove());
  closing.add('database', () => messages.close());
  const money = openMoney({ config, storeConfig, closing, log });
  const jobs = new InProcessJobs('overlay', { log, metrics }, defaultJobPolicy);
  closing.add('jobs', () => jobs.close());
  const identity = serverIdentity(config);
  const scheduler = new FairScheduler();
  const limitsHit = new LimitsHit(metrics, log);
  const rates = new RateLimits({ onHit: limitsHit.hit });
  const watched = { health: new Health(), metrics, limitsHit };
  const overlay = new Overlay({ config, log, ...watched, rates, scheduler, sql, money, jobs, identity });
  closing.add('overlay', () => overlay.close());
  try {
    const asked = jest.spyOn(jobs, 'repeat').mockRejectedValueOnce(new JobsUnavailableError('away'));
    await overlay.start();
    expect(asked).toHaveBeenCalledTimes(1);
    expect(lines.filter((line) => line.includes('can not be scheduled yet'))).toHaveLength(1);
    await until('the jobs are scheduled', () => asked.mock.calls.length >= 4);
    expect(asked.mock.calls.slice(1).map(([name]) => name)).toEqual([
      overlayJob.reconcile,
      overlayJob.sync,
      overlayJob.tidy,
    ]);
    await until('it has compared what is advertised', async () => (await jobs.counts()).completed > 0);
  } finally {
    await closing.close();
    jest.restoreAllMocks();
  }
});
