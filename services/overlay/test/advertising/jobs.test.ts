import {
  createLogger,
  defaultJobPolicy,
  InProcessJobs,
  type JobQueue,
  type JobStatus,
  Metrics,
  overlayJob,
} from '@messagebox/shared';
import { until } from '../../../../tests/acceptance/history.js';
import { signal, untilState } from '../../../../tests/jobs/jobs-suite.js';
import type { Advertiser } from '../../src/advertising/advertiser.js';
import type { ReconcileStep } from '../../src/advertising/reconcile.js';
import { originData, overlayHandlers } from '../../src/overlay-jobs.js';
import { type AdvertisingHost, ORIGIN, openAdvertisingHost } from '../support/advertising-host.js';

const BOTH = [`SHIP tm_messagebox ${ORIGIN}`, `SLAP ls_messagebox ${ORIGIN}`];

let host: AdvertisingHost;
let jobs: JobQueue;
beforeEach(async () => {
  host = await openAdvertisingHost();
  const log = createLogger('test', false, { write: () => undefined });
  const policy = { ...defaultJobPolicy, attempts: 3, backoffMs: 1, maxBackoffMs: 300 };
  jobs = new InProcessJobs('overlay', { log, metrics: new Metrics('test', {}) }, policy);
});
afterEach(async () => {
  await jobs.close();
  await host.close();
});

function work(advertiser: Advertiser): void {
  jobs.work(
    overlayHandlers({ advertiser, synchronise: async () => [], tidy: async () => ({ proven: 0, forgotten: 0 }) }),
    { concurrency: 2 },
  );
}

async function done(id: string, state: JobStatus['state'] = 'completed'): Promise<JobStatus> {
  return await untilState(jobs, id, state);
}

/** Decisions of one millisecond have no order. */
async function passClock(): Promise<void> {
  const now = Date.now();
  await until('the clock goes on', () => Date.now() > now);
}

/** Breaks at a step as often as it is told to. */
function breaking(at: ReconcileStep, times: number): (step: ReconcileStep) => Promise<void> {
  let left = times;
  return async (step) => {
    if (step !== at || left === 0) return;
    left -= 1;
    throw new Error(`broken when ${step}`);
  };
}

describe('jobs of advertising', () => {
  test('one that fails is tried again, and goes on where it has stopped', async () => {
    work(await host.start({}, breaking('sent', 2)));
    const status = await done(await jobs.add(overlayJob.advertise, {}));
    expect(status).toMatchObject({ attempts: 3, result: { advertised: BOTH } });
    expect(await host.onChain()).toEqual(BOTH);
  });

  test('one that always fails ends with its reason, and what it has left is finished by the next', async () => {
    work(await host.start({}, breaking('sent', 3)));
    const status = await done(await jobs.add(overlayJob.advertise, {}), 'failed');
    expect(status).toMatchObject({ attempts: 3, reason: 'broken when sent' });
    const next = await done(await jobs.add(overlayJob.rebroadcast, {}));
    expect(next).toMatchObject({ attempts: 1, result: { created: [], transactions: [expect.any(String)] } });
    expect(await host.onChain()).toEqual(BOTH);
    expect(await host.found()).toEqual(BOTH);
  });

  test('a revocation that is tried again does not undo the advertising that came after it', async () => {
    const breakAt = breaking('remembered', 1);
    const advertiser = await host.start({}, async (step) => {
      // The operator changes his mind while it is on its way.
      if (step === 'remembered') await advertiser.own.decide(true, new Date(Date.now() + 1));
      await breakAt(step);
    });
    await advertiser.reconciler.reconcile();
    work(advertiser);
    const status = await done(await jobs.add(overlayJob.revoke, {}));
    expect(status).toMatchObject({ attempts: 2, result: { advertised: BOTH, revoked: [] } });
    expect(await host.onChain()).toEqual(BOTH);
  });

  test('nor does one whose first attempt did not even reach the database', async () => {
    const advertiser = await host.start();
    const { decide } = advertiser.own;
    const revoked = signal();
    let isFirst = true;
    jest.spyOn(advertiser.own, 'decide').mockImplementation(async (wanted, at) => {
      if (wanted && isFirst) {
        isFirst = false;
        throw new Error('away');
      }
      if (wanted) await revoked.promise;
      await decide.call(advertiser.own, wanted, at);
    });
    work(advertiser);
    const advertise = await jobs.add(overlayJob.advertise, {});
    await passClock();
    await done(await jobs.add(overlayJob.revoke, {}));
    revoked.resolve();
    expect(await done(advertise)).toMatchObject({ attempts: 2, result: { advertised: [] } });
    expect(await host.onChain()).toEqual([]);
  });

  test('what a new instance asks for is not done by one that has another address', async () => {
    const old = await host.start();
    const moved = await host.start({ HOSTING_DOMAIN: 'https://messagebox-two.com' });
    expect(originData(old)).toEqual({ origin: ORIGIN });
    expect(originData(await host.start({ HOSTING_DOMAIN: '' }))).toEqual({ origin: '' });
    work(old);
    const id = await jobs.add(overlayJob.reconcile, originData(moved));
    const waiting = await done(id, 'delayed');
    expect(waiting).toMatchObject({ attempts: 1, reason: 'This is for an instance with another HOSTING_DOMAIN.' });
    expect(await host.onChain()).toEqual([]);
    // One without an address of its own is for anybody.
    await done(await jobs.add(overlayJob.reconcile, {}));
    expect(await host.onChain()).toEqual(BOTH);
  });
});
