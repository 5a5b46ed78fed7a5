import { Health } from '@messagebox/shared';
import { createPaymentWarmUp, type PaymentWarmUpOptions } from '../src/payment-warm-up.js';

/** A process whose loading the test finishes. */
function createProcess(config: Partial<PaymentWarmUpOptions['config']>) {
  const loading = createDeferred();
  const health = new Health();
  const calls = { preload: 0, warn: 0 };
  const warmUp = createPaymentWarmUp({
    config: { nodeEnv: 'production', network: 'local', walletStorageUrl: undefined, ...config },
    health,
    bsv: {
      chain: {
        preload: () => {
          calls.preload += 1;
          return loading.promise;
        },
      },
    },
    log: {
      warn: () => {
        calls.warn += 1;
      },
    } as unknown as PaymentWarmUpOptions['log'],
  });
  return { loading, health, calls, warmUp };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

function createDeferred() {
  let resolve = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((onDone, onError) => {
    resolve = onDone;
    reject = onError;
  });
  return { promise, resolve, reject };
}

test.each([{ network: 'local' }, { network: 'main', walletStorageUrl: 'https://storage.example' }] as const)(
  'the process is not ready before the code for payments is loaded: %j',
  async (config) => {
    const { loading, health, calls, warmUp } = createProcess(config);
    expect(calls.preload).toBe(0);
    expect(await health.report()).toEqual({
      status: 'not ready',
      checks: { payments: 'the code for payments is being loaded' },
    });
    warmUp();
    await settle();
    expect((await health.report()).status).toBe('not ready');
    loading.resolve();
    await settle();
    expect(await health.report()).toEqual({ status: 'ready', checks: { payments: 'ok' } });
    expect(calls).toEqual({ preload: 1, warn: 0 });
  },
);

test('a failure is logged, and the process is ready', async () => {
  const { loading, health, calls, warmUp } = createProcess({});
  warmUp();
  loading.reject(new Error('there is no such file'));
  await settle();
  expect(await health.report()).toMatchObject({ status: 'ready' });
  expect(calls.warn).toBe(1);
});

test.each([
  ['in development', { nodeEnv: 'development' }],
  ['in tests', { nodeEnv: 'test' }],
  ['without a wallet', { network: 'main', walletStorageUrl: undefined }],
] as const)('nothing is loaded %s', async (_when, config) => {
  const { health, calls, warmUp } = createProcess(config);
  warmUp();
  await settle();
  expect(calls.preload).toBe(0);
  expect(await health.report()).toEqual({ status: 'ready', checks: {} });
});
