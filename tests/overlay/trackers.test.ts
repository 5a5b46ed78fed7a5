import { type Host, startHost } from '../../services/overlay/test/support/host.js';
import { refusing, startTrackerFront, type TrackerFront } from '../../services/overlay/test/support/tracker-front.js';
import { until } from '../acceptance/history.js';
import type { ServiceProcess } from '../support/processes.js';
import { describeWithMysql } from '../support/with-mysql.js';
import { describeWithRedis } from '../support/with-redis.js';
import { adsAt, adsFoundAt, adsOnChain } from './ads.js';
import { deployOverlay, ORIGIN, type OverlayDeployment } from './deployment.js';

const OTHER = 'https://messagebox-two.com';

describeWithMysql('an overlay worker and its tracker', () => {
  describeWithRedis('on a network with trouble', () => {
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
      // First who asks, then who is asked.
      await deployment.close();
      await front.close();
      await tracker.close();
    });

    /** One that knows nothing yet, with a database of its own; the chain is everybody's. */
    async function newTracker(): Promise<Host> {
      const started = await startHost(await deployment.chain.tracker(), { network: 'local' });
      front.retarget(started.url);
      return started;
    }

    /** Runs a job to its end. @returns the transactions that it has shown */
    async function done(name: 'advertise' | 'revoke' | 'rebroadcast'): Promise<readonly string[]> {
      const id = await deployment.operator.post(api.url, name);
      const { result } = await deployment.operator.untilJob(api.url, id);
      return result?.['transactions'] ?? [];
    }

    const logged = (message: string): Record<string, unknown>[] =>
      worker.logs.flatMap((line) => (line.includes(`"msg":"${message}"`) ? [JSON.parse(line)] : []));

    async function untilFound(expected: readonly string[]): Promise<void> {
      await until(
        `the tracker finds ${expected}`,
        async () => (await adsFoundAt(tracker.url)).join() === expected.join(),
        60_000,
      );
    }

    test('one that fails, breaks off, refuses, is late and loses its answer gets the same transaction in the end', async () => {
      front.next(refusing(500), 'close', refusing(400), 'hang', 'lose');
      worker = await deployment.start('overlay');
      await until('it is accepted', () => logged('advertisements of this host are accepted').length > 0, 120_000);
      expect(front.submitted).toHaveLength(6);
      expect(new Set(front.submitted).size).toBe(1);
      expect(await adsFoundAt(tracker.url)).toEqual(adsAt(ORIGIN));
      expect(await adsOnChain(deployment.chain)).toEqual(adsAt(ORIGIN));

      const retries = logged('job failed, to be tried again');
      const reasons = retries.map(({ reason }) => String(reason));
      expect(reasons).toHaveLength(5);
      for (const reason of reasons)
        expect(reason).toContain(`No tracker has accepted the advertisements. ${front.url}: `);
      expect(reasons[0]).toContain('The host answers 500: not today.');
      expect(reasons[2]).toContain('The host answers 400: not today.');
      expect(reasons[3]).toContain('There was no answer in time.');
      const delays = retries.map(({ delayMs }) => Number(delayMs));
      expect([...delays].sort((a, b) => a - b)).toEqual(delays);
      expect(delays.at(-1)).toBeGreaterThan(8_000);
      // Done once and for all.
      expect(await done('advertise')).toEqual([]);
      expect(front.submitted).toHaveLength(6);
    }, 240_000);

    test('another address: revoked and made in one transaction, which the tracker gets in one piece', async () => {
      worker = await deployment.start('overlay');
      await untilFound(adsAt(ORIGIN));
      // The host at the old address is gone, and nobody asks for it.
      await worker.stop();
      await worker.restart({ env: { HOSTING_DOMAIN: OTHER } });
      await untilFound(adsAt(OTHER));
      expect(await adsOnChain(deployment.chain)).toEqual(adsAt(OTHER));
      expect(await adsFoundAt(worker.url)).toEqual(adsAt(OTHER));
      expect(await deployment.operator.ads(api.url)).toEqual(adsAt(OTHER));
      expect(front.submitted).toHaveLength(2);
    }, 120_000);

    test('another address while the tracker is away: it gets both transactions, in their order', async () => {
      front.treat(refusing(503), refusing(503));
      worker = await deployment.start('overlay');
      await until('it was tried', () => front.submitted.length > 0);
      await worker.stop();
      await worker.restart({ env: { HOSTING_DOMAIN: OTHER } });
      await until(
        'the other was made',
        async () => (await adsOnChain(deployment.chain)).join() === adsAt(OTHER).join(),
        60_000,
      );
      front.treat('pass');
      await untilFound(adsAt(OTHER));
      const [first, last] = [front.submitted[0], front.submitted.at(-1)];
      expect(front.submitted.slice(-2)).toEqual([first, last]);
      expect(new Set(front.submitted).size).toBe(2);
      expect(await deployment.operator.ads(api.url)).toEqual(adsAt(OTHER));
    }, 180_000);

    test('one that lost its database gets the same transaction again, by itself and on request', async () => {
      worker = await deployment.start('overlay');
      await untilFound(adsAt(ORIGIN));
      const [txid] = front.submitted;
      await tracker.close();
      tracker = await newTracker();
      await worker.restart();
      await untilFound(adsAt(ORIGIN));
      expect(front.submitted).toEqual([txid, txid]);
      expect(await done('rebroadcast')).toEqual([txid]);
      expect(front.submitted).toEqual([txid, txid, txid]);
      expect(await adsOnChain(deployment.chain)).toEqual(adsAt(ORIGIN));
    }, 120_000);

    test('what the operator revokes leaves the tracker too, and stays away', async () => {
      worker = await deployment.start('overlay');
      await untilFound(adsAt(ORIGIN));
      expect(await done('revoke')).toHaveLength(1);
      expect(await adsFoundAt(tracker.url)).toEqual([]);
      expect(await adsOnChain(deployment.chain)).toEqual([]);
      await worker.restart({ env: { RECONCILE_SECONDS: '1', LOGGING_ENABLED: 'true' } });
      const reconciled = () => logged('job ended').filter(({ job }) => job === 'reconcile').length;
      await until('it was reconciled again and again', () => reconciled() > 2);
      expect(await done('rebroadcast')).toEqual([]);
      expect(await adsFoundAt(tracker.url)).toEqual([]);
      expect(await done('advertise')).toHaveLength(1);
      // Anybody could have made a copy of what was revoked, so the tracker waits for the merkle path, which it is shown
      // with the next reconciliation.
      await untilFound(adsAt(ORIGIN));
      expect(await deployment.operator.ads(api.url)).toEqual(adsAt(ORIGIN));
    }, 120_000);
  });
});
