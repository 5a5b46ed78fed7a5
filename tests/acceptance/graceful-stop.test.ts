import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { deployScaled, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { holdCommits } from './held-commits.js';
import { waitUntil, withTimeout } from './history.js';
import { createPeople } from './people.js';

describeScaled('an api that is told to stop', () => {
  const at = useDeployment(() => deployScaled());
  const someone = createPeople();

  test('finishes what it has begun, takes nothing new, and ends with 0', async () => {
    const [alice, bob] = [someone(), someone()];
    const [api] = at().processes.apis;
    await alice.list(api.url, 'none');
    const commits = await holdCommits(at().databaseUrl as string);
    try {
      const messageId = randomUUID();
      const message = { recipient: bob.key, messageBox: 'inbox', messageId, body: 'slow' };
      let answered = false;
      const slow = alice.send(api.url, message).finally(() => {
        answered = true;
      });
      await commits.waiting(1);
      // A request that has begun to arrive by then is taken, too: it asks whether the process is ready.
      const asking = await openConnection(api.port);
      asking.write('GET /health/ready HTTP/1.1\r\nHost: api\r\n');
      expect((await fetch(`${api.url}/health/ready`)).status).toBe(200);

      const stopped = api.stop();
      await api.waitForLog('"msg":"closing"');
      const answer = readAll(asking);
      asking.write('Connection: close\r\n\r\n');
      expect(await answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*is stopping/);
      // What had reached the machine by then was taken as well; from now on nothing is.
      await waitUntil('new connections are refused', () => isRefused(api.port));
      expect(answered).toBe(false);

      await commits.release();
      expect(await slow).toMatchObject({ status: 200, body: { status: 'success', messageId } });
      expect(await withTimeout(5_000, 'the process ends', stopped)).toBe(0);
      expect(await bob.listIds(at().apis[1], 'inbox')).toEqual([messageId]);
    } finally {
      await commits.close();
    }
  });
});

async function openConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}

/** A connection that is made may be reset before it is looked at: that is no refusal yet. */
async function isRefused(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}
