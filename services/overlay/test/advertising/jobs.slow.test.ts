import {
  createLogger,
  defaultJobPolicy,
  InProcessJobQueue,
  type JobQueue,
  type JobStatus,
  Metrics,
  overlayJobNames,
} from '@messagebox/shared';
import { waitUntil } from '@messagebox/test-kit';
import { createSignal } from '@messagebox/test-support/signal';
import { waitUntilState } from '@messagebox/test-support/wait-until-state';
import type { Advertiser } from '../../src/advertising/advertiser.js';
import type { ReconcileStep } from '../../src/advertising/reconciler.js';
import { createOverlayHandlers, createReconcileData } from '../../src/overlay-jobs.js';
import { type AdvertisingHost, ORIGIN, openAdvertisingHost } from '../support/advertising-host.js';

const BOTH = [`SHIP tm_messagebox ${ORIGIN}`, `SLAP ls_messagebox ${ORIGIN}`];

let host: AdvertisingHost;
let jobs: JobQueue;
beforeEach(async () => {
  host = await openAdvertisingHost();
  const log = createLogger('test', 'info', { write: () => undefined });
  const policy = { ...defaultJobPolicy, attempts: 3, backoffMs: 1, maxBackoffMs: 300 };
  jobs = new InProcessJobQueue('overlay', { log, metrics: new Metrics('test', {}) }, policy);
});
afterEach(async () => {
  await jobs.close();
  await host.close();
});

function work(advertiser: Advertiser): void {
  jobs.work(
    createOverlayHandlers({
      advertiser,
      synchronise: async () => [],
      prune: async () => ({ proven: 0, forgotten: 0 }),
    }),
    { concurrency: 2 },
  );
}

async function done(id: string, state: JobStatus['state'] = 'completed'): Promise<JobStatus> {
  return await waitUntilState(jobs, id, state);
}

/** Waits a millisecond: decisions of the same millisecond have no order. */
async function passClock(): Promise<void> {
  const now = Date.now();
  await waitUntil('the clock goes on', () => Date.now() > now);
}

/** Fails at a step, a given number of times. */
function breaking(at: ReconcileStep, times: number): (step: ReconcileStep) => Promise<void> {
  let left = times;
  return async (step) => {
    if (step !== at || left === 0) return;
    left -= 1;
    throw new Error(`broken when ${step}`);
  };
}

describe('jobs of advertising', () => {
  test('a failed job is retried, and continues where it has stopped', async () => {
    work(await host.start({}, breaking('sent', 2)));
    const status = await done(await jobs.add(overlayJobNames.advertise, {}));
    expect(status).toMatchObject({ attempts: 3, result: { advertised: BOTH } });
    expect(await host.onChain()).toEqual(BOTH);
  });

  test('a job that always fails ends with its reason, and the next one completes its work', async () => {
    work(await host.start({}, breaking('sent', 3)));
    const status = await done(await jobs.add(overlayJobNames.advertise, {}), 'failed');
    expect(status).toMatchObject({ attempts: 3, reason: 'broken when sent' });
    const next = await done(await jobs.add(overlayJobNames.rebroadcast, {}));
    expect(next).toMatchObject({ attempts: 1, result: { created: [], transactions: [expect.any(String)] } });
    expect(await host.onChain()).toEqual(BOTH);
    expect(await host.found()).toEqual(BOTH);
  });

  test('a retried revocation does not undo a later decision to advertise', async () => {
    const breakAt = breaking('remembered', 1);
    const advertiser = await host.start({}, async (step) => {
      // The operator decides otherwise while the job runs.
      if (step === 'remembered') await advertiser.ownTransactions.recordDecision(true, new Date(Date.now() + 1));
      await breakAt(step);
    });
    await advertiser.reconciler.reconcile();
    work(advertiser);
    const status = await done(await jobs.add(overlayJobNames.revoke, {}));
    expect(status).toMatchObject({ attempts: 2, result: { advertised: BOTH, revoked: [] } });
    expect(await host.onChain()).toEqual(BOTH);
  });

  test('a job whose first attempt did not reach the database does not undo a later decision', async () => {
    const advertiser = await host.start();
    const { recordDecision } = advertiser.ownTransactions;
    const revoked = createSignal();
    let isFirst = true;
    jest.spyOn(advertiser.ownTransactions, 'recordDecision').mockImplementation(async (wanted, at) => {
      if (wanted && isFirst) {
        isFirst = false;
        throw new Error('away');
      }
      if (wanted) await revoked.promise;
      await recordDecision.call(advertiser.ownTransactions, wanted, at);
    });
    work(advertiser);
    const advertise = await jobs.add(overlayJobNames.advertise, {});
    await passClock();
    await done(await jobs.add(overlayJobNames.revoke, {}));
    revoked.resolve();
    expect(await done(advertise)).toMatchObject({ attempts: 2, result: { advertised: [] } });
    expect(await host.onChain()).toEqual([]);
  });

  test('a job of a new instance is not run by one with another address', async () => {
    const old = await host.start();
    const moved = await host.start({ HOSTING_DOMAIN: 'https://messagebox-two.com' });
    expect(createReconcileData(old)).toEqual({ origin: ORIGIN });
    expect(createReconcileData(await host.start({ HOSTING_DOMAIN: '' }))).toEqual({ origin: '' });
    work(old);
    const id = await jobs.add(overlayJobNames.reconcile, createReconcileData(moved));
    const waiting = await done(id, 'delayed');
    expect(waiting).toMatchObject({ attempts: 1, reason: 'The job is for an instance with another HOSTING_DOMAIN.' });
    expect(await host.onChain()).toEqual([]);
    // A job without an address can be run by any instance.
    await done(await jobs.add(overlayJobNames.reconcile, {}));
    expect(await host.onChain()).toEqual(BOTH);
  });
});
