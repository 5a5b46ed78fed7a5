import { resolve } from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { waitUntil } from '../acceptance/history.js';
import { createPeople } from '../acceptance/people.js';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
const person = createPeople();

async function startStandalone(env: Record<string, string>): Promise<ServiceProcess> {
  const folder = createTemporaryFolder();
  closers.push(() => folder.remove());
  const service = await startService({ name: 'standalone', env: { HOST: '127.0.0.1', DATA_DIR: folder.path, ...env } });
  closers.push(() => service.kill());
  return service;
}

async function startReceiver(answer: OtlpReceiver['answer']): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver();
  closers.push(() => receiver.close());
  receiver.answer = answer;
  return receiver;
}

async function sendAndList(url: string, count: number): Promise<void> {
  const [alice, bob] = [person(), person()];
  for (let i = 0; i < count; i++) {
    const message = { recipient: bob.key, messageBox: 'inbox', messageId: `${i}`, body: 'hello' };
    expect(await alice.send(url, message)).toMatchObject({ status: 200 });
  }
  expect(await bob.listIds(url, 'inbox')).toHaveLength(count);
}

describe('the receiver of traces', () => {
  test('requests are served while it does not answer, and the process ends in its grace time', async () => {
    const receiver = await startReceiver('nothing');
    const service = await startStandalone({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      // Whoever waited for the receiver would wait for a minute, and the test fails before.
      OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
      OTEL_BSP_SCHEDULE_DELAY: '10',
      SHUTDOWN_GRACE_SECONDS: '2',
    });
    await sendAndList(service.url, 3);
    await waitUntil('an export is under way', () => receiver.requests > 0);
    await sendAndList(service.url, 20);
    expect(receiver.spans).toEqual([]);
    expect(await service.stop()).toBe(0);
  });

  test('requests are served while it refuses, and one line says so', async () => {
    const receiver = await startReceiver('error');
    const service = await startStandalone({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '10',
    });
    await sendAndList(service.url, 3);
    await service.waitForLog('"msg":"traces could not be exported"');
    const requests = receiver.requests;
    await sendAndList(service.url, 3);
    await waitUntil('more exports were refused', () => receiver.requests > requests + 1);
    expect(service.logs.filter((line) => line.includes('traces could not be exported'))).toHaveLength(1);
    receiver.answer = 'success';
    await sendAndList(service.url, 3);
    await service.waitForLog('"msg":"traces are exported again"');
    expect(receiver.spans.length).toBeGreaterThan(0);
    expect(await service.stop()).toBe(0);
  });

  test('requests are served while nobody listens there', async () => {
    const receiver = await startReceiver('success');
    await receiver.close();
    closers.pop();
    const service = await startStandalone({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '100',
      OTEL_BSP_SCHEDULE_DELAY: '10',
      SHUTDOWN_GRACE_SECONDS: '2',
    });
    await sendAndList(service.url, 3);
    await service.waitForLog('"msg":"traces could not be exported"');
    await sendAndList(service.url, 3);
    expect(await service.stop()).toBe(0);
  });

  test('a process that stops exports what it has', async () => {
    const receiver = await startReceiver('success');
    const service = await startStandalone({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`,
      OTEL_BSP_SCHEDULE_DELAY: '60000',
      OTEL_SERVICE_NAME: 'my-box',
    });
    await sendAndList(service.url, 3);
    expect(receiver.requests).toBe(0);
    expect(await service.stop()).toBe(0);
    const sends = receiver.spans.filter(({ name }) => name === 'POST /sendMessage');
    expect(sends).toHaveLength(3);
    expect(sends[0]).toMatchObject({ service: 'my-box' });
  });

  test('records the share of traces that is asked for', async () => {
    const receiver = await startReceiver('success');
    const service = await startStandalone({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    await sendAndList(service.url, 3);
    expect(await service.stop()).toBe(0);
    expect(receiver.spans).toEqual([]);
  });
});

describe('OpenTelemetry', () => {
  /** Every other package of it requires this one. `@opentelemetry/api` is loaded by the metrics library. */
  const ASKING = {
    NODE_OPTIONS: `--require ${resolve(import.meta.dirname, '../support/loaded-modules.cjs')}`,
    MODULE_ASKED_FOR: '@opentelemetry/core',
  };

  async function isLoaded(service: ServiceProcess): Promise<unknown> {
    process.kill(service.pid, 'SIGUSR2');
    return (JSON.parse(await service.waitForLog('"msg":"module"')) as { loaded: unknown }).loaded;
  }

  test('is not loaded without a receiver', async () => {
    const service = await startStandalone(ASKING);
    await sendAndList(service.url, 1);
    expect(await isLoaded(service)).toBe(false);
  });

  test('is loaded for a receiver', async () => {
    const receiver = await startReceiver('success');
    const service = await startStandalone({ ...ASKING, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    expect(await isLoaded(service)).toBe(true);
  });
});
