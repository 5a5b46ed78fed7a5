import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { waitUntil } from '../acceptance/history.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { lookUpAds, readAds } from './ads.js';
import { ORIGIN } from './deployment.js';
import { Operator } from './operator.js';

const BOTH = readAds(ORIGIN);
const operator = new Operator();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Standalone {
  readonly service: ServiceProcess;
  readonly folder: string;
  /** Runs a job to its end. */
  done(name: 'advertise' | 'revoke' | 'rebroadcast'): Promise<Readonly<Record<string, readonly string[]>> | undefined>;
  log(message: string): Record<string, unknown>[];
}

async function standalone(env: Record<string, string>): Promise<Standalone> {
  const folder = createTemporaryFolder();
  closers.push(() => folder.remove());
  const service = await startService({
    name: 'standalone',
    env: { HOST: '127.0.0.1', DATA_DIR: folder.path, ADMIN_IDENTITY_KEYS: operator.key, ...env },
  });
  closers.push(() => service.kill());
  return {
    service,
    folder: folder.path,
    async done(name) {
      const id = await operator.post(service.url, name);
      return (await operator.waitForJob(service.url, id)).result;
    },
    log: (message) => service.logs.flatMap((line) => (line.includes(`"msg":"${message}"`) ? [JSON.parse(line)] : [])),
  };
}

/** Asks a process whether it has loaded the wallet toolbox. */
const ASKING = {
  NODE_OPTIONS: `--require ${resolve(import.meta.dirname, '../support/loaded-modules.cjs')}`,
  MODULE_ASKED_FOR: '@bsv/wallet-toolbox',
};

async function hasLoadedToolbox({ service, log }: Standalone): Promise<boolean> {
  const before = log('module').length;
  process.kill(service.pid, 'SIGUSR2');
  await waitUntil('the process has answered', () => log('module').length > before);
  return log('module').at(-1)?.['loaded'] === true;
}

describe('standalone', () => {
  test('advertises itself at the start, and keeps the operator’s decision after restarts', async () => {
    const host = await standalone({ HOSTING_DOMAIN: ORIGIN });
    const { service } = host;
    await waitUntil('it is found', async () => (await lookUpAds(service.url)).length === 2, 30_000);
    expect(await operator.ads(service.url)).toEqual(BOTH);

    await service.restart();
    expect(await host.done('advertise')).toMatchObject({ advertised: BOTH, created: [], transactions: [] });
    expect(await lookUpAds(service.url)).toEqual(BOTH);

    expect(await host.done('revoke')).toMatchObject({ advertised: [], revoked: BOTH });
    expect(await lookUpAds(service.url)).toEqual([]);
    expect(await operator.ads(service.url)).toEqual([]);

    await service.restart();
    expect(await host.done('rebroadcast')).toMatchObject({ advertised: [], transactions: [] });
    expect(await lookUpAds(service.url)).toEqual([]);

    expect(await host.done('advertise')).toMatchObject({ advertised: BOTH, created: BOTH });
    expect(await lookUpAds(service.url)).toEqual(BOTH);
    expect(await operator.ads(service.url)).toEqual(BOTH);

    await service.restart({ env: { HOSTING_DOMAIN: 'https://messagebox-two.com' } });
    const moved = readAds('https://messagebox-two.com');
    expect(await host.done('advertise')).toMatchObject({ advertised: moved });
    expect(await lookUpAds(service.url)).toEqual(moved);
  }, 120_000);

  test('advertises once when many requests arrive at the same time', async () => {
    const { service } = await standalone({ HOSTING_DOMAIN: ORIGIN });
    const ids = await Promise.all(Array.from({ length: 10 }, () => operator.post(service.url, 'advertise')));
    for (const id of ids) expect((await operator.waitForJob(service.url, id)).result?.['advertised']).toEqual(BOTH);
    expect(await lookUpAds(service.url)).toEqual(BOTH);
  }, 60_000);

  test.each([
    [undefined, 'HOSTING_DOMAIN is not set'],
    ['http://messagebox-one.com', 'HOSTING_DOMAIN is not an https origin'],
    ['http://localhost:8080', 'HOSTING_DOMAIN is not an https origin'],
    ['https://localhost', 'HOSTING_DOMAIN is not a public name'],
    ['https://10.0.0.1', 'HOSTING_DOMAIN is not a public name'],
    [
      'https://messagebox-one.com/api',
      'HOSTING_DOMAIN must be an origin without a path, such as https://messagebox.example',
    ],
    [
      'https://me:hunter2@messagebox-one.com',
      'HOSTING_DOMAIN must be an origin without a path, such as https://messagebox.example',
    ],
    ['not a host', 'HOSTING_DOMAIN is not an https origin'],
  ])(
    'advertises nothing at %p, logs the reason once, and does not open the wallet',
    async (domain, reason) => {
      const host = await standalone({ ...ASKING, ...(domain === undefined ? {} : { HOSTING_DOMAIN: domain }) });
      expect(await host.done('advertise')).toMatchObject({ advertised: [], transactions: [] });
      expect(await host.done('rebroadcast')).toMatchObject({ advertised: [], transactions: [] });
      // Without a domain the operator has not asked for it, so the level is not warn.
      const level = domain === undefined ? 30 : 40;
      expect(host.log('this host is not advertised')).toEqual([expect.objectContaining({ level, reason })]);
      expect(host.service.logs.join('\n')).not.toContain('hunter2');
      expect(await operator.ads(host.service.url)).toEqual([]);
      expect(await lookUpAds(host.service.url)).toEqual([]);
      expect(existsSync(join(host.folder, 'messagebox-local-wallet.sqlite'))).toBe(false);
      // Loading the toolbox takes a second and many megabytes.
      expect(await hasLoadedToolbox(host)).toBe(false);
    },
    60_000,
  );

  test('opens the wallet when its address can be advertised', async () => {
    const host = await standalone({ ...ASKING, HOSTING_DOMAIN: ORIGIN });
    await host.done('advertise');
    expect(host.log('this host is not advertised')).toEqual([]);
    expect(existsSync(join(host.folder, 'messagebox-local-wallet.sqlite'))).toBe(true);
    expect(await hasLoadedToolbox(host)).toBe(true);
  }, 60_000);

  describe('on a public network', () => {
    const PUBLIC = { NETWORK: 'test', HOSTING_DOMAIN: ORIGIN, SLAP_TRACKERS: 'http://127.0.0.1:1' };

    test('retries, logs the reason and serves while the wallet storage is unavailable', async () => {
      const host = await standalone({ ...PUBLIC, WALLET_STORAGE_URL: 'http://127.0.0.1:1' });
      const { url } = host.service;
      const id = await operator.post(url, 'advertise');
      const job = await operator.waitForJob(url, id, ({ attempts, state }) => attempts >= 2 && state === 'delayed');
      expect(job.reason).toBe('The wallet storage at WALLET_STORAGE_URL can not be used.');
      expect(await lookUpAds(url)).toEqual([]);
      expect(await operator.ads(url)).toEqual([]);
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      expect(host.log('unhandled')).toEqual([]);
    }, 60_000);

    test('advertises nothing without a wallet storage, and logs the reason once', async () => {
      const host = await standalone(PUBLIC);
      expect(await host.done('advertise')).toMatchObject({ advertised: [], transactions: [] });
      expect(host.log('this host is not advertised')).toEqual([
        expect.objectContaining({ reason: 'WALLET_STORAGE_URL is not set' }),
      ]);
    }, 60_000);
  });
});
