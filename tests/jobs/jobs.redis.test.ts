import { join } from 'node:path';
import {
  connectRedis,
  createLogger,
  type JobPolicy,
  type JobQueue,
  JobsUnavailableError,
  Metrics,
  RedisJobQueue,
  type RedisJobTimes,
} from '@messagebox/shared';
import { type ManagedProcess, startProcess } from '@messagebox/test-support/managed-process';
import { createSignal } from '@messagebox/test-support/signal';
import { waitUntilState } from '@messagebox/test-support/wait-until-state';
import { describeWithRedis, type TestRedis } from '@messagebox/test-support/with-redis';
import { Redis } from 'ioredis';
import { watchProcess } from '../bad-input/server.js';
import { describeWithManagedRedis, type ManagedServer, startRedisServer } from '../support/managed-servers.js';
import { withProcessTimeout } from '../support/process-timeout.js';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { type JobQueueTestOptions, jobsSuite, QUICK_POLICY } from './jobs-suite.js';

/** A job whose worker was killed is run again soon. */
const times: RedisJobTimes = { lockMs: 1_000, stalledCheckIntervalMs: 300, renewIntervalMs: 300 };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Opened {
  readonly queue: JobQueue;
  readonly log: string[];
}

/** A queue as one process has it. */
async function open(at: TestRedis, given: Partial<JobQueueTestOptions> = {}): Promise<Opened> {
  const log: string[] = [];
  const parts = {
    log: createLogger('test', 'info', { write: (line) => void log.push(line) }),
    metrics: new Metrics('test', {}),
    ...given,
  };
  const redis = await connectRedis(at.url, parts.log);
  closers.push(() => redis.close());
  const queue = new RedisJobQueue('test', { redis, prefix: at.prefix, times, ...parts }, given.policy ?? QUICK_POLICY);
  closers.push(() => queue.close());
  return { queue, log };
}

let prefixes = 0;
/** A queue of its own for a test, on the same server. */
const apart = (at: TestRedis): TestRedis => ({ url: at.url, prefix: `${at.prefix}${++prefixes}` });

describeWithRedis('jobs in Redis', (redis) => {
  jobsSuite(async (parts) => {
    const at = apart(redis);
    return [(await open(at, parts)).queue, (await open(at, parts)).queue];
  });

  /** Another process that works the queue. */
  const worker = (at: TestRedis, mode: string, policy: JobPolicy = QUICK_POLICY, name = 'deed'): ManagedProcess => {
    const settings = JSON.stringify({ ...at, policy, times, name, mode });
    const child = startProcess(process.execPath, [join(import.meta.dirname, 'worker.mjs'), settings]);
    closers.push(() => child.terminate('SIGKILL'));
    return child;
  };

  test('a job whose worker is killed in the middle is done by another one', async () => {
    const at = apart(redis);
    const { queue } = await open(at);
    const id = await queue.add('deed', {});
    const killed = worker(at, 'hang');
    await killed.waitForLine((line) => line === `begun ${id}`);
    const other = worker(at, 'work');
    await other.waitForLine((line) => line === 'working');
    await killed.terminate('SIGKILL');
    await other.waitForLine((line) => line === `done ${id}`);
    expect(await waitUntilState(queue, id, 'completed')).toMatchObject({ result: other.pid, attempts: 1 });
  });

  test('while its worker lives, a job that takes longer than the lock is left alone', async () => {
    const at = apart(redis);
    const { queue } = await open(at);
    const other = await open(at);
    const begun = createSignal();
    const go = createSignal();
    const seen: string[] = [];
    const handler = async (job: { id: string }) => {
      seen.push(job.id);
      if (seen.length > 1) return undefined;
      begun.resolve();
      await go.promise;
      return 'by the first';
    };
    const tick = async () => undefined;
    queue.work({ deed: handler, tick }, { concurrency: 1 });
    other.queue.work({ deed: handler, tick }, { concurrency: 1 });
    const id = await queue.add('deed', {});
    await begun.promise;
    // Long enough for the lock to end and for the check to find it so.
    const later = await queue.add('tick', {}, { delayMs: times.lockMs + 3 * times.stalledCheckIntervalMs });
    await waitUntilState(queue, later, 'completed');
    go.resolve();
    expect(await waitUntilState(queue, id, 'completed')).toMatchObject({ result: 'by the first' });
    expect(seen).toEqual([id]);
  });

  test.each(['added', 'repeated'])('a job (%s) that kills its worker each time ends as failed', async (kind) => {
    const at = apart(redis);
    const policy = { ...QUICK_POLICY, maxStalls: 2 };
    const { queue, log } = await open(at, { policy });
    if (kind === 'added') await queue.add('deed', {}, { id: 'poison' });
    else await queue.repeat('deed', 3_600_000);
    for (let n = 0; n < 3; n++) {
      const victim = worker(at, 'die', policy);
      expect(await victim.exited).toEqual({ code: null, signal: 'SIGKILL' });
    }
    const failed = createSignal<string>();
    const timer = setInterval(() => {
      const line = log.find((one) => one.includes('"msg":"job failed"'));
      if (line !== undefined) failed.resolve((JSON.parse(line) as { id: string }).id);
    }, 20);
    closers.push(() => clearInterval(timer));
    const handle = jest.fn(async () => undefined);
    queue.work({ deed: handle }, { concurrency: 1 });
    const id = await failed.promise;
    expect(await waitUntilState(queue, id, 'failed')).toMatchObject({ reason: 'it lost its worker 3 times' });
    expect(handle).not.toHaveBeenCalled();
    // The queue goes on.
    const next = await queue.add('deed', {});
    await waitUntilState(queue, next, 'completed');
  });

  test('who opens a queue does not load BullMQ until it is used', async () => {
    const child = worker(apart(redis), 'open');
    await child.waitForLine((line) => line === 'loaded true');
    expect(child.lines.filter((line) => line.startsWith('loaded'))).toEqual(['loaded false', 'loaded true']);
  });
});

