import { randomUUID } from 'node:crypto';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { deployScaled, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { type HeldCommits, holdCommits } from './held-commits.js';
import { waitUntil } from './history.js';
import { createPeople } from './people.js';

describeScaled('success means committed', () => {
  /** The services' way to the database. */
  let line: TcpProxy;
  const at = useDeployment(() =>
    deployScaled(
      {},
      {
        databaseAt: async (target) => {
          line = await createTcpProxy({ target });
          return line.url;
        },
      },
    ),
  );
  afterAll(() => line.close());
  const someone = createPeople();
  const unavailable = { status: 'error', code: 'ERR_STORE_UNAVAILABLE' };

  async function everybodyIsReady(): Promise<void> {
    for (const url of [...at().apis, ...at().realtimes])
      await waitUntil(`${url} is ready`, async () => (await fetch(`${url}/health/ready`)).status === 200);
  }

  /** A send over HTTP and one live, both with the row inserted and not committed. */
  async function twoHeldSends(commits: HeldCommits) {
    const [alice, bob] = [someone(), someone()];
    const [api] = at().apis;
    const socket = await alice.connect(at().realtimes[0]);
    const listener = await (await bob.connect(at().realtimes[1])).join('inbox');
    await alice.list(api, 'none');
    const ids = [randomUUID(), randomUUID()] as const;
    const answered: string[] = [];
    const message = { recipient: bob.key, messageBox: 'inbox', body: 'hello' };
    const http = alice.send(api, { ...message, messageId: ids[0] }).finally(() => answered.push('HTTP'));
    const live = socket.send(bob.key, 'inbox', ids[1], 'hello').finally(() => answered.push('live'));
    await commits.waiting(2);
    return { alice, bob, api, socket, listener, ids, answered, http, live };
  }

  describe('while commits hang', () => {
    let commits: HeldCommits;
    beforeEach(async () => {
      commits = await holdCommits(at().databaseUrl as string);
    });
    afterEach(() => commits.close());

    test('success, row and push are missing before the commit, and all there after it', async () => {
      const { alice, bob, api, socket, listener, ids, answered, http, live } = await twoHeldSends(commits);
      // Whatever else the same processes are asked, they answer; only these two wait.
      expect(await bob.list(at().apis[1], 'inbox')).toEqual([]);
      expect(await alice.list(api, 'none')).toEqual([]);
      await socket.join('another');
      await commits.waiting(2);
      expect(answered).toEqual([]);
      expect(listener.all).toEqual([]);

      await commits.release();
      expect(await http).toMatchObject({ status: 200, body: { status: 'success', messageId: ids[0] } });
      expect(await live).toEqual({ status: 'success', messageId: ids[1] });
      for (const id of ids) await listener.waitFor(({ messageId }) => messageId === id);
      expect((await bob.listIds(api, 'inbox')).sort()).toEqual([...ids].sort());
    });

    test('and the connection breaks, both fail; a second try succeeds, and each message is there once', async () => {
      const { alice, bob, api, socket, ids, answered, http, live } = await twoHeldSends(commits);
      expect(answered).toEqual([]);
      line.cut();
      expect(await http).toMatchObject({ status: 503, body: unavailable });
      expect(await live).toMatchObject({ ...unavailable, messageId: ids[1] });
      await commits.release();
      await everybodyIsReady();
      const message = { recipient: bob.key, messageBox: 'inbox', body: 'hello' };
      expect(await alice.send(api, { ...message, messageId: ids[0] })).toMatchObject({ status: 200 });
      expect(await socket.send(bob.key, 'inbox', ids[1], 'hello')).toMatchObject({ status: 'success' });
      expect((await bob.listIds(api, 'inbox')).sort()).toEqual([...ids].sort());
    });
  });

  test('sends fail with a reason while the database is gone, and succeed when it is back', async () => {
    const [alice, bob] = [someone(), someone()];
    const [api] = at().apis;
    const [realtime] = at().realtimes;
    const socket = await alice.connect(realtime);
    await alice.list(api, 'none');
    const send = (messageId: string) =>
      alice.send(api, { recipient: bob.key, messageBox: 'inbox', messageId, body: 'hello' });
    const lost = [randomUUID(), randomUUID()] as const;

    line.refuse();
    line.cut();
    // AuthFetch hands over an error of the server only when it is signed and about this very request.
    const answer = await send(lost[0]);
    expect(answer).toMatchObject({ status: 503, body: unavailable });
    expect(answer.body['description']).toEqual(expect.stringMatching(/\S/));
    const failed = socket.events('messageFailed').waitForNext();
    expect(await socket.send(bob.key, 'inbox', lost[1], 'hello')).toMatchObject({ ...unavailable, messageId: lost[1] });
    expect(await failed).toMatchObject({ reason: expect.stringMatching(/\S/) });
    for (const url of [api, realtime]) {
      expect((await fetch(`${url}/health/ready`)).status).toBe(503);
      expect((await fetch(`${url}/ready`)).status).toBe(503);
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
      expect((await fetch(`${url}/health`)).status).toBe(200);
    }
    // What a server is, and its limits, needs no database.
    const info = await fetch(`${api}/info`);
    expect([info.status, await info.json()]).toMatchObject([200, { product: 'MessageBox', network: 'local' }]);
    const listing = await bob.post(`${api}/listMessages`, { messageBox: 'inbox' });
    expect(listing).toMatchObject({ status: 503, body: unavailable });

    await line.accept();
    await everybodyIsReady();
    const ids = [randomUUID(), randomUUID()] as const;
    expect(await send(ids[0])).toMatchObject({ status: 200 });
    expect(await socket.send(bob.key, 'inbox', ids[1], 'hello')).toMatchObject({ status: 'success' });
    expect(await bob.listIds(api, 'inbox')).toEqual(ids);
  });
});
