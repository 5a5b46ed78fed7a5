import { randomBytes } from 'node:crypto';
import { PushOutbox } from '@messagebox/store';
import { type FcmServer, startFcmServer } from '@messagebox/test-support/fcm-server';
import { waitUntil } from '../acceptance/history.js';
import { readPushCount } from './fixtures.js';
import {
  createLocalDeployment,
  type Instance,
  listPushed,
  type PushDeployment,
  startInstance,
} from './push-deployment.js';

/** The lease is renewed after a third of it, so this test process may be delayed by about that time. */
const LEASE_MS = 4_000;

describe('deliveries that a process has claimed', () => {
  let place: PushDeployment;
  let server: FcmServer;
  const open: Instance[] = [];
  beforeEach(async () => {
    place = await createLocalDeployment();
    server = await startFcmServer();
  });
  afterEach(async () => {
    for (const instance of open.splice(0)) await instance.close();
    await server.close();
    await place.remove();
  });
  const instance = async (): Promise<Instance> => {
    const opened = await startInstance(place, server);
    open.push(opened);
    return opened;
  };
  const somebody = () => `02${randomBytes(32).toString('hex')}`;
  const emptied = ({ outbox }: Instance) =>
    waitUntil('the outbox is empty', async () => (await outbox.countUpTo(10)) === 0);

  test('stay in the outbox until they have ended, and keep their lease', async () => {
    const at = await instance();
    const alice = somebody();
    const slow = await at.device(alice);
    await at.device(alice);
    let answer = () => {};
    const answered = new Promise<undefined>((resolve) => {
      answer = () => resolve(undefined);
    });
    server.answer = ({ token }) => (token === slow.token ? answered : undefined);
    await at.store(alice);
    const from = Date.now();
    await at.push({ leaseMs: LEASE_MS });
    await waitUntil('the other one is sent', async () => (await readPushCount(at.metrics, 'sent')) === 1);
    await waitUntil('its first lease has long ended', async () => {
      expect(await at.outbox.claim(10, 1)).toEqual([]);
      return Date.now() > from + 2 * LEASE_MS;
    });
    expect(await at.outbox.countUpTo(10)).toBe(1);
    answer();
    await emptied(at);
    expect(server.received).toHaveLength(2);
  });

  test('are released at a stop, so that the next start pushes them at once', async () => {
    const at = await instance();
    const alice = somebody();
    const { token } = await at.device(alice);
    server.answer = () => ({ status: 503, headers: { 'retry-after': '3600' } });
    const ids = await at.store(...Array.from({ length: 100 }, () => alice));
    await at.push();
    await waitUntil('they wait', async () =>
      /^messagebox_jobs_kept\{.*state="delayed".*\} 100$/m.test(await at.metrics.registry.metrics()),
    );
    await at.close();
    expect(at.lines.filter((line) => line.includes('could not close'))).toEqual([]);

    const tried = server.received.length;
    server.answer = () => undefined;
    const next = await instance();
    await next.push();
    await waitUntil('all are sent', async () => (await readPushCount(next.metrics, 'sent')) === 100);
    await emptied(next);
    expect(server.received.length - tried).toBe(100);
    expect(new Set(listPushed(server))).toEqual(new Set(ids.map((id) => `${token} ${id}`)));
  });

  test('a push that is under way at a stop is not lost', async () => {
    const at = await instance();
    const alice = somebody();
    await at.device(alice);
    server.answer = () => new Promise<undefined>(() => {});
    await at.store(alice);
    await at.push();
    await server.waitUntilReceived(1);
    await at.close();
    server.answer = () => undefined;
    const next = await instance();
    await next.push();
    await server.waitUntilReceived(2);
    await emptied(next);
  });

  test('are removed later when they could not be removed at first', async () => {
    const at = await instance();
    const alice = somebody();
    await at.device(alice);
    const remove = jest.spyOn(PushOutbox.prototype, 'remove');
    try {
      remove.mockRejectedValue(new Error('away'));
      await at.store(alice);
      await at.push({ leaseMs: 300 });
      await server.waitUntilReceived(1);
      await waitUntil('it was tried', () => remove.mock.calls.filter(([ids]) => ids.length > 0).length > 3);
      remove.mockRestore();
      await emptied(at);
      expect(server.received).toHaveLength(1);
    } finally {
      remove.mockRestore();
    }
  });
});
