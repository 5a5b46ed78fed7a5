import { randomUUID } from 'node:crypto';
import { corsHeaders } from '@messagebox/shared';
import { waitUntil } from '../acceptance/history.js';
import { createPeople } from '../acceptance/people.js';
import {
  BOX,
  createSent,
  type Faithful,
  listAllMessages,
  openFaithful,
  persist,
  sendLive,
  sendOverHttp,
  summary,
} from './conversation.js';
import { type Container, docker, edgeUrl, isServing, listContainers } from './stack.js';

/** How often somebody says something, and for how long they talk. */
const SEND_INTERVAL_MS = 50;
const CONVERSATION_MS = 15_000;
const KILL_API_AFTER_MS = 3_000;
const KILL_REALTIME_AFTER_MS = 7_000;
/** A lost instance may be met for so long: until its name is asked for again, and clients have reconnected. */
const MAX_TROUBLE_MS = 6_000;

describe('when an api and a realtime instance are lost in the middle of a conversation', () => {
  const someone = createPeople();

  test('it goes on: nothing acknowledged is lost, and everybody hears again', async () => {
    const [alice, bob] = [someone(), someone()];
    const listeners = Array.from({ length: 9 }, () => openFaithful(bob));
    const speakers = Array.from({ length: 6 }, () => openFaithful(alice));
    for (const { socket } of [...listeners, ...speakers]) await socket.events('joinedRoom').waitFor(() => true);
    const instanceOf = ({ socket }: Faithful) => socket.io.io.engine.id?.split('.')[0] ?? '';

    const [lostApi] = await listContainers('api');
    const lostRealtime = await findContainer(instanceOf(listeners[0] as Faithful));
    const started = Date.now();
    const killed: number[] = [];
    const kill = async (container: Container | undefined, afterMs: number) => {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      killed.push(Date.now());
      await container?.kill();
    };
    const [overHttp, live] = [createSent(), createSent()];
    const told: Promise<void>[] = [];
    const killing = [kill(lostApi, KILL_API_AFTER_MS), kill(lostRealtime, KILL_REALTIME_AFTER_MS)];
    for (let i = 0; Date.now() - started < CONVERSATION_MS; i++) {
      told.push(persist(overHttp, (id) => sendOverHttp(alice, bob, id)));
      const { socket } = speakers[i % speakers.length] as Faithful;
      told.push(persist(live, (id) => sendLive(socket, bob, id)));
      await new Promise((resolve) => setTimeout(resolve, SEND_INTERVAL_MS));
    }
    await Promise.all([...told, ...killing]);

    process.stderr.write(`${told.length} messages; ${summary('HTTP', overHttp)}; ${summary('live', live)}\n`);
    // Acknowledged once, there once.
    const stored = await listAllMessages(bob);
    expect(new Set(stored).size).toBe(stored.length);
    expect(new Set(stored)).toEqual(new Set([...overHttp.acknowledged, ...live.acknowledged]));
    expect(stored).toHaveLength(told.length);
    // Only while an instance went away was anything refused.
    for (const { at } of [...overHttp.failures, ...live.failures]) {
      expect(killed.some((moment) => at >= moment && at - moment < MAX_TROUBLE_MS)).toBe(true);
    }
    expect(overHttp.failures.length).toBeLessThan(told.length / 20);

    // All are back, nobody is at the lost instance, and what is said now is heard by everyone.
    const lost = findInstance(await lostRealtime.logs());
    for (const { socket } of listeners) await waitUntil('a listener is back', () => socket.client.connected);
    expect(listeners.map(instanceOf)).not.toContain(lost);
    const messageId = randomUUID();
    await alice.send(edgeUrl, { recipient: bob.key, messageBox: BOX, messageId, body: 'still there?' });
    for (const { pushes } of listeners) await pushes.waitFor((push) => push.messageId === messageId);

    // The edge finds instances that come back.
    for (const container of [lostApi as Container, lostRealtime]) {
      await docker('start', container.id);
      const metric = container === lostRealtime ? 'messagebox_auth_outcomes_total' : 'messagebox_messages_total';
      await waitUntil(
        `${container.service} has work again`,
        async () => {
          const newcomer = someone();
          await newcomer.connect(edgeUrl);
          await newcomer.listIds(edgeUrl, BOX);
          await alice.send(edgeUrl, { recipient: bob.key, messageBox: BOX, messageId: randomUUID(), body: 'hello' });
          const numbers = await container.readMetrics().catch(() => undefined); // it is still starting
          return numbers !== undefined && numbers.sum(metric) > 0;
        },
        30_000,
      );
    }
  }, 120_000);
});

test('when no api is left, the edge says so in the form of the services, and finds the next one by itself', async () => {
  const apis = await listContainers('api');
  await Promise.all(apis.map((api) => docker('stop', api.id)));
  const response = await fetch(`${edgeUrl}/sendMessage`, { method: 'POST', body: '{}' });
  // 504 while the edge still knows addresses.
  expect([502, 504]).toContain(response.status);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    ...Object.fromEntries(Object.entries(corsHeaders).map(([name, value]) => [name.toLowerCase(), value])),
    'content-type': 'application/json',
    'retry-after': '1',
  });
  expect(await response.json()).toEqual({
    status: 'error',
    code: 'ERR_UNAVAILABLE',
    description: expect.any(String),
  });
  // In order, and not because time was up.
  for (const api of apis) expect((await api.inspect()).State.ExitCode).toBe(0);
  await Promise.all(apis.map((api) => docker('start', api.id)));
  await waitUntil('an api is found', isServing, 30_000);
});

function findInstance(logs: string): string | undefined {
  return /"instance":"([\w-]{12})"/.exec(logs)?.[1];
}

async function findContainer(instance: string): Promise<Container> {
  for (const container of await listContainers('realtime')) {
    if (findInstance(await container.logs()) === instance) return container;
  }
  throw new Error(`no container is instance ${instance}`);
}
