import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { generateVapidKeys } from '@messagebox/shared';
import { type FcmServer, startFcmServer } from '@messagebox/test-support/fcm-server';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { diagnose, toDiagnosis } from './support/doctor.ts';
import { BIN, runProgram } from './support/run-command.ts';

// Processes are started, and a busy machine takes its time.
jest.setTimeout(180_000);

const KEY = '11'.repeat(32);
let folder: ReturnType<typeof createTemporaryFolder>;
let fcm: FcmServer;
let sound: Record<string, string>;

beforeAll(async () => {
  folder = createTemporaryFolder();
  fcm = await startFcmServer();
});

afterAll(async () => {
  await fcm?.close();
  folder?.remove();
});

beforeEach(() => {
  sound = { DATA_DIR: path.join(folder.path, 'data'), SERVER_PRIVATE_KEY: KEY };
});

const push = (account: string) => ({
  ENABLE_FIREBASE: 'true',
  FIREBASE_PROJECT_ID: fcm.projectId,
  FIREBASE_SERVICE_ACCOUNT_JSON: account,
});

test('doctor names nothing for a sound configuration, and exits with 0', async () => {
  const { code, problems, find } = await diagnose({ ...sound, ...push(fcm.accountJson) });

  expect(problems).toEqual([]);
  expect(code).toBe(0);
  expect(find('push credentials')).toMatchObject({ verdict: 'ok', seen: expect.stringContaining('got a token') });
});

test('doctor changes nothing: the data folder is not made', async () => {
  await diagnose(sound);

  expect(() => mkdirSync(path.join(folder.path, 'data'))).not.toThrow();
});

interface Seed {
  readonly title: string;
  readonly env: () => Record<string, string>;
  readonly problem: string;
  readonly seen: RegExp;
}

const seeds: Seed[] = [
  {
    title: 'a variable with a wrong value',
    env: () => ({ PORT: 'eighty' }),
    problem: 'configuration: fail',
    seen: /PORT must be a whole number/,
  },
  {
    title: 'no server key in production',
    env: () => ({ NODE_ENV: 'production', NETWORK: 'local', SERVER_PRIVATE_KEY: '' }),
    problem: 'server key: fail',
    seen: /SERVER_PRIVATE_KEY is missing/,
  },
  {
    title: 'a server key that is none',
    env: () => ({ SERVER_PRIVATE_KEY: '00'.repeat(32) }),
    problem: 'server key: fail',
    seen: /no private key of the curve/,
  },
  {
    title: 'a data folder below a file',
    env: () => {
      writeFileSync(path.join(folder.path, 'file'), '');
      return { DATA_DIR: path.join(folder.path, 'file', 'data') };
    },
    problem: 'data folder: fail',
    seen: /is no folder/,
  },
  {
    title: 'a data folder where nobody can write',
    env: () => ({ DATA_DIR: '/proc/messagebox' }),
    problem: 'data folder: fail',
    seen: /can not be written to/,
  },
  {
    title: 'a service account that is no JSON',
    env: () => push('garbage'),
    problem: 'push credentials: fail',
    seen: /FIREBASE_SERVICE_ACCOUNT_JSON must hold JSON/,
  },
  {
    title: 'a service account that its token endpoint refuses',
    env: () => push(JSON.stringify({ ...JSON.parse(fcm.accountJson), client_email: 'stranger@example.com' })),
    problem: 'push credentials: fail',
    seen: /refused the service account/,
  },
  {
    title: 'a host that can not be advertised',
    env: () => ({ HOSTING_DOMAIN: 'http://localhost:1' }),
    problem: 'overlay host: warn',
    seen: /not an https origin/,
  },
];

test.each(seeds)('doctor names $title', async ({ env, problem, seen }) => {
  const given = { ...sound, ...env() };
  const { code, problems, find } = await diagnose(given, given['HOSTING_DOMAIN'] === undefined ? {} : { limit: '5' });

  const expected = given['HOSTING_DOMAIN'] === undefined ? [problem] : [problem, 'origin: fail'];
  expect([...problems].sort()).toEqual([...expected].sort());
  expect(code).toBe(1);
  const { advice, seen: said } = find(problem.replace(/:.*/, ''));
  expect(said).toMatch(seen);
  expect(advice).toMatch(/^[A-Z]\S+ \S+ /);
});

test('doctor warns of Web Push without an address of the operator', async () => {
  const keys = { ...sound, VAPID_PUBLIC_KEY: generateVapidKeys().publicKey };

  const { code, problems, find } = await diagnose(keys);
  const { find: findGiven } = await diagnose({ ...keys, VAPID_SUBJECT: 'mailto:operator@host.example' });

  expect(problems).toEqual(['web push: warn']);
  expect(code).toBe(0);
  expect(find('web push')).toMatchObject({ advice: expect.stringContaining('VAPID_SUBJECT') });
  expect(findGiven('web push')).toMatchObject({
    verdict: 'ok',
    seen: 'the public key, as mailto:operator@host.example',
  });
});

test('doctor names an unknown variable in .env', async () => {
  const cwd = path.join(folder.path, 'typo');
  mkdirSync(cwd);
  writeFileSync(path.join(cwd, '.env'), 'PROT=8080\n');

  const { code, problems, find } = await diagnose(sound, { cwd });

  expect(problems).toEqual(['configuration: fail']);
  expect(code).toBe(1);
  expect(find('configuration').seen).toMatch(/PROT in .* is not a variable/);
});

test('doctor prints no secret', async () => {
  const secret = 'correct-horse-battery-staple';
  const env = { ...sound, KNEX_DB_CONNECTION: `"${secret}`, REDIS_URL: `http://:${secret}@localhost` };

  const { checks } = await diagnose(env);

  expect(checks[0]).toMatchObject({ name: 'configuration', verdict: 'fail' });
  expect(JSON.stringify(checks)).not.toContain(secret);
  expect(JSON.stringify(checks)).not.toContain(KEY);
});

test('doctor names a low limit of open files', async () => {
  const run = `ulimit -n 256; exec "$0" "$@"`;
  const args = ['-c', run, process.execPath, BIN, 'doctor', '--json', '--timeout', '30'];

  const { code, stdout, stderr } = await runProgram('/bin/sh', args, { env: sound, cwd: folder.path });

  const { problems, find } = toDiagnosis(code, stdout, stderr);
  expect(problems).toEqual(['open files: fail']);
  expect(code).toBe(1);
  expect(find('open files')).toMatchObject({ seen: 'at most 256', advice: expect.stringContaining('LimitNOFILE') });
});

test('doctor names services of the chain and a wallet storage that can not be reached', async () => {
  const { fetch } = globalThis;
  const spy = jest.spyOn(globalThis, 'fetch').mockImplementation((url, init) => {
    if (String(url instanceof Request ? url.url : url).includes('whatsonchain'))
      return Promise.reject(new TypeError('fetch failed'));
    return fetch(url, init);
  });
  try {
    const env = { ...sound, NETWORK: 'test', WALLET_STORAGE_URL: 'http://127.0.0.1:1' };
    const { problems, find } = await diagnose(env);

    expect(problems).toEqual(['chain services: fail', 'wallet storage: fail']);
    expect(find('wallet storage').seen).toContain('nothing listens there');
  } finally {
    spy.mockRestore();
  }
});
