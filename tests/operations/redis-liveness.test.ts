import { waitUntil } from '@messagebox/test-kit';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { startService } from '../support/service-process.js';
import { createTcpProxy } from '../support/tcp-proxy.js';
import { openInstance } from './room-event-instance.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describeWithRedis('the connections to Redis', ({ url, prefix }) => {
  test('when they fall silent, health, metric and log say so until they are replaced', async () => {
    const proxy = await createTcpProxy({ target: url });
    closers.push(() => proxy.close());
    const folder = createTemporaryFolder();
    const service = await startService({
      name: 'standalone',
      env: {
        DATA_DIR: folder.path,
        REDIS_URL: proxy.url,
        REDIS_PREFIX: prefix,
        HOST: '127.0.0.1',
        INTERNAL_PORT: '0',
        INTERNAL_HOST: '127.0.0.1',
      },
    });
    closers.push(() => service.stop());
    const internal = JSON.parse(await service.waitForLog('metrics and health')).url;
    const readMetric = async () => /^messagebox_redis_up\{.*\} (.*)$/m.exec(await read(`${internal}/metrics`))?.[1];
    const readHealth = async () => JSON.parse(await read(`${internal}/health/ready`));
    expect(await readHealth()).toMatchObject({ status: 'ready', checks: { redis: 'ok' } });
    expect(await readMetric()).toBe('1');

    proxy.stall();
    let problem = '';
    await waitUntil('the metric tells', async () => (await readMetric()) === '0');
    await waitUntil('health tells', async () => {
      const { status, checks } = await readHealth();
      expect(status).toBe('ready');
      problem = checks.redis;
      return problem !== 'ok';
    });
    expect(problem).toMatch(/^(command|subscriber) connection (has not answered|is \w+, down) since \d{4}-\d\d-\d\dT/);
    await waitUntil('health tells of the end', async () => (await readHealth()).checks.redis === 'ok');
    expect(await readMetric()).toBe('1');

    for (const connection of ['command', 'subscriber']) {
      const lines = service.logs
        .filter((line) => line.includes(`"connection":"${connection}"`))
        .map((line) => JSON.parse(line));
      expect(lines).toMatchObject([
        { level: 40, msg: 'Redis connection lost', reason: 'no answer within 3000 ms' },
        { level: 30, msg: 'Redis connection restored' },
      ]);
    }
    expect(await read(`${internal}/metrics`)).toMatch(/^messagebox_room_events_unpublished_total\{.*\} 0$/m);
  });

  test('a process that was held up does not take that for silence', async () => {
    const instance = await openInstance(url, prefix, { heartbeat: { intervalMs: 200, maxSilentIntervals: 5 } });
    closers.push(() => instance.close());
    const end = performance.now() + 3_000;
    while (performance.now() < end);
    const resumedAt = Date.now();
    const { commands, subscriber } = instance.clients.monitors;
    await waitUntil(
      'both have answered',
      () => commands.lastAnswer.time > resumedAt && subscriber.lastAnswer.time > resumedAt,
    );
    expect(instance.log.all).toEqual([]);
    expect(instance.gaps.all).toEqual([]);
  });

  test('a lost connection is made again after 250 ms at first, and after 2 s at last', async () => {
    const instance = await openInstance(url, prefix);
    closers.push(() => instance.close());
    for (const { options } of [instance.clients.commands, instance.clients.subscriber]) {
      const delays = [1, 2, 3, 4, 5, 100].map((attempt) => options.retryStrategy?.(attempt));
      expect(delays).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000]);
    }
  });
});

async function read(url: string): Promise<string> {
  return await (await fetch(url)).text();
}
