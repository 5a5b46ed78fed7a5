import { randomUUID } from 'node:crypto';
import { corsHeaders } from '../../packages/shared/src/http/json-server.js';
import { type History, until } from '../acceptance/history.js';
import type { LiveSocket, Push } from '../acceptance/live-socket.js';
import { type Person, people } from '../acceptance/people.js';
import { type Container, containers, docker, edgeUrl } from './stack.js';

const BOX = 'conversation';
/** How often somebody says something, and for how long they talk. */
const EVERY_MS = 50;
const TALK_MS = 15_000;
const KILL_API_AFTER_MS = 3_000;
const KILL_REALTIME_AFTER_MS = 7_000;
/** A lost instance may be met for so long: until its name is asked for again, and clients have reconnected. */
const TROUBLE_MS = 6_000;

/** What one way of sending went through. */
interface Sent {
  readonly acknowledged: Set<string>;
  /** When a try failed; the sender repeats with the same id. */
  readonly failures: number[];
  slowestMs: number;
}

describe('when an api and a realtime instance are lost in the middle of a conversation', () => {
  const someone = people();

  test('it goes on: nothing acknowledged is lost, and everybody hears again', async () => {
    const [alice, bob] = [someone(), someone()];
    const listeners = Array.from({ length: 9 }, () => faithful(bob));
    const speakers = Array.from({ length: 6 }, () => faithful(alice));
    for (const { socket } of [...listeners, ...speakers]) await socket.events('joinedRoom').find(() => true);
    const instanceOf = ({ socket }: Faithful) => socket.io.io.engine.id?.split('.')[0] ?? '';

    const [lostApi] = await containers('api');
    const lostRealtime = await containerOf(instanceOf(listeners[0] as Faithful));
    const started = Date.now();
    const killed: number[] = [];
    const kill = async (container: Container | undefined, afterMs: number) => {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      killed.push(Date.now());
      await container?.kill();
    };
    const overHttp: Sent = { acknowledged: new Set(), failures: [], slowestMs: 0 };
    const live: Sent = { acknowledged: new Set(), failures: [], slowestMs: 0 };
    const told: Promise<void>[] = [];
    const killing = [kill(lostApi, KILL_API_AFTER_MS), kill(lostRealtime, KILL_REALTIME_AFTER_MS)];
    for (let i = 0; Date.now() - started < TALK_MS; i++) {
      told.push(persist(overHttp, (id) => sendOverHttp(alice, bob, id)));
      const { socket } = speakers[i % speakers.length] as Faithful;
      told.push(persist(live, (id) => sendLive(socket, bob, id)));
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    await Promise.all([...told, ...killing]);

    process.stderr.write(`${told.length} messages; ${summary('HTTP', overHttp)}; ${summary('live', live)}\n`);
    // Acknowledged once, there once.
    const stored = await everything(bob);
    expect(new Set(stored).size).toBe(stored.length);
    expect(new Set(stored)).toEqual(new Set([...overHttp.acknowledged, ...live.acknowledged]));
    expect(stored).toHaveLength(told.length);
    // Only while an instance went away was anything refused.
    for (const at of [...overHttp.failures, ...live.failures]) {
      expect(killed.some((moment) => at >= moment && at - moment < TROUBLE_MS)).toBe(true);
    }
    expect(overHttp.failures.length).toBeLessThan(told.length / 20);

    // All are back, nobody is at the lost instance, and what is said now is heard by everyone.
    const lost = instanceIn(await lostRealtime.logs());
    for (const { socket } of listeners) await until('a listener is back', () => socket.client.connected);
    expect(listeners.map(instanceOf)).not.toContain(lost);
    const messageId = randomUUID();
    await alice.send(edgeUrl, { recipient: bob.key, messageBox: BOX, messageId, body: 'still there?' });
    for (const { pushes } of listeners) await pushes.find((push) => push.messageId === messageId);

    // Who comes back is found by the edge.
    for (const container of [lostApi as Container, lostRealtime]) {
      await docker('start', container.id);
      const metric = container === lostRealtime ? 'messagebox_auth_outcomes_total' : 'messagebox_messages_total';
      await until(
        `${container.service} has work again`,
        async () => {
          const newcomer = someone();
          await newcomer.connect(edgeUrl);
          await newcomer.listIds(edgeUrl, BOX);
          await alice.send(edgeUrl, { recipient: bob.key, messageBox: BOX, messageId: randomUUID(), body: 'hello' });
          const numbers = await container.numbers().catch(() => undefined); // it is still starting
          return numbers !== undefined && numbers.sum(metric) > 0;
        },
        30_000,
      );
    }
  }, 120_000);

  interface Faithful {
    readonly socket: LiveSocket;
    readonly pushes: History<Push>;
  }

  /** A socket whose app says again who it is and which room it wants whenever it has a connection. */
  function faithful(person: Person): Faithful {
    const socket = person.socket(edgeUrl, { reconnectionDelay: 100, reconnectionDelayMax: 500 });
    socket.client.on('connect', () => {
      socket.client.emit('authenticated', { identityKey: person.key });
      socket.client.emit('joinRoom', `${person.key}-${BOX}`);
    });
    return { socket, pushes: socket.events<Push>(`sendMessage-${person.key}-${BOX}`) };
  }
});

test('when no api is left, the edge says so in the form of the services, and finds the next one by itself', async () => {
  const apis = await containers('api');
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
  await until('an api is found', async () => (await fetch(`${edgeUrl}/health/ready`)).ok, 30_000);
});

async function sendOverHttp(from: Person, to: Person, messageId: string): Promise<void> {
  const answer = await from.send(edgeUrl, { recipient: to.key, messageBox: BOX, messageId, body: 'over HTTP' });
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
}

async function sendLive(socket: LiveSocket, to: Person, messageId: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no ack')), 2_000);
  });
  const sent = socket.send(to.key, BOX, messageId, 'live');
  sent.catch(() => {}); // its own patience ends later
  const ack = await Promise.race([sent, late]).finally(() => clearTimeout(timer));
  if (ack.status !== 'success') throw new Error(`${ack.code} ${ack.description}`);
}

/** Sends until it is acknowledged, each time with the same id. */
async function persist(sent: Sent, send: (messageId: string) => Promise<void>): Promise<void> {
  const messageId = randomUUID();
  const from = Date.now();
  for (;;) {
    try {
      await send(messageId);
      sent.acknowledged.add(messageId);
      sent.slowestMs = Math.max(sent.slowestMs, Date.now() - from);
      return;
    } catch (error) {
      sent.failures.push(Date.now());
      if (Date.now() - from > 20_000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function summary(name: string, sent: Sent): string {
  return `${name}: ${sent.acknowledged.size} acknowledged, ${sent.failures.length} repeated, slowest ${sent.slowestMs} ms`;
}

/** All ids in the box, page by page. */
async function everything(person: Person): Promise<string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const page = await person.page(edgeUrl, BOX, { limit: 1_000, ...(after === undefined ? {} : { after }) });
    ids.push(...page.messages.map(({ messageId }) => messageId));
    after = page.hasMore === true ? page.next : undefined;
  } while (after !== undefined);
  return ids;
}

function instanceIn(logs: string): string | undefined {
  return /"instance":"([\w-]{12})"/.exec(logs)?.[1];
}

async function containerOf(instance: string): Promise<Container> {
  for (const container of await containers('realtime')) {
    if (instanceIn(await container.logs()) === instance) return container;
  }
  throw new Error(`no container is instance ${instance}`);
}
