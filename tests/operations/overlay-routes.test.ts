import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AuthFetch, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import { createApi } from '@messagebox/api';
import {
  createLogger,
  type Foundation,
  type JobQueue,
  JsonServer,
  openFoundation,
  openOverlayJobs,
  overlayJob,
  readConfig,
  varying,
} from '@messagebox/shared';
import { exchange, RawClient } from '../bad-input/raw-client.js';
import { untilState } from '../jobs/jobs-suite.js';
import { temporaryFolder } from '../support/own-process.js';
import { withinOwn } from '../support/own-time.js';
import { describeWithOwnRedis, type OwnServer, startRedis } from '../support/servers.js';
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
  readonly foundation: Foundation;
  readonly jobs: JobQueue;
  readonly log: readonly string[];
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An api on SQLite; who works its jobs is up to the test. */
async function startApi(env: Record<string, string>): Promise<Api> {
  const folder = temporaryFolder();
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
  const logger = createLogger('api', true, { write: (line) => void log.push(line) });
  const embedded = { client: 'better-sqlite3' as const, filename: join(folder.path, 'messagebox.sqlite') };
  const foundation = await openFoundation(config, logger, { service: 'api', embedded });
  closers.push(() => foundation.closing.close());
  await foundation.store.migrate();
  const jobs = openOverlayJobs(foundation);
  foundation.closing.add('jobs', () => jobs.close());
  const server = new JsonServer(createApi({ ...foundation, events: { publish: () => undefined }, jobs }), logger);
  foundation.closing.add('listener', () => server.close(500));
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

describe('the operator’s control of the overlay', () => {
  const admin = new Person();
  const second = new Person();

  test.each(['', '/api'])('each request adds its job, whose course can be followed, below %p', async (prefix) => {
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
      { [overlayJob.advertise]: done, [overlayJob.revoke]: done, [overlayJob.rebroadcast]: done },
      { concurrency: 1 },
    );
    for (const [n, name] of POSTS.entries()) {
      await untilState(jobs, ids[n] ?? '', 'completed');
      expect((await find(ids[n])).body['job']).toMatchObject({ name, state: 'completed', result: { did: name } });
    }
    expect(data).toEqual([{}, {}, {}]);
  });

  test.each(ROUTES)('%s %s is for operators only, and leaves nothing otherwise', async (method, path) => {
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

  test('without keys nobody is an operator', async () => {
    const { url, jobs } = await startApi({});
    for (const [method, path] of ROUTES) {
      expect(await admin.ask(method, `${url}${path}`)).toMatchObject({ status: 403, body: { code: 'ERR_NOT_ADMIN' } });
    }
    expect(await jobs.counts()).toEqual(NOTHING);
  });

  test('a job that is not there is not found; other methods are no routes', async () => {
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

  test('a reason is told, and kinds of requests are measured, not ids', async () => {
    const { url, jobs, foundation } = await startApi({ ADMIN_IDENTITY_KEYS: admin.key });
    const { body } = await admin.ask('POST', `${url}/overlay/revoke`);
    const id = String(body['jobId']);
    jobs.work({}, { concurrency: 1 });
    await untilState(jobs, id, 'failed');
    expect((await admin.ask('GET', `${url}/overlay/jobs/${id}`)).body['job']).toMatchObject({
      state: 'failed',
      reason: 'nobody handles jobs named revoke',
      attempts: 1,
      finishedAt: expect.any(String),
    });
    const text = await foundation.metrics.registry.metrics();
    expect(text).toMatch(/route="\/overlay\/jobs\/:id"/);
    expect(text).toMatch(/route="\/overlay\/revoke"/);
    expect(text).not.toContain(id);
  });

  test('lists the host’s own advertisements that live', async () => {
    const { url, foundation } = await startApi({ ADMIN_IDENTITY_KEYS: admin.key });
    expect(await admin.ask('GET', `${url}/overlay/ads`)).toMatchObject({
      status: 200,
      body: { status: 'success', ads: [] },
    });
    const [live, revoked] = [randomBytes(32), randomBytes(32)];
    for (const txid of [live, revoked]) {
      await foundation.sql.write(
        varying(
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

  describeWithOwnRedis('while Redis is away', () => {
    let redis: OwnServer;
    let proxy: TcpProxy;
    beforeEach(async () => {
      redis = (await startRedis()) as OwnServer;
      proxy = await createTcpProxy({ target: redis.url });
      closers.push(
        () => redis.close(),
        () => proxy.close(),
      );
    });

    test.each(['is gone', 'hangs'])(
      'a Redis that %s is told within a second, and all is well when it is back',
      async (how) => {
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
          const answer = await withinOwn(1_000, admin.ask(method, `${url}${path}`));
          expect(answer).toMatchObject({ status: 503, body: { status: 'error', code: 'ERR_JOBS_UNAVAILABLE' } });
        }
        // `AuthFetch` gives signed headers only.
        const refused = await exchange(port, session.post('/overlay/advertise', {}));
        expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
        // What needs no broker goes on, and a stranger learns nothing.
        expect((await admin.ask('GET', `${url}/overlay/ads`)).status).toBe(200);
        expect((await second.ask('POST', `${url}/overlay/advertise`)).status).toBe(403);
        redis.resume();
        await proxy.accept();
        let again: Answer;
        do again = await admin.ask('POST', `${url}/overlay/revoke`);
        while (again.status === 503);
        expect(again.status).toBe(202);
        jobs.work({ advertise: async () => 'done', revoke: async () => 'done' }, { concurrency: 1 });
        for (const { body } of [before, again]) await untilState(jobs, String(body['jobId']), 'completed');
      },
    );
  });
});
