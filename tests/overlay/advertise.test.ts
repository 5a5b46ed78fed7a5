import { writeFileSync } from 'node:fs';
import { createKnex } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { waitUntil } from '../acceptance/history.js';
import type { ServiceProcess } from '../support/service-process.js';
import { lookUpAds, readAds, readAdsOnChain } from './ads.js';
import { deployOverlay, ORIGIN, type OverlayDeployment } from './deployment.js';
import type { JobAnswer } from './operator.js';

const BOTH = readAds(ORIGIN);

describeWithMysql('two overlay workers', () => {
  describeWithRedis('with an api', () => {
    let deployment: OverlayDeployment;
    let api: ServiceProcess;
    let workers: ServiceProcess[];

    afterEach(() => deployment.close());

    /** Expects the same advertisements on the chain, in each worker's lookup services, and in the operator's list. */
    async function expectAdvertised(expected: readonly string[]): Promise<void> {
      expect(await readAdsOnChain(deployment.chain)).toEqual(expected);
      for (const { url } of workers) expect(await lookUpAds(url)).toEqual(expected);
      expect(await deployment.operator.ads(api.url)).toEqual(expected);
    }

    test('advertise once when 20 requests arrive at the same time', async () => {
      deployment = await deployOverlay();
      const { operator } = deployment;
      [api, ...workers] = await Promise.all([
        deployment.start('api'),
        deployment.start('overlay'),
        deployment.start('overlay'),
      ]);
      const ids = await Promise.all(Array.from({ length: 20 }, () => operator.post(api.url, 'advertise')));
      expect(new Set(ids).size).toBe(20);
      const jobs: JobAnswer[] = [];
      for (const id of ids) jobs.push(await operator.waitForJob(api.url, id));
      for (const job of jobs) expect(job.result).toMatchObject({ advertised: BOTH, revoked: [], renewed: [] });
      await expectAdvertised(BOTH);
    }, 180_000);

    describe('when one is killed during a job', () => {
      let killAt: string;
      beforeEach(async () => {
        const folder = createTemporaryFolder();
        killAt = `${folder.path}/kill-at`;
        deployment = await deployOverlay();
        const start = () => deployment.start('overlay', { KILL_AT: killAt }, 'tests/overlay/interrupted-overlay.mjs');
        [api, ...workers] = await Promise.all([deployment.start('api'), start(), start()]);
        await waitUntil('this host is advertised', async () => (await operatorsAds()).length === 2, 60_000);
      }, 120_000);

      const operatorsAds = () => deployment.operator.ads(api.url);

      /** Lets five minutes pass, after which the wallet aborts what a killed process had begun. */
      async function passMinutes({ reason = '' }: JobAnswer): Promise<void> {
        if (!reason.includes('interrupted action of the wallet')) return;
        const knex = createKnex(deployment.database);
        try {
          await knex('transactions')
            .where({ status: 'unsigned' })
            .update({ updated_at: new Date(Date.now() - 600_000) });
        } finally {
          await knex.destroy();
        }
      }

      /** Expects that the remaining worker completes the job. */
      async function expectDone(id: string, name: 'advertise' | 'revoke'): Promise<void> {
        const job = await deployment.operator.waitForJob(api.url, id, undefined, passMinutes);
        expect(job.result?.['advertised']).toEqual(name === 'advertise' ? BOTH : []);
        expect(await readAdsOnChain(deployment.chain)).toEqual(name === 'advertise' ? BOTH : []);
      }

      test('complete the job after a kill at each step', async () => {
        const { operator } = deployment;
        const kills = [
          ['revoke', 'begun'],
          ['advertise', 'signed'],
          ['revoke', 'remembered'],
          ['advertise', 'recorded'],
          ['revoke', 'signed'],
          ['advertise', 'sent'],
          ['revoke', 'recorded'],
          ['advertise', 'submitted'],
          ['revoke', 'sent'],
          ['advertise', 'shown'],
          ['revoke', 'submitted'],
          ['advertise', 'accepted'],
        ] as const;
        for (const [name, step] of kills) {
          writeFileSync(killAt, step);
          const ends = workers.map((worker) => worker.exited.then((end) => ({ worker, end })));
          const id = await operator.post(api.url, name);
          const { worker, end } = await Promise.race(ends);
          expect(end).toEqual({ code: null, signal: 'SIGKILL' });
          await expectDone(id, name);
          await worker.restart();
          await expectAdvertised(name === 'advertise' ? BOTH : []);
        }
      }, 480_000);

      test('complete the job after a kill at any time', async () => {
        const { operator } = deployment;
        for (let n = 0; n < 10; n++) {
          const name = n % 2 === 0 ? 'revoke' : 'advertise';
          const id = await operator.post(api.url, name);
          const victim = workers[Math.random() < 0.5 ? 0 : 1];
          // About the duration of such a job.
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_000));
          await victim?.kill();
          await expectDone(id, name);
          await victim?.restart();
          await expectAdvertised(name === 'advertise' ? BOTH : []);
        }
      }, 480_000);
    });
  });
});
