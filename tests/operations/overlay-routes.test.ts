import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AuthFetch, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import { createApi } from '@messagebox/api';
import {
  createLogger,
  createServiceContext,
  type JobQueue,
  JsonServer,
  openOverlayJobQueue,
  overlayJobNames,
  readConfig,
  type ServiceContext,
} from '@messagebox/shared';
import { dynamic } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { RawClient, sendRaw } from '@messagebox/test-support/raw-client';
import { waitUntilState } from '@messagebox/test-support/wait-until-state';
import { describeWithManagedRedis, type ManagedServer, startRedisServer } from '../support/managed-servers.js';
import { withProcessTimeout } from '../support/process-timeout.js';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Somebody with a key, who asks with the real `AuthFetch`; it verifies the signature of what is answered. */
class Person {
  readonly #privateKey = PrivateKey.fromRandom();
  readonly key = this.#privateKey.toPublicKey().toString();
  readonly #fetch = new AuthFetch(new ProtoWallet(this.#privateKey) as unknown as WalletInterface);

  async ask(method: string, url: string): Promise<Answer> {
    const body = method === 'POST' ? { headers: { 'content-type': 'application/json' }, body: '{}' } : {};
    const response = await this.#fetch.fetch(url, { method, ...body });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }
}

interface Api {
  readonly url: string;
  readonly foundation: ServiceContext;
  readonly jobs: JobQueue;
  readonly log: readonly string[];
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An api on SQLite; who works its jobs is up to the test. */
async function startApi(env: Record<string, string>): Promise<Api> {
  const folder = createTemporaryFolder();
  closers.push(() => folder.remove());
  const log: string[] = [];
  const config = readConfig({
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    DATA_DIR: folder.path,
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    SHUTDOWN_GRACE_SECONDS: '2',
    ...env,
  });
  const logger = createLogger('api', 'debug', { write: (line) => void log.push(line) });
  const embedded = { client: 'better-sqlite3' as const, filename: join(folder.path, 'messagebox.sqlite') };
  const foundation = await createServiceContext(config, logger, { service: 'api', embedded });
  closers.push(() => foundation.shutdown.close());
  await foundation.store.migrate();
  const jobs = openOverlayJobQueue(foundation);
  foundation.shutdown.add('jobs', () => jobs.close());
  const server = new JsonServer(createApi({ ...foundation, events: { publish: () => undefined }, jobs }), logger);
  foundation.shutdown.add('listener', () => server.close(500));
  const url = await server.listen(0, '127.0.0.1');
  return { url: `${url}${config.routingPrefix}`, foundation, jobs, log };
}

const POSTS = ['advertise', 'revoke', 'rebroadcast'] as const;
const ROUTES: readonly [string, string][] = [
  ...POSTS.map((name): [string, string] => ['POST', `/overlay/${name}`]),
  ['GET', `/overlay/jobs/${randomUUID()}`],
  ['GET', '/overlay/ads'],
];
const NOTHING = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 };

describe('overlay routes for operators', () => {
  const admin = new Person();
  const second = new Person();

  test.each(['', '/api'])('each request adds a job that can be followed, below %p', async (prefix) => {
    const { url, jobs } = await startApi({
      ADMIN_IDENTITY_KEYS: `${second.key.toUpperCase()}, ${admin.key}`,
      ROUTING_PREFIX: prefix,
    });
    const ids: string[] = [];
    for (const [n, name] of POSTS.entries()) {
      const answer = await (n === 0 ? second : admin).ask('POST', `${url}/overlay/${name}`);
      expect(answer).toMatchObject({ status: 202, body: { status: 'success', jobId: expect.any(String) } });
      expect(Object.keys(answer.body).sort()).toEqual(['jobId', 'status']);
      ids.push(String(answer.body['jobId']));
    }
    expect(new Set(ids).size).toBe(3);
    const find = async (id = '') => await admin.ask('GET', `${url}/overlay/jobs/${id}`);
    expect(await find(ids[0])).toMatchObject({
      status: 200,
      body: {
        status: 'success',
        job: {
          id: ids[0],
          name: 'advertise',
          state: 'waiting',
          attempts: 0,
          addedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        },
      },
    });
    const data: unknown[] = [];
    const done = async (job: { data: unknown; name: string }) => {
      data.push(job.data);
      return { did: job.name };
    };
    jobs.work(
      { [overlayJobNames.advertise]: done, [overlayJobNames.revoke]: done, [overlayJobNames.rebroadcast]: done },
      { concurrency: 1 },
    );
    for (const [n, name] of POSTS.entries()) {
      await waitUntilState(jobs, ids[n] ?? '', 'completed');
      expect((await find(ids[n])).body['job']).toMatchObject({ name, state: 'completed', result: { did: name } });
    }
    expect(data).toEqual([{}, {}, {}]);
  });

  test.each(ROUTES)('%s %s is for operators only, and changes nothing for others', async (method, path) => {
    const { url, jobs, log } = await startApi({ ADMIN_IDENTITY_KEYS: admin.key });
    expect(await new Person().ask(method, `${url}${path}`)).toMatchObject({
      status: 403,
      body: { status: 'error', code: 'ERR_NOT_ADMIN', description: expect.any(String) },
    });
    const anonymous = await fetch(`${url}${path}`, { method });
    expect(anonymous.status).toBe(401);
    expect(await anonymous.json()).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await jobs.counts()).toEqual(NOTHING);
    expect(log.filter((line) => JSON.parse(line).level >= 40)).toEqual([]);
  });

  test('without ADMIN_IDENTITY_KEYS no identity is an operator', async () => {
    const { url, jobs } = await startApi({});
    for (const [method, path] of ROUTES) {
      expect(await admin.ask(method, `${url}${path}`)).toMatchObject({ status: 403, body: { code: 'ERR_NOT_ADMIN' } });
    }
    expect(await jobs.counts()).toEqual(NOTHING);
  });

  test('an unknown job is not found, and other methods do not exist', async () => {
    const { url, jobs } = await startApi({ ADMIN_IDENTITY_KEYS: admin.key });
    for (const id of [
      'nobody',
      randomUUID(),
      '1',
      '__proto__',
      'a%3Ab',
      'a%20b',
      '%00',
      '%F0%9F%98%80',
      'x'.repeat(2_000),
    ]) {
      const answer = await admin.ask('GET', `${url}/overlay/jobs/${id}`);
      expect({ id, answer }).toMatchObject({ id, answer: { status: 404, body: { code: 'ERR_JOB_NOT_FOUND' } } });
    }
    const wrong = [
      ['GET', '/overlay/advertise'],
      ['POST', '/overlay/ads'],
      ['POST', '/overlay/reconcile'],
      ['GET', '/overlay/jobs'],
    ] as const;
    for (const [method, path] of wrong) {
      expect(await admin.ask(method, `${url}${path}`)).toMatchObject({ status: 404, body: { code: 'ERR_NOT_FOUND' } });
    }
    expect(await jobs.counts()).toEqual(NOTHING);
  });

  test('errors have a reason, and metrics have kinds of requests instead of ids', async () => {
    const { url, jobs, foundation } = await startApi({ ADMIN_IDENTITY_KEYS: admin.key });
    const { body } = await admin.ask('POST', `${url}/overlay/revoke`);
    const id = String(body['jobId']);
    jobs.work({}, { concurrency: 1 });
    await waitUntilState(jobs, id, 'failed');
    expect((await admin.ask('GET', `${url}/overlay/jobs/${id}`)).body['job']).toMatchObject({
      state: 'failed',
      reason: 'no handler for jobs named revoke',
      attempts: 1,
      finishedAt: expect.any(String),
    });
    const text = await foundation.metrics.registry.metrics();
    expect(text).toMatch(/route="\/overlay\/jobs\/:id"/);
    expect(text).toMatch(/route="\/overlay\/revoke"/);
    expect(text).not.toContain(id);
  });

  test('lists the live advertisements of this host', async () => {
    const { url, foundation } = await startApi({ ADMIN_IDENTITY_KEYS: admin.key });
    expect(await admin.ask('GET', `${url}/overlay/ads`)).toMatchObject({
      status: 200,
      body: { status: 'success', ads: [] },
    });
    const [live, revoked] = [randomBytes(32), randomBytes(32)];
    for (const txid of [live, revoked]) {
      await foundation.sql.write(
        dynamic(
          `INSERT INTO overlay_own_ads (txid, output_index, protocol, name, domain, created_at, revoked_by)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        ),
        [
          txid,
          1,
          Buffer.from('SHIP'),
          Buffer.from('tm_messagebox'),
          Buffer.from('https://box.example'),
          1_790_000_000_123,
          txid === revoked ? live : null,
        ],
      );
    }
    expect((await admin.ask('GET', `${url}/overlay/ads`)).body).toEqual({
      status: 'success',
      ads: [
        {
          protocol: 'SHIP',
          name: 'tm_messagebox',
          domain: 'https://box.example',
          txid: live.toString('hex'),
          outputIndex: 1,
          createdAt: new Date(1_790_000_000_123).toISOString(),
        },
      ],
    });
  });

  describeWithManagedRedis('while Redis is away', () => {
    let redis: ManagedServer;
    let proxy: TcpProxy;
    beforeEach(async () => {
      redis = (await startRedisServer()) as ManagedServer;
      proxy = await createTcpProxy({ target: redis.url });
      closers.push(
        () => redis.close(),
        () => proxy.close(),
      );
    });

    test.each(['is gone', 'hangs'])('reports within a second that Redis %s, and works when it is back', async (how) => {
      const raw = new RawClient();
      const { url, jobs } = await startApi({
        ADMIN_IDENTITY_KEYS: `${admin.key},${raw.identityKey}`,
        REDIS_URL: proxy.url,
      });
      const port = Number(new URL(url).port);
      const session = await raw.shakeHands(port);
      const before = await admin.ask('POST', `${url}/overlay/advertise`);
      expect(before.status).toBe(202);
      if (how === 'hangs') redis.pause();
      else {
        proxy.refuse();
        proxy.cut();
      }
      for (const [method, path] of ROUTES.slice(0, 4)) {
        // Client and server are in this process.
        const answer = await withProcessTimeout(1_000, admin.ask(method, `${url}${path}`));
        expect(answer).toMatchObject({ status: 503, body: { status: 'error', code: 'ERR_JOBS_UNAVAILABLE' } });
      }
      // `AuthFetch` gives signed headers only.
      const refused = await sendRaw(port, session.post('/overlay/advertise', {}));
      expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
      // Routes that need no broker still work, and a stranger learns nothing.
      expect((await admin.ask('GET', `${url}/overlay/ads`)).status).toBe(200);
      expect((await second.ask('POST', `${url}/overlay/advertise`)).status).toBe(403);
      redis.resume();
      await proxy.accept();
      let again: Answer;
      do again = await admin.ask('POST', `${url}/overlay/revoke`);
      while (again.status === 503);
      expect(again.status).toBe(202);
      jobs.work({ advertise: async () => 'done', revoke: async () => 'done' }, { concurrency: 1 });
      for (const { body } of [before, again]) await waitUntilState(jobs, String(body['jobId']), 'completed');
    });
  });
});
