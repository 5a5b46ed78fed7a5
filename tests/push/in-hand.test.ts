import { randomBytes } from 'node:crypto';
import { PushOutbox } from '@messagebox/shared';
import { until } from '../acceptance/history.js';
import { type FcmServer, startFcmServer } from '../support/fcm-server.js';
import { countOf } from './fixtures.js';
import { alone, type Instance, openInstance, type Place, pushed } from './pusher.js';

/** It is renewed after a third of it: so long may this process be held up by others on the machine, about. */
const LEASE_MS = 4_000;

/** Without Redis jobs die with the process; rows must not. */
describe('rows whose jobs live in one process', () => {
  let place: Place;
  let server: FcmServer;
  const open: Instance[] = [];
  beforeEach(async () => {
    place = await alone();
    server = await startFcmServer();
  });
  afterEach(async () => {
    for (const instance of open.splice(0)) await instance.close();
    await server.close();
    await place.remove();
  });
  const instance = async (): Promise<Instance> => {
    const opened = await openInstance(place, server);
    open.push(opened);
    return opened;
  };
  const somebody = () => `02${randomBytes(32).toString('hex')}`;
  const emptied = ({ outbox }: Instance) => until('the outbox is empty', async () => (await outbox.size(10)) === 0);

  test('stay in the outbox until all of their jobs have ended, and keep their lease', async () => {
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
    await until('the other one is sent', async () => (await countOf(at.metrics, 'sent')) === 1);
    await until('its first lease has long ended', async () => {
      expect(await at.outbox.claim(10, 1)).toEqual([]);
      return Date.now() > from + 2 * LEASE_MS;
    });
    expect(await at.outbox.size(10)).toBe(1);
    answer();
    await emptied(at);
    expect(server.received).toHaveLength(2);
  });

  test('are given back at a stop, so that the next start pushes them at once', async () => {
    const at = await instance();
    const alice = somebody();
    const { token } = await at.device(alice);
    server.answer = () => ({ status: 503, headers: { 'retry-after': '3600' } });
    const ids = await at.store(...Array.from({ length: 100 }, () => alice));
    await at.push();
    await until('they wait', async () =>
      /^messagebox_jobs_kept\{.*state="delayed".*\} 100$/m.test(await at.metrics.registry.metrics()),
    );
    await at.close();
    expect(at.lines.filter((line) => line.includes('could not close'))).toEqual([]);

    const tried = server.received.length;
    server.answer = () => undefined;
    const next = await instance();
    await next.push();
    await until('all are sent', async () => (await countOf(next.metrics, 'sent')) === 100);
    await emptied(next);
    expect(server.received.length - tried).toBe(100);
    expect(new Set(pushed(server))).toEqual(new Set(ids.map((id) => `${token} ${id}`)));
  });

  test('a push that is under way at a stop is not lost', async () => {
    const at = await instance();
    const alice = somebody();
    await at.device(alice);
    server.answer = () => new Promise<undefined>(() => {});
    await at.store(alice);
    await at.push();
    await server.untilReceived(1);
    await at.close();
    server.answer = () => undefined;
    const next = await instance();
    await next.push();
    await server.untilReceived(2);
    await emptied(next);
  });

  test('go, too, when they could not be removed at first', async () => {
    const at = await instance();
    const alice = somebody();
    await at.device(alice);
    const remove = jest.spyOn(PushOutbox.prototype, 'remove');
    try {
      remove.mockRejectedValue(new Error('away'));
      await at.store(alice);
      await at.push({ leaseMs: 300 });
      await server.untilReceived(1);
      await until('it was tried', () => remove.mock.calls.filter(([ids]) => ids.length > 0).length > 3);
      remove.mockRestore();
      await emptied(at);
      expect(server.received).toHaveLength(1);
    } finally {
      remove.mockRestore();
    }
  });
});
