import {
  createLogger,
  defaultJobPolicy,
  type JobHandler,
  type JobPolicy,
  type JobQueue,
  JobsUnavailableError,
  type Logger,
  Metrics,
  PermanentJobError,
  PostponeJobError,
  RetryJobError,
  type RunningJob,
} from '@messagebox/shared';
import { createSignal } from '@messagebox/test-support/signal';
import { waitUntilState } from '@messagebox/test-support/wait-until-state';
import { withProcessTimeout } from '../support/process-timeout.js';

export interface JobQueueTestOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly policy: JobPolicy;
}

/** Retries fast, so that tests don't wait. */
export const QUICK_POLICY: JobPolicy = { ...defaultJobPolicy, attempts: 4, backoffMs: 60, maxBackoffMs: 1_000 };

/** A timer may end this much before its time, by rounding. */
const ROUNDING_MS = 3;
/** The log's number for it. */
const DEBUG = 20;

/**
 * The promises of every job queue.
 *
 * @param create a new queue as two instances see it, which may be the same object
 */
export function jobsSuite(create: (parts: JobQueueTestOptions) => Promise<readonly [JobQueue, JobQueue]>): void {
  let here: JobQueue;
  let there: JobQueue;
  let metrics: Metrics;
  let log: string[];
  const open = async (policy: Partial<JobPolicy> = {}) => {
    metrics = new Metrics('test', {});
    log = [];
    const logger = createLogger('test', 'debug', { write: (line) => void log.push(line) });
    [here, there] = await create({ log: logger, metrics, policy: { ...QUICK_POLICY, ...policy } });
  };
  beforeEach(() => open());
  const closeAll = async () => {
    await Promise.all([here.close(), there.close()]);
  };
  afterEach(closeAll);

  test('a job runs once, with its data, wherever it was added, and its result is kept', async () => {
    const ran: RunningJob[] = [];
    const handler: JobHandler = async (job) => {
      ran.push(job);
      return { seen: job.data['text'] ?? null };
    };
    here.work({ greet: handler }, { concurrency: 2 });
    there.work({ greet: handler }, { concurrency: 2 });
    const before = Date.now();
    const data = { text: 'grüß dich', list: [1, null, true, { deep: 'x' }] };
    const id = await here.add('greet', data);
    const status = await waitUntilState(there, id, 'completed');
    expect(status).toEqual({
      id,
      name: 'greet',
      state: 'completed',
      attempts: 1,
      result: { seen: 'grüß dich' },
      addedAt: expect.any(Date),
      finishedAt: expect.any(Date),
    });
    expect(status.addedAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(status.finishedAt?.getTime()).toBeGreaterThanOrEqual(status.addedAt.getTime());
    expect(ran).toHaveLength(1);
    expect(ran[0]).toMatchObject({ id, name: 'greet', data, attempt: 1, lastAttempt: false });
    expect(ran[0]?.addedAt).toEqual((await there.find(id))?.addedAt);
  });

  test('what changes the data afterwards, the adder or a handler, changes nothing', async () => {
    const seen: unknown[] = [];
    const data = { list: ['as added'] };
    const id = await here.add('change', data);
    data.list.push('later');
    here.work(
      {
        change: async (job) => {
          seen.push(structuredClone(job.data));
          (job.data as { list: string[] }).list.push('by the handler');
          if (job.attempt === 1) throw new Error('again');
          return undefined;
        },
      },
      { concurrency: 1 },
    );
    expect((await waitUntilState(here, id, 'completed')).result).toBeUndefined();
    expect(seen).toEqual([{ list: ['as added'] }, { list: ['as added'] }]);
  });

  test('jobs begin in the order in which they were added, one by one or many at once', async () => {
    const order: string[] = [];
    const first = await here.add('note', { as: 'first' });
    const many = Array.from({ length: 700 }, (_, n) => ({
      name: 'note',
      data: { as: `${n}` },
      options: { id: `many-${n}` },
    }));
    const ids = await here.addAll(many);
    const last = await here.add('note', { as: 'last' });
    expect(ids).toEqual(many.map(({ options }) => options.id));
    expect(await there.counts()).toEqual({ waiting: 702, delayed: 0, active: 0, completed: 0, failed: 0 });
    there.work({ note: async (job) => void order.push(String(job.data['as'])) as undefined }, { concurrency: 1 });
    await waitUntilState(here, last, 'completed');
    expect(order).toEqual(['first', ...many.map(({ data }) => data.as), 'last']);
    expect(await here.find(first)).toMatchObject({ state: 'completed' });
    expect(await here.addAll([])).toEqual([]);
  });

  test('no more run at once than a worker may', async () => {
    let most = 0;
    let running = 0;
    const three = createSignal();
    const go = createSignal();
    here.work(
      {
        busy: async () => {
          running += 1;
          most = Math.max(most, running);
          if (running === 3) three.resolve();
          await go.promise;
          running -= 1;
          return undefined;
        },
      },
      { concurrency: 3 },
    );
    const ids = await here.addAll(Array.from({ length: 7 }, () => ({ name: 'busy', data: {} })));
    await three.promise;
    go.resolve();
    for (const id of ids) await waitUntilState(here, id, 'completed');
    expect(most).toBe(3);
  });

  test('is found in every state, and not when it was never there', async () => {
    const go = createSignal();
    const begun = createSignal();
    const id = await here.add('step', { n: 1 });
    expect(await there.find(id)).toEqual({
      id,
      name: 'step',
      state: 'waiting',
      attempts: 0,
      addedAt: expect.any(Date),
    });
    const later = await here.add('step', { n: 2 }, { delayMs: 3_600_000 });
    expect(await there.find(later)).toMatchObject({ id: later, state: 'delayed', attempts: 0 });
    here.work(
      {
        step: async (job) => {
          begun.resolve();
          await go.promise;
          if (job.data['n'] === 3) throw new PermanentJobError('three is too many');
          return 'done';
        },
      },
      { concurrency: 1 },
    );
    await begun.promise;
    expect(await there.find(id)).toMatchObject({ state: 'active', attempts: 0 });
    const bad = await here.add('step', { n: 3 });
    go.resolve();
    expect(await waitUntilState(there, id, 'completed')).toMatchObject({ result: 'done', attempts: 1 });
    expect(await waitUntilState(there, bad, 'failed')).toMatchObject({ reason: 'three is too many', attempts: 1 });
    expect(await there.counts()).toEqual({ waiting: 0, delayed: 1, active: 0, completed: 1, failed: 1 });
    // Among them names of keys that a queue in Redis has for itself.
    const never = ['nobody', '1', '', ' ', 'meta', 'wait', 'events', 'repeat', 'repeat:step', 'repeat:step:1', 'a:b'];
    for (const other of [...never, '*', `${id}:lock`, `${id} `, '../x', 'ü', '\0', 'x'.repeat(10_000)]) {
      expect({ other, found: await there.find(other) }).toEqual({ other, found: undefined });
    }
  });

  test('a delayed job begins no sooner than it should', async () => {
    const began = createSignal<number>();
    here.work({ late: async () => void began.resolve(Date.now()) as undefined }, { concurrency: 1 });
    const added = Date.now();
    await here.add('late', {}, { delayMs: 250 });
    expect((await began.promise) - added).toBeGreaterThanOrEqual(250 - ROUNDING_MS);
  });

  test('is tried again after pauses that grow, and then succeeds', async () => {
    const starts: number[] = [];
    const seen: [number, boolean][] = [];
    here.work(
      {
        flaky: async (job) => {
          starts.push(Date.now());
          seen.push([job.attempt, job.lastAttempt]);
          if (job.attempt < 4) throw new Error(`attempt ${job.attempt} failed`);
          return 'at last';
        },
      },
      { concurrency: 1 },
    );
    const id = await here.add('flaky', {});
    const between = await waitUntilState(there, id, 'delayed');
    expect(between).toMatchObject({ reason: expect.stringMatching(/^attempt \d failed$/) });
    const status = await waitUntilState(there, id, 'completed');
    expect(status).toMatchObject({ attempts: 4, result: 'at last' });
    expect(status).not.toHaveProperty('reason');
    expect(seen).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
    const pauses = starts.slice(1).map((start, n) => start - (starts[n] ?? 0));
    // Half of 60, 120 and 240 at least: the other half is random.
    for (const [n, least] of [30, 60, 120].entries()) {
      expect(pauses[n]).toBeGreaterThanOrEqual(least - ROUNDING_MS);
    }
  });

  test('fails when its attempts are used up, and keeps the last reason', async () => {
    const attempts: number[] = [];
    here.work(
      {
        hopeless: async (job) => {
          attempts.push(job.attempt);
          throw new Error(`no ${job.attempt}`);
        },
      },
      { concurrency: 1 },
    );
    const id = await here.add('hopeless', {});
    const status = await waitUntilState(there, id, 'failed');
    expect(status).toMatchObject({ attempts: 4, reason: 'no 4', finishedAt: expect.any(Date) });
    expect(attempts).toEqual([1, 2, 3, 4]);
  });

  test.each([
    ['a PermanentJobError', () => Promise.reject(new PermanentJobError('never')), 'never'],
    ['a result that is not JSON', async () => 1n as unknown as number, 'its result is not JSON'],
  ])('%s fails the job at once', async (_, handler, reason) => {
    const handle = jest.fn(handler);
    here.work({ fatal: handle }, { concurrency: 1 });
    const id = await here.add('fatal', {});
    expect(await waitUntilState(there, id, 'failed')).toMatchObject({ attempts: 1, reason });
    expect(handle).toHaveBeenCalledTimes(1);
  });

  test('what is thrown may be anything; of a long reason the beginning is kept', async () => {
    here.work(
      {
        text: () => Promise.reject('just text'),
        nothing: () => Promise.reject(undefined),
        long: () => Promise.reject(new PermanentJobError('x'.repeat(100_000))),
      },
      { concurrency: 3 },
    );
    const [text, nothing, long] = await here.addAll(['text', 'nothing', 'long'].map((name) => ({ name, data: {} })));
    expect(await waitUntilState(here, text ?? '', 'failed')).toMatchObject({ reason: 'just text' });
    expect(await waitUntilState(here, nothing ?? '', 'failed')).toMatchObject({ reason: 'undefined' });
    expect((await waitUntilState(here, long ?? '', 'failed')).reason).toBe('x'.repeat(500));
  });

  test('a RetryJobError is tried again no sooner than it says, and counts', async () => {
    const starts: number[] = [];
    here.work(
      {
        busy: async (job) => {
          starts.push(Date.now());
          if (job.attempt === 1) throw new RetryJobError('come back later', { afterMs: 400 });
          return job.attempt;
        },
      },
      { concurrency: 1 },
    );
    const id = await here.add('busy', {});
    expect(await waitUntilState(there, id, 'completed')).toMatchObject({ result: 2, attempts: 2 });
    expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(400 - ROUNDING_MS);
  });

  test('a PostponeJobError runs it again no sooner than it says, and costs no attempt, however often', async () => {
    const starts: number[] = [];
    const seen: [number, boolean][] = [];
    here.work(
      {
        patient: async (job) => {
          starts.push(Date.now());
          seen.push([job.attempt, job.lastAttempt]);
          if (starts.length <= 6) throw new PostponeJobError('not now', { afterMs: starts.length === 1 ? 300 : 1 });
          if (starts.length === 7) throw new Error('this one counts');
          return 'done';
        },
      },
      { concurrency: 1 },
    );
    const id = await here.add('patient', {});
    expect(await waitUntilState(there, id, 'delayed')).toMatchObject({ attempts: 0 });
    expect(await waitUntilState(there, id, 'completed')).toMatchObject({ result: 'done', attempts: 2 });
    expect(seen.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => [1, false]));
    expect(seen.slice(7)).toEqual([[2, false]]);
    expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(300 - ROUNDING_MS);
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/^messagebox_jobs_total\{.*name="patient",outcome="postponed".*\} 6$/m);
    // Thousands may be postponed at once, which is nothing that went wrong.
    const said = log.map((line) => JSON.parse(line) as { level: number; outcome?: string });
    const levels = said.filter(({ outcome }) => outcome === 'postponed').map(({ level }) => level);
    expect(levels).toEqual(Array.from({ length: 6 }, () => DEBUG));
  });

  test('the last attempt, too, can be postponed', async () => {
    await closeAll();
    await open({ attempts: 1 });
    let runs = 0;
    here.work(
      {
        once: async ({ lastAttempt }) => {
          runs += 1;
          if (runs === 1) throw new PostponeJobError('not now', { afterMs: Number.NaN });
          return lastAttempt;
        },
      },
      { concurrency: 1 },
    );
    const id = await here.add('once', {});
    expect(await waitUntilState(there, id, 'completed')).toMatchObject({ result: true, attempts: 1 });
    expect(runs).toBe(2);
  });

  test('who works is told of each job that has ended, once, and of none that will run again', async () => {
    const ended: string[] = [];
    here.work(
      {
        good: async () => undefined,
        flaky: async ({ attempt }) => {
          if (attempt === 1) throw new Error('again');
          return undefined;
        },
        patient: async () => {
          throw new PostponeJobError('not now', { afterMs: 3_600_000 });
        },
        bad: () => Promise.reject(new PermanentJobError('no')),
      },
      { concurrency: 1, onEnded: (id) => ended.push(id) },
    );
    const add = (name: string) => here.add(name, {}, { id: name });
    await add('patient');
    for (const name of ['good', 'flaky']) await waitUntilState(here, await add(name), 'completed');
    for (const name of ['bad', 'unknown']) await waitUntilState(here, await add(name), 'failed');
    expect(ended).toEqual(['good', 'flaky', 'bad', 'unknown']);
  });

  test('the same id twice is one job, while it waits, runs and is kept', async () => {
    const ran: unknown[] = [];
    const first = await Promise.all([
      here.add('once', { by: 'here' }, { id: 'the-one' }),
      there.add('once', { by: 'there' }, { id: 'the-one' }),
      ...Array.from({ length: 18 }, () => here.add('once', { by: 'here' }, { id: 'the-one' })),
    ]);
    expect(new Set(first)).toEqual(new Set(['the-one']));
    expect((await here.counts()).waiting).toBe(1);
    there.work({ once: async (job) => void ran.push(job.data) as undefined }, { concurrency: 4 });
    await waitUntilState(here, 'the-one', 'completed');
    await here.addAll([{ name: 'once', data: { by: 'late' }, options: { id: 'the-one' } }]);
    const other = await here.add('once', { by: 'other' });
    await waitUntilState(here, other, 'completed');
    expect(ran).toEqual([{ by: expect.stringMatching(/^t?here$/) }, { by: 'other' }]);
  });

  test('a job that nobody handles fails for good, whatever its name', async () => {
    const handle = jest.fn(async () => undefined);
    here.work({ known: handle }, { concurrency: 1 });
    for (const name of ['unknown', 'toString', '__proto__', 'constructor']) {
      const id = await here.add(name, {});
      expect(await waitUntilState(there, id, 'failed')).toMatchObject({
        attempts: 1,
        reason: `no handler for jobs named ${name}`,
      });
    }
    expect(handle).not.toHaveBeenCalled();
  });

  test('what no job can be is refused, and nothing is kept', async () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const wrong: [string, unknown, object?][] = [
      ['', {}],
      ['a b', {}],
      ['a:b', {}],
      ['x'.repeat(65), {}],
      ['ok', cycle],
      ['ok', { n: 1n }],
      ['ok', undefined],
      ['ok', { text: 'x'.repeat(1_000_000) }],
      ['ok', {}, { id: '' }],
      ['ok', {}, { id: 'a:b' }],
      ['ok', {}, { id: 'x'.repeat(129) }],
      ['ok', {}, { delayMs: -1 }],
      ['ok', {}, { delayMs: 0.5 }],
      ['ok', {}, { delayMs: Number.NaN }],
      ['ok', {}, { delayMs: 2 ** 31 }],
    ];
    for (const [name, data, options] of wrong) {
      await expect(here.add(name, data as never, options)).rejects.toThrow(RangeError);
      const fine = { name: 'ok', data: {} };
      await expect(here.addAll([fine, { name, data: data as never, options: options ?? {} }])).rejects.toThrow(
        RangeError,
      );
    }
    await expect(here.repeat('a b', 1_000)).rejects.toThrow(RangeError);
    for (const everyMs of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
      await expect(here.repeat('ok', everyMs)).rejects.toThrow(RangeError);
    }
    expect(await here.counts()).toEqual({ waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 });
  });

  test('two instances that repeat the same job run one schedule', async () => {
    const EVERY_MS = 150;
    const starts: number[] = [];
    const ids: string[] = [];
    const [one, six] = [createSignal(), createSignal()];
    const handler: JobHandler = async (job) => {
      starts.push(Date.now());
      ids.push(job.id);
      one.resolve();
      if (starts.length === 6) six.resolve();
      return undefined;
    };
    here.work({ tick: handler }, { concurrency: 2 });
    there.work({ tick: handler }, { concurrency: 2 });
    await Promise.all([here.repeat('tick', EVERY_MS), there.repeat('tick', EVERY_MS)]);
    // The first one comes at once.
    await withProcessTimeout(10 * EVERY_MS, one.promise);
    await here.repeat('tick', EVERY_MS);
    await six.promise;
    expect(new Set(ids).size).toBe(6);
    expect(await there.find(ids[0] ?? '')).toMatchObject({ name: 'tick' });
    // The others come in their time: six in five periods, and not in two and a half.
    expect((starts[5] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(4 * EVERY_MS);
  });

  test('another period replaces the schedule, which may begin later', async () => {
    const starts: number[] = [];
    const two = createSignal();
    here.work(
      {
        tick: async () => {
          starts.push(Date.now());
          if (starts.length === 2) two.resolve();
          return undefined;
        },
      },
      { concurrency: 1 },
    );
    await here.repeat('tick', 3_600_000, { first: 'later' });
    const asked = Date.now();
    await there.repeat('tick', 200, { first: 'later' });
    await two.promise;
    expect((starts[0] ?? 0) - asked).toBeGreaterThanOrEqual(200 - ROUNDING_MS);
    expect((starts[1] ?? 0) - asked).toBeGreaterThanOrEqual(400 - 2 * ROUNDING_MS);
  });

  test('closing a worker waits for the job that runs, and takes no other', async () => {
    const begun = createSignal();
    const told = createSignal();
    const go = createSignal();
    const worker = here.work(
      {
        slow: async (job) => {
          job.signal.addEventListener('abort', () => told.resolve());
          begun.resolve();
          await go.promise;
          return 'done anyway';
        },
      },
      { concurrency: 1 },
    );
    const [first, second] = await here.addAll([
      { name: 'slow', data: {} },
      { name: 'slow', data: {} },
    ]);
    await begun.promise;
    let closed = false;
    const closing = worker.close().then(() => {
      closed = true;
    });
    await told.promise;
    await there.find(first ?? '');
    expect(closed).toBe(false);
    go.resolve();
    await closing;
    await worker.close();
    expect(await there.find(first ?? '')).toMatchObject({ state: 'completed', result: 'done anyway' });
    expect(await there.find(second ?? '')).toMatchObject({ state: 'waiting', attempts: 0 });
  });

  test('closing a worker does not wait for ever', async () => {
    const begun = createSignal();
    const go = createSignal();
    const worker = here.work(
      {
        endless: async () => {
          begun.resolve();
          await go.promise;
          return undefined;
        },
      },
      { concurrency: 1, closeTimeoutMs: 200 },
    );
    await here.add('endless', {});
    await begun.promise;
    const from = performance.now();
    await worker.close();
    expect(performance.now() - from).toBeLessThan(2_000);
    go.resolve();
  });

  test('a job that gives up because its worker closes is handed back, and costs no attempt', async () => {
    const begun = createSignal();
    const worker = here.work(
      {
        obedient: (job) =>
          new Promise((_, reject) => {
            job.signal.addEventListener('abort', () => reject(new Error('stopped')));
            begun.resolve();
          }),
      },
      { concurrency: 1 },
    );
    const id = await here.add('obedient', {});
    await begun.promise;
    await worker.close();
    expect(await there.find(id)).toMatchObject({ state: 'waiting', attempts: 0 });
    there.work({ obedient: async (job) => job.attempt }, { concurrency: 1 });
    expect(await waitUntilState(there, id, 'completed')).toMatchObject({ result: 1, attempts: 1 });
  });

  test('of finished jobs as many are kept as the policy says', async () => {
    await closeAll();
    const hour = 3_600_000;
    await open({ attempts: 1, keepCompleted: { count: 2, ageMs: hour }, keepFailed: { count: 3, ageMs: hour } });
    here.work(
      {
        good: async () => undefined,
        bad: () => Promise.reject(new Error('bad')),
      },
      { concurrency: 1 },
    );
    const good: string[] = [];
    const bad: string[] = [];
    for (let n = 0; n < 5; n++) {
      good.push(await here.add('good', {}));
      await waitUntilState(here, good[n] ?? '', 'completed');
      bad.push(await here.add('bad', {}));
      await waitUntilState(here, bad[n] ?? '', 'failed');
    }
    expect(await there.counts()).toMatchObject({ completed: 2, failed: 3 });
    for (const id of [...good.slice(0, 3), ...bad.slice(0, 2)]) expect(await there.find(id)).toBeUndefined();
    for (const id of bad.slice(2)) expect(await there.find(id)).toMatchObject({ reason: 'bad' });
    expect(await there.add('good', {}, { id: good[0] })).toBe(good[0]);
    await waitUntilState(there, good[0] ?? '', 'completed');
  });

  test('jobs of a state are listed, those that were added last first', async () => {
    here.work({ fail: async () => Promise.reject(new PermanentJobError('broken')) }, { concurrency: 1 });
    const failed: string[] = [];
    for (let i = 0; i < 3; i++) {
      const id = await here.add('fail', {});
      await waitUntilState(here, id, 'failed');
      failed.unshift(id);
    }
    const later = await there.add('fail', {}, { delayMs: 3_600_000 });
    const idsOf = async (...query: Parameters<JobQueue['list']>) => (await there.list(...query)).map(({ id }) => id);
    expect(await idsOf('failed', 100)).toEqual(failed);
    expect(await idsOf('failed', 2)).toEqual(failed.slice(0, 2));
    expect(await idsOf('delayed', 100)).toEqual([later]);
    expect(await idsOf('completed', 100)).toEqual([]);
    expect((await there.list('failed', 1))[0]).toEqual(await there.find(failed[0] ?? ''));
  });

  test('a failed job runs again when it is retried, with all its attempts, and no other job does', async () => {
    await here.close();
    await open({ attempts: 2 });
    const ran: RunningJob[] = [];
    let isBroken = true;
    here.work(
      {
        mend: async (job) => {
          ran.push(job);
          if (isBroken) throw new Error('not yet');
          return 'done';
        },
      },
      { concurrency: 1 },
    );
    const id = await here.add('mend', {});
    await waitUntilState(here, id, 'failed');
    isBroken = false;
    expect(await there.retry(id)).toBe('retried');
    expect(await waitUntilState(there, id, 'completed')).toMatchObject({ attempts: 1, result: 'done' });
    expect(ran.map(({ attempt, lastAttempt }) => ({ attempt, lastAttempt }))).toEqual([
      { attempt: 1, lastAttempt: false },
      { attempt: 2, lastAttempt: true },
      { attempt: 1, lastAttempt: false },
    ]);
    expect(await there.retry(id)).toBe('not_failed');
    for (const unknown of ['nobody', '__proto__', 'a:b', '']) expect(await there.retry(unknown)).toBe('unknown');
    expect(ran).toHaveLength(3);
  });

  test('a queue that is closed says so, and may be closed again', async () => {
    await here.close();
    await here.close();
    await expect(here.add('x', {})).rejects.toThrow(JobsUnavailableError);
    await expect(here.addAll([{ name: 'x', data: {} }])).rejects.toThrow(JobsUnavailableError);
    await expect(here.find('x')).rejects.toThrow(JobsUnavailableError);
    await expect(here.repeat('x', 1_000)).rejects.toThrow(JobsUnavailableError);
    await expect(here.counts()).rejects.toThrow(JobsUnavailableError);
  });

  test('attempts are counted and timed by name and outcome, and the log has no data', async () => {
    const go = createSignal();
    const begun = createSignal();
    here.work(
      {
        once: async () => 'result-of-it',
        twice: async (job) => {
          if (job.attempt === 1) throw new Error('not yet');
          return undefined;
        },
        never: () => Promise.reject(new PermanentJobError('no')),
        now: async () => {
          begun.resolve();
          await go.promise;
          return undefined;
        },
      },
      { concurrency: 1 },
    );
    const data = { text: 'secret-data' };
    const ids = await here.addAll(['once', 'never', 'made-up', 'twice'].map((name) => ({ name, data })));
    await waitUntilState(here, ids[3] ?? '', 'completed');
    await here.add('now', data);
    await begun.promise;
    await here.add('now', data, { delayMs: 3_600_000 });
    const text = await metrics.registry.metrics();
    const sample = (rest: string) => text.split('\n').find((line) => line.startsWith(rest));
    const total = (name: string, outcome: string) =>
      sample(`messagebox_jobs_total{queue="${here.name}",name="${name}",outcome="${outcome}"`)?.split(' ').pop();
    expect({
      once: total('once', 'completed'),
      never: total('never', 'failed'),
      madeUp: total('other', 'failed'),
      retried: total('twice', 'retried'),
      twice: total('twice', 'completed'),
    }).toEqual({ once: '1', never: '1', madeUp: '1', retried: '1', twice: '1' });
    expect(text).toMatch(/^messagebox_job_duration_seconds_count\{.*name="twice".*\} 2$/m);
    const kept = (state: string) =>
      sample(`messagebox_jobs_kept{queue="${here.name}",state="${state}"`)?.split(' ').pop();
    expect(['waiting', 'delayed', 'active', 'completed', 'failed'].map(kept)).toEqual(['0', '1', '1', '2', '2']);
    expect(text).not.toContain('made-up');
    go.resolve();
    const lines = log.join('');
    expect(lines).toContain('"reason":"not yet"');
    for (const secret of ['secret-data', 'result-of-it']) expect(lines).not.toContain(secret);
  });
}
