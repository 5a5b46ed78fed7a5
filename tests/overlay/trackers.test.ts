import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { type Host, startHost } from '../../services/overlay/test/support/host.js';
import { refusing, startTrackerFront, type TrackerFront } from '../../services/overlay/test/support/tracker-front.js';
import { waitUntil } from '../acceptance/history.js';
import type { ServiceProcess } from '../support/service-process.js';
import { lookUpAds, readAds, readAdsOnChain } from './ads.js';
import { deployOverlay, ORIGIN, type OverlayDeployment } from './deployment.js';

const OTHER = 'https://messagebox-two.com';

describeWithMysql('an overlay worker and its tracker', () => {
  describeWithRedis('on an unreliable network', () => {
    let deployment: OverlayDeployment;
    let tracker: Host;
    let front: TrackerFront;
    let api: ServiceProcess;
    let worker: ServiceProcess;

    beforeEach(async () => {
      front = await startTrackerFront();
      deployment = await deployOverlay({ SLAP_TRACKERS: front.url });
      tracker = await newTracker();
      api = await deployment.start('api');
    }, 60_000);
    afterEach(async () => {
      // The clients are closed before the servers.
      await deployment.close();
      await front.close();
      await tracker.close();
    });

    /** Starts an empty tracker with a database of its own, on the common chain. */
    async function newTracker(): Promise<Host> {
      const started = await startHost(await deployment.chain.getTracker(), { network: 'local' });
      front.retarget(started.url);
      return started;
    }

    /** Runs a job to its end. @returns the transactions that it has announced */
    async function done(name: 'advertise' | 'revoke' | 'rebroadcast'): Promise<readonly string[]> {
      const id = await deployment.operator.post(api.url, name);
      const { result } = await deployment.operator.waitForJob(api.url, id);
      return result?.['transactions'] ?? [];
    }

    const logged = (message: string): Record<string, unknown>[] =>
      worker.logs.flatMap((line) => (line.includes(`"msg":"${message}"`) ? [JSON.parse(line)] : []));

    async function untilFound(expected: readonly string[]): Promise<void> {
      await waitUntil(
        `the tracker finds ${expected}`,
        async () => (await lookUpAds(tracker.url)).join() === expected.join(),
        60_000,
      );
    }

    test('a tracker that fails, disconnects, refuses, is late and loses its answer gets the same transaction in the end', async () => {
      front.next(refusing(500), 'close', refusing(400), 'hang', 'lose');
      worker = await deployment.start('overlay');
      await waitUntil('it is accepted', () => logged('advertisements of this host were accepted').length > 0, 120_000);
      expect(front.submitted).toHaveLength(6);
      expect(new Set(front.submitted).size).toBe(1);
      expect(await lookUpAds(tracker.url)).toEqual(readAds(ORIGIN));
      expect(await readAdsOnChain(deployment.chain)).toEqual(readAds(ORIGIN));

      const retries = logged('job failed and will be retried');
      const reasons = retries.map(({ reason }) => String(reason));
      expect(reasons).toHaveLength(5);
      for (const reason of reasons) expect(reason).toContain(`No tracker accepted the advertisements. ${front.url}: `);
      expect(reasons[0]).toContain('The host answers 500: not today.');
      expect(reasons[2]).toContain('The host answers 400: not today.');
      expect(reasons[3]).toContain('The host did not answer in time.');
      const delays = retries.map(({ delayMs }) => Number(delayMs));
      expect([...delays].sort((a, b) => a - b)).toEqual(delays);
      expect(delays.at(-1)).toBeGreaterThan(8_000);
      // Later runs send nothing.
      expect(await done('advertise')).toEqual([]);
      expect(front.submitted).toHaveLength(6);
    }, 240_000);

    test('a changed address is revoked and advertised in one transaction, which the tracker gets whole', async () => {
      worker = await deployment.start('overlay');
      await untilFound(readAds(ORIGIN));
      // The host at the old address is not asked for.
      await worker.stop();
      await worker.restart({ env: { HOSTING_DOMAIN: OTHER } });
      await untilFound(readAds(OTHER));
      expect(await readAdsOnChain(deployment.chain)).toEqual(readAds(OTHER));
      expect(await lookUpAds(worker.url)).toEqual(readAds(OTHER));
      expect(await deployment.operator.ads(api.url)).toEqual(readAds(OTHER));
      expect(front.submitted).toHaveLength(2);
    }, 120_000);

    test('a tracker that is unavailable during two changes gets both transactions in their order', async () => {
      front.treat(refusing(503), refusing(503));
      worker = await deployment.start('overlay');
      await waitUntil('it was tried', () => front.submitted.length > 0);
      await worker.stop();
      await worker.restart({ env: { HOSTING_DOMAIN: OTHER } });
      await waitUntil(
        'the other was made',
        async () => (await readAdsOnChain(deployment.chain)).join() === readAds(OTHER).join(),
        60_000,
      );
      front.treat('pass');
      await untilFound(readAds(OTHER));
      const [first, last] = [front.submitted[0], front.submitted.at(-1)];
      expect(front.submitted.slice(-2)).toEqual([first, last]);
      expect(new Set(front.submitted).size).toBe(2);
      expect(await deployment.operator.ads(api.url)).toEqual(readAds(OTHER));
    }, 180_000);

    test('a tracker that has lost its database gets the same transaction again, by schedule and on request', async () => {
      worker = await deployment.start('overlay');
      await untilFound(readAds(ORIGIN));
      const [txid] = front.submitted;
      await tracker.close();
      tracker = await newTracker();
      await worker.restart();
      await untilFound(readAds(ORIGIN));
      expect(front.submitted).toEqual([txid, txid]);
      expect(await done('rebroadcast')).toEqual([txid]);
      expect(front.submitted).toEqual([txid, txid, txid]);
      expect(await readAdsOnChain(deployment.chain)).toEqual(readAds(ORIGIN));
    }, 120_000);

    test('a revocation by the operator reaches the tracker and is permanent', async () => {
      worker = await deployment.start('overlay');
      await untilFound(readAds(ORIGIN));
      expect(await done('revoke')).toHaveLength(1);
      expect(await lookUpAds(tracker.url)).toEqual([]);
      expect(await readAdsOnChain(deployment.chain)).toEqual([]);
      await worker.restart({ env: { RECONCILE_SECONDS: '1', LOGGING_ENABLED: 'true' } });
      const reconciled = () => logged('job ended').filter(({ job }) => job === 'reconcile').length;
      await waitUntil('it was reconciled again and again', () => reconciled() > 2);
      expect(await done('rebroadcast')).toEqual([]);
      expect(await lookUpAds(tracker.url)).toEqual([]);
      expect(await done('advertise')).toHaveLength(1);
      // An equal advertisement could be a copy of the revoked one, so the tracker waits for the merkle path, which the next
      // reconcile job announces.
      await untilFound(readAds(ORIGIN));
      expect(await deployment.operator.ads(api.url)).toEqual(readAds(ORIGIN));
    }, 120_000);
  });
});
