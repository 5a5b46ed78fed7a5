import { randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { openStore } from '@messagebox/store';
import { startFcmServer } from '@messagebox/test-support/fcm-server';
import { createMysqlDatabase } from '@messagebox/test-support/with-mysql';
import { getRedisUrl, removeRedisKeys } from '@messagebox/test-support/with-redis';
import { deployStandalone, type Env } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { waitUntil } from '../acceptance/history.js';
import { createPeople } from '../acceptance/people.js';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.js';
import { startService } from '../support/service-process.js';
import { toTraceTree } from './trace-tree.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
const person = createPeople();

/** What these tests use of a deployment. */
interface Served {
  readonly apis: readonly string[];
  close(): Promise<void>;
}

/** An api and a realtime process with a database and a Redis prefix of their own. */
async function deployApart(env: Env): Promise<Served> {
  const database = await createMysqlDatabase();
  const prefix = `mb_test_${randomBytes(8).toString('hex')}:`;
  const common = {
    HOST: '127.0.0.1',
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    KNEX_DB_CLIENT: 'mysql2',
    KNEX_DB_CONNECTION: JSON.stringify(database.url),
    REDIS_URL: getRedisUrl(),
    REDIS_PREFIX: prefix,
    ...env,
  };
  const store = openStore(database.config);
  await store.migrate();
  await store.close();
  const services = [await startService({ name: 'api', env: common })];
  services.push(await startService({ name: 'realtime', env: common }));
  return {
    apis: services.map(({ url }) => url),
    async close() {
      await Promise.all(services.map((service) => service.kill()));
      await database.drop();
      await removeRedisKeys(getRedisUrl(), prefix);
    },
  };
}

async function deployTraced(deploy: (env: Env) => Promise<Served>, env: Env) {
  const receiver = await startOtlpReceiver();
  closers.push(() => receiver.close());
  const at = await deploy({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '20', ...env });
  closers.push(() => at.close());
  return { receiver, at };
}

const findRequest = (receiver: OtlpReceiver, name: string): ReceivedSpan | undefined =>
  receiver.spans.find((span) => span.name === name);

/** Sends to somebody with a device, and returns the tree of the send with its push. */
async function tracePush(deploy: (env: Env) => Promise<Served>) {
  const fcm = await startFcmServer();
  closers.push(() => fcm.close());
  const [operator, alice, bob] = [person(), person(), person()];
  const { receiver, at } = await deployTraced(deploy, {
    ENABLE_FIREBASE: 'true',
    FIREBASE_PROJECT_ID: fcm.projectId,
    FIREBASE_SERVICE_ACCOUNT_JSON: fcm.accountJson,
    ADMIN_IDENTITY_KEYS: operator.key,
    NODE_OPTIONS: `--import ${pathToFileURL(`${__dirname}/../support/redirect-fcm.mjs`).href}`,
    TEST_FCM_URL: fcm.url,
  });
  const [api = ''] = at.apis;
  await operator.post(`${api}/admin/fees`, { messageBox: 'notifications', deliveryFee: 0 }, 'PUT');
  await bob.post(`${api}/permissions/set`, { messageBox: 'notifications', recipientFee: 0 });
  await bob.post(`${api}/registerDevice`, { fcmToken: 'token-of-bob', platform: 'android' });
  const message = { recipient: bob.key, messageBox: 'notifications', messageId: 'pushed', body: 'hello' };
  expect(await alice.send(api, message)).toMatchObject({ status: 200 });
  await fcm.waitUntilReceived(1);
  await waitUntil('the trace has arrived', () => {
    const send = findRequest(receiver, 'POST /sendMessage');
    return receiver.spans.some(({ name, traceId }) => name === 'job push push' && traceId === send?.traceId);
  });
  const send = findRequest(receiver, 'POST /sendMessage');
  const push = receiver.spans.find(({ name, traceId }) => name === 'job push push' && traceId === send?.traceId);
  // The push was written down in the transaction that stored the message.
  const stored = receiver.spans.find(({ name, traceId }) => name === 'storeMessages' && traceId === send?.traceId);
  expect(push?.parentSpanId).toBe(stored?.spanId);
  expect(stored?.parentSpanId).toBe(send?.spanId);
  // FCM is told the span of the request that it got.
  const [, toldTrace, toldSpan] = fcm.received[0]?.traceparent?.split('-') ?? [];
  expect(toldTrace).toBe(send?.traceId);
  const request = receiver.spans.find(({ spanId }) => spanId === toldSpan);
  expect(request).toMatchObject({
    name: 'POST request',
    parentSpanId: push?.spanId,
    attributes: { 'server.address': '127.0.0.1' },
  });
  expect(receiver.text).not.toContain('token-of-bob');
  expect(receiver.text).not.toContain(fcm.projectId);
}

describe('what is done later belongs to the trace of its request', () => {
  test('a push to a device, in one process', () => tracePush(deployStandalone));

  test('a job of the overlay', async () => {
    const operator = person();
    const { receiver, at } = await deployTraced(deployStandalone, { ADMIN_IDENTITY_KEYS: operator.key });
    expect(await operator.post(`${at.apis[0]}/overlay/rebroadcast`, {})).toMatchObject({ status: 202 });
    await waitUntil('the job has ended', () => findRequest(receiver, 'job overlay rebroadcast') !== undefined);
    const request = findRequest(receiver, 'POST /overlay/rebroadcast');
    const tree = toTraceTree(receiver.spans, request?.traceId ?? '', request?.spanId ?? '');
    expect(Object.keys(tree)).toContain('standalone: job overlay rebroadcast');
  });
});

describeScaled('what another process does later', () => {
  // It migrates a database and starts two processes.
  test('a push to a device belongs to the trace of the send', () => tracePush(deployApart), 180_000);
});