describeWithManagedRedis('jobs on a Redis of their own', () => {
  let server: ManagedServer;
  let proxy: TcpProxy;
  let at: TestRedis;
  beforeEach(async () => {
    server = (await startRedisServer()) as ManagedServer;
    proxy = await createTcpProxy({ target: server.url });
    at = { url: proxy.url, prefix: 'away' };
    closers.push(
      () => server.close(),
      () => proxy.close(),
    );
  });

  /** Every call fails as it should, and within a second of this process's own time. */
  async function expectUnavailable(queue: JobQueue): Promise<void> {
    const calls: (() => Promise<unknown>)[] = [
      () => queue.add('deed', {}),
      () => queue.addAll([{ name: 'deed', data: {} }]),
      () => queue.find('any'),
      () => queue.repeat('deed', 1_000),
      () => queue.counts(),
    ];
    for (const call of calls) {
      await expect(withProcessTimeout(1_000, call())).rejects.toThrow(JobsUnavailableError);
    }
  }

  const begins = (log: readonly string[], text: string) => log.filter((line) => line.includes(text));

  test.each(['before the first use', 'after it'])('calls fail within a second, %s', async (when) => {
    const watch = watchProcess();
    closers.push(watch.stop);
    const { queue } = await open(at);
    if (when === 'after it') await queue.add('deed', {}, { id: 'before' });
    proxy.refuse();
    proxy.cut();
    await expectUnavailable(queue);
    await proxy.accept();
    await untilAvailable(queue);
    await queue.add('deed', {}, { id: 'after' });
    expect(await queue.find('after')).toMatchObject({ state: 'waiting' });
    expect(watch.trouble).toEqual([]);
  });

  test.each(['before the first use', 'after it'])('calls fail within a second when it hangs, %s', async (when) => {
    const { queue } = await open(at);
    if (when === 'after it') await queue.counts();
    server.pause();
    await expectUnavailable(queue);
    server.resume();
    await untilAvailable(queue);
    expect(await queue.add('deed', {}, { id: 'after' })).toBe('after');
  });

  test('a worker goes on afterwards, with the job it had and with new ones', async () => {
    const watch = watchProcess();
    closers.push(watch.stop);
    const { queue, log } = await open(at);
    const begun = createSignal();
    const go = createSignal();
    const seen: string[] = [];
    queue.work(
      {
        deed: async (job) => {
          seen.push(job.id);
          if (job.id === 'first') {
            begun.resolve();
            await go.promise;
          }
          return undefined;
        },
      },
      { concurrency: 2 },
    );
    await queue.add('deed', {}, { id: 'first' });
    await queue.add('deed', {}, { id: 'second' });
    await begun.promise;
    await waitUntilState(queue, 'second', 'completed');
    proxy.refuse();
    proxy.cut();
    await expectUnavailable(queue);
    go.resolve();
    await proxy.accept();
    await untilAvailable(queue);
    await waitUntilState(queue, 'first', 'completed');
    await queue.add('deed', {}, { id: 'third' });
    await waitUntilState(queue, 'third', 'completed');
    expect(seen).toEqual(expect.arrayContaining(['first', 'second', 'third']));
    expect(watch.trouble).toEqual([]);
    expect(begins(log, 'unhandled')).toEqual([]);
  });

  test('a worker that is started meanwhile begins when it is back', async () => {
    const { queue } = await open(at);
    await queue.add('deed', {}, { id: 'early' });
    proxy.refuse();
    proxy.cut();
    queue.work({ deed: async () => 'done' }, { concurrency: 1 });
    await proxy.accept();
    await untilAvailable(queue);
    expect(await waitUntilState(queue, 'early', 'completed')).toMatchObject({ result: 'done' });
  });

  test.each(['is gone', 'hangs'])('closing does not wait for a Redis that %s', async (how) => {
    const watch = watchProcess();
    closers.push(watch.stop);
    const { queue } = await open(at);
    const worker = queue.work({ deed: async () => undefined }, { concurrency: 1 });
    const id = await queue.add('deed', {});
    await waitUntilState(queue, id, 'completed');
    if (how === 'hangs') server.pause();
    else {
      proxy.refuse();
      proxy.cut();
    }
    await withProcessTimeout(
      4_000,
      worker.close().then(() => queue.close()),
    );
    server.resume();
    expect(watch.trouble).toEqual([]);
  });

  test('a Redis that comes back without its data is asked for the schedules again', async () => {
    const { queue } = await open(at);
    let ran = createSignal();
    queue.work({ tick: async () => void ran.resolve() as undefined }, { concurrency: 1 });
    await queue.repeat('tick', 200);
    await ran.promise;
    await server.stop();
    ran = createSignal();
    await server.start();
    await untilAvailable(queue);
    await ran.promise;
  });

  test('so is one that loses its data while it runs', async () => {
    const { queue, log } = await open(at);
    let ran = createSignal();
    queue.work({ tick: async () => void ran.resolve() as undefined }, { concurrency: 1 });
    await queue.repeat('tick', 200, { first: 'later' });
    await ran.promise;
    const client = new Redis(server.url);
    closers.push(() => client.disconnect());
    await client.flushall();
    // One that was running then may still end.
    for (let n = 0; n < 3; n++) {
      ran = createSignal();
      await ran.promise;
    }
    expect(begins(log, 'could not renew')).toEqual([]);
  });

  test('a worker whose connections have fallen silent works on', async () => {
    const proxy = await createTcpProxy({ target: server.url });
    closers.push(() => proxy.close());
    const { queue } = await open(at);
    const behind = await open({ ...at, url: proxy.url });
    behind.queue.work({ deed: async () => undefined }, { concurrency: 1 });
    await waitUntilState(queue, await queue.add('deed', {}), 'completed');
    proxy.stall();
    await waitUntilState(queue, await queue.add('deed', {}), 'completed');
  });

  test('one that may evict jobs is told of once; one that may not, never', async () => {
    const client = new Redis(server.url);
    closers.push(() => client.disconnect());
    const quiet = await open(at);
    await use(quiet.queue);
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const warned = await open({ ...at, prefix: 'warned' });
    const said = jest.spyOn(console, 'warn').mockImplementation();
    await use(warned.queue);
    await use(warned.queue);
    expect(begins(quiet.log, 'maxmemory-policy')).toEqual([]);
    const lines = begins(warned.log, 'maxmemory-policy');
    expect(lines.map((line) => (JSON.parse(line) as { policy: string }).policy)).toEqual(['allkeys-lru']);
    expect(said).not.toHaveBeenCalled();
    said.mockRestore();
  });

  test('every key begins with the prefix', async () => {
    const { queue } = await open(at);
    const client = new Redis(server.url);
    closers.push(() => client.disconnect());
    const id = await queue.add('deed', {});
    queue.work({ deed: async () => undefined }, { concurrency: 1 });
    await waitUntilState(queue, id, 'completed');
    // Nobody else is on this server.
    const keys = await client.keys('*');
    expect(keys).toContain(`${at.prefix}:jobs:test:j.${id}`);
    expect(keys.filter((key) => !key.startsWith(`${at.prefix}:`))).toEqual([]);
  });

  async function use(queue: JobQueue): Promise<void> {
    const worker = queue.work({ deed: async () => undefined }, { concurrency: 1 });
    await waitUntilState(queue, await queue.add('deed', {}), 'completed');
    await worker.close();
  }
});

/** Until a queue can be asked again. */
async function untilAvailable(queue: JobQueue): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      await queue.counts();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
