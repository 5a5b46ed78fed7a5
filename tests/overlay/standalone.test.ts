import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { until } from '../acceptance/history.js';
import { temporaryFolder } from '../support/own-process.js';
import { type ServiceProcess, startService } from '../support/processes.js';
import { adsAt, adsFoundAt } from './ads.js';
import { ORIGIN } from './deployment.js';
import { Operator } from './operator.js';

const BOTH = adsAt(ORIGIN);
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
  const folder = temporaryFolder();
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
      return (await operator.untilJob(service.url, id)).result;
    },
    log: (message) => service.logs.flatMap((line) => (line.includes(`"msg":"${message}"`) ? [JSON.parse(line)] : [])),
  };
}

/** Tells of a process whether it has loaded the wallet toolbox. */
const ASKING = {
  NODE_OPTIONS: `--require ${resolve(import.meta.dirname, '../support/loaded-modules.cjs')}`,
  MODULE_ASKED_FOR: '@bsv/wallet-toolbox',
};

async function hasLoadedToolbox({ service, log }: Standalone): Promise<boolean> {
  const before = log('module').length;
  process.kill(service.pid, 'SIGUSR2');
  await until('it has answered', () => log('module').length > before);
  return log('module').at(-1)?.['loaded'] === true;
}

describe('standalone', () => {
  test('advertises itself at the start; restarts keep that, and what the operator has decided', async () => {
    const host = await standalone({ HOSTING_DOMAIN: ORIGIN });
    const { service } = host;
    await until('it is found', async () => (await adsFoundAt(service.url)).length === 2, 30_000);
    expect(await operator.ads(service.url)).toEqual(BOTH);

    await service.restart();
    expect(await host.done('advertise')).toMatchObject({ advertised: BOTH, created: [], transactions: [] });
    expect(await adsFoundAt(service.url)).toEqual(BOTH);

    expect(await host.done('revoke')).toMatchObject({ advertised: [], revoked: BOTH });
    expect(await adsFoundAt(service.url)).toEqual([]);
    expect(await operator.ads(service.url)).toEqual([]);

    await service.restart();
    expect(await host.done('rebroadcast')).toMatchObject({ advertised: [], transactions: [] });
    expect(await adsFoundAt(service.url)).toEqual([]);

    expect(await host.done('advertise')).toMatchObject({ advertised: BOTH, created: BOTH });
    expect(await adsFoundAt(service.url)).toEqual(BOTH);
    expect(await operator.ads(service.url)).toEqual(BOTH);

    await service.restart({ env: { HOSTING_DOMAIN: 'https://messagebox-two.com' } });
    const moved = adsAt('https://messagebox-two.com');
    expect(await host.done('advertise')).toMatchObject({ advertised: moved });
    expect(await adsFoundAt(service.url)).toEqual(moved);
  }, 120_000);

  test('many requests at once end with one of each', async () => {
    const { service } = await standalone({ HOSTING_DOMAIN: ORIGIN });
    const ids = await Promise.all(Array.from({ length: 10 }, () => operator.post(service.url, 'advertise')));
    for (const id of ids) expect((await operator.untilJob(service.url, id)).result?.['advertised']).toEqual(BOTH);
    expect(await adsFoundAt(service.url)).toEqual(BOTH);
  }, 60_000);

  test.each([
    [undefined, 'HOSTING_DOMAIN is not set'],
    ['http://messagebox-one.com', 'HOSTING_DOMAIN is no https origin'],
    ['http://localhost:8080', 'HOSTING_DOMAIN is no https origin'],
    ['https://localhost', 'HOSTING_DOMAIN is not a name of the public internet'],
    ['https://10.0.0.1', 'HOSTING_DOMAIN is not a name of the public internet'],
    ['https://messagebox-one.com/api', 'HOSTING_DOMAIN is more than an origin such as https://messagebox.example'],
    [
      'https://me:hunter2@messagebox-one.com',
      'HOSTING_DOMAIN is more than an origin such as https://messagebox.example',
    ],
    ['not a host', 'HOSTING_DOMAIN is no https origin'],
  ])(
    'at %p advertises nothing, says why once, and opens no wallet',
    async (domain, reason) => {
      const host = await standalone({ ...ASKING, ...(domain === undefined ? {} : { HOSTING_DOMAIN: domain }) });
      expect(await host.done('advertise')).toMatchObject({ advertised: [], transactions: [] });
      expect(await host.done('rebroadcast')).toMatchObject({ advertised: [], transactions: [] });
      // Without a domain nobody has asked for it, so it is no warning.
      const level = domain === undefined ? 30 : 40;
      expect(host.log('this host is not advertised')).toEqual([expect.objectContaining({ level, reason })]);
      expect(host.service.logs.join('\n')).not.toContain('hunter2');
      expect(await operator.ads(host.service.url)).toEqual([]);
      expect(await adsFoundAt(host.service.url)).toEqual([]);
      expect(existsSync(join(host.folder, 'messagebox-local-wallet.sqlite'))).toBe(false);
      // A second of work at the start, and many megabytes, that nobody needs then.
      expect(await hasLoadedToolbox(host)).toBe(false);
    },
    60_000,
  );

  test('at an address that can be advertised the wallet is opened', async () => {
    const host = await standalone({ ...ASKING, HOSTING_DOMAIN: ORIGIN });
    await host.done('advertise');
    expect(host.log('this host is not advertised')).toEqual([]);
    expect(existsSync(join(host.folder, 'messagebox-local-wallet.sqlite'))).toBe(true);
    expect(await hasLoadedToolbox(host)).toBe(true);
  }, 60_000);

  describe('on a public network', () => {
    const PUBLIC = { NETWORK: 'test', HOSTING_DOMAIN: ORIGIN, SLAP_TRACKERS: 'http://127.0.0.1:1' };

    test('whose wallet storage is away retries, says why, and serves', async () => {
      const host = await standalone({ ...PUBLIC, WALLET_STORAGE_URL: 'http://127.0.0.1:1' });
      const { url } = host.service;
      const id = await operator.post(url, 'advertise');
      const job = await operator.untilJob(url, id, ({ attempts, state }) => attempts >= 2 && state === 'delayed');
      expect(job.reason).toBe('The wallet storage at WALLET_STORAGE_URL can not be used.');
      expect(await adsFoundAt(url)).toEqual([]);
      expect(await operator.ads(url)).toEqual([]);
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      expect(host.log('unhandled')).toEqual([]);
    }, 60_000);

    test('without a wallet storage advertises nothing, and says why once', async () => {
      const host = await standalone(PUBLIC);
      expect(await host.done('advertise')).toMatchObject({ advertised: [], transactions: [] });
      expect(host.log('this host is not advertised')).toEqual([
        expect.objectContaining({ reason: 'WALLET_STORAGE_URL is not set' }),
      ]);
    }, 60_000);
  });
});
