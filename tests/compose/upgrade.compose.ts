import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { utimesSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { waitUntil } from '../acceptance/history.js';
import { createPeople, type Person } from '../acceptance/people.js';
import {
  createSent,
  type Faithful,
  listAllMessages,
  openFaithful,
  persist,
  type Sent,
  sendLive,
  sendOverHttp,
  summary,
} from './conversation.js';
import { docker, isServing, listContainers } from './stack.js';

const SERVICES = ['api', 'realtime', 'overlay'];
/** Ten a second: by turns over HTTP and live. */
const SEND_INTERVAL_MS = 100;
const LISTENERS = 8;
const SPEAKERS = 4;
const UPGRADE_MINUTES = 8;
/** What is missing when no push has arrived for this long was missed. */
const MAX_SILENCE_MS = 30_000;

const root = resolve(import.meta.dirname, '..', '..');
const script = join(root, 'scripts', 'compose-upgrade.mjs');
const [from, to] = [process.env['COMPOSE_TEST_VERSION'] ?? 'dev', process.env['COMPOSE_TEST_NEXT_VERSION'] ?? ''];

/** Runs the command as an operator does. */
async function upgrade(version: string, env: NodeJS.ProcessEnv = {}, timeout = '180'): Promise<string> {
  const command = spawn(process.execPath, [script, '--to', version, '--timeout', timeout], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(command.stdout),
    text(command.stderr),
    once(command, 'close') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`the upgrade ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}

/** The version and the id of each running instance. */
async function listVersions(): Promise<{ id: string; version: string | undefined }[]> {
  const found = (await Promise.all(SERVICES.map((service) => listContainers(service)))).flat();
  const states = await Promise.all(found.map((container) => container.inspect()));
  return found.map(({ id }, i) => ({
    id,
    version: states[i]?.Config.Labels['org.opencontainers.image.version'],
  }));
}

function sortById<T extends { readonly id: string }>(instances: readonly T[]): T[] {
  return [...instances].sort((a, b) => a.id.localeCompare(b.id));
}

describe('while every instance is replaced', () => {
  const someone = createPeople();

  /** Sends and listens for as long as `work` takes, and returns what came of it. */
  async function talkDuring(alice: Person, bob: Person, work: () => Promise<unknown>) {
    const listeners = Array.from({ length: LISTENERS }, (_, i) => openFaithful(bob, i % 2 === 0));
    const speakers = Array.from({ length: SPEAKERS }, () => openFaithful(alice));
    const everybody = [...listeners, ...speakers];
    for (const { socket } of everybody) await socket.events('joinedRoom').waitFor(() => true);

    const [overHttp, live] = [createSent(), createSent()];
    const told: Promise<void>[] = [];
    let isWorking = true;
    const working = work().finally(() => {
      isWorking = false;
    });
    working.catch(() => {}); // awaited below
    while (isWorking) {
      const turn = told.length;
      if (turn % 2 === 0) told.push(persist(overHttp, (id) => sendOverHttp(alice, bob, id)));
      else {
        const { socket } = speakers[(turn >> 1) % SPEAKERS] as Faithful;
        told.push(persist(live, (id) => sendLive(socket, bob, id)));
      }
      await new Promise((resolve) => setTimeout(resolve, SEND_INTERVAL_MS));
    }
    await working;
    const results = await Promise.allSettled(told);
    const failed = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));

    for (const { socket } of everybody) await waitUntil('a socket is back', () => socket.client.connected);
    const confirmed = [...overHttp.acknowledged, ...live.acknowledged];
    const missed = () =>
      listeners.reduce((sum, { pushes }) => {
        const heard = new Set(pushes.all.map(({ messageId }) => messageId));
        return sum + confirmed.filter((id) => !heard.has(id)).length;
      }, 0);
    // What is on its way arrives; `missed` says what does not.
    // The clients share a process, which needs some time to verify what is on its way.
    let [arrived, lastArrival] = [0, Date.now()];
    const isOver = () => {
      const count = listeners.reduce((sum, { pushes }) => sum + pushes.all.length, 0);
      if (count !== arrived) [arrived, lastArrival] = [count, Date.now()];
      return missed() === 0 || Date.now() - lastArrival > MAX_SILENCE_MS;
    };
    await waitUntil('everything was heard, or nothing arrives any more', isOver, UPGRADE_MINUTES * 60_000);
    return {
      sends: told.length,
      overHttp,
      live,
      failed,
      confirmed,
      pushes: confirmed.length * LISTENERS,
      missed: missed(),
      reconnected: everybody.filter(({ connects }) => connects() > 1).length,
      reconnects: everybody.reduce((sum, { connects }) => sum + connects() - 1, 0),
    };
  }

  test.each([
    ['forth', to, { NGINX_IMAGE: process.env['COMPOSE_TEST_NEXT_EDGE'] }],
    ['back', from, {}],
  ])(
    '%s: every send succeeds, and every socket moves on',
    async (_direction, version, env) => {
      const [alice, bob] = [someone(), someone()];
      const before = await listVersions();
      let output = '';
      const result = await talkDuring(alice, bob, async () => {
        output = await upgrade(version, env);
      });
      process.stderr.write(`${output}${describeResult(result)}\n`);

      const after = await listVersions();
      expect(after).toHaveLength(before.length);
      expect(new Set(after.map((one) => one.version))).toEqual(new Set([version]));
      expect(after.filter(({ id }) => before.some((one) => one.id === id))).toEqual([]);

      expect(result.failed).toEqual([]);
      expect(result.confirmed).toHaveLength(result.sends);
      const stored = await listAllMessages(bob);
      expect([...stored].sort()).toEqual([...result.confirmed].sort());
      expect(result.reconnected).toBe(LISTENERS + SPEAKERS);
      expect(result.missed).toBe(0);
    },
    2 * UPGRADE_MINUTES * 60_000,
  );

  test('nothing is replaced when nothing has changed, neither by the command nor by docker compose up', async () => {
    const before = await listVersions();
    const output = await upgrade(from);
    expect(output).toContain('api: 0 of 2 to replace');
    expect(output).toContain('realtime: 0 of 3 to replace');
    expect(output).toContain('edge: nothing to do');
    await docker('compose', '--progress', 'quiet', 'up', '--detach', '--wait', '--wait-timeout', '120');
    expect(sortById(await listVersions())).toEqual(sortById(before));
  }, 240_000);

  test('a changed configuration of the edge is read by the edge that is there', async () => {
    const [edge] = await listContainers('edge');
    utimesSync(join(root, 'deploy', 'edge', 'nginx.conf'), new Date(), new Date());
    let output = '';
    const result = await talkDuring(someone(), someone(), async () => {
      output = await upgrade(from);
    });
    process.stderr.write(`${describeResult(result)}\n`);
    expect(output).toContain('edge: read its configuration again');
    expect(await listContainers('edge')).toEqual([edge]);
    expect(result.failed).toEqual([]);
  }, 240_000);

  test('an edge that does not start is given up for the one before', async () => {
    const [edge] = await listContainers('edge');
    // It has no nginx.
    await expect(upgrade(from, { NGINX_IMAGE: 'redis:7-alpine' }, '15')).rejects.toThrow('ended with 1');
    expect(await listContainers('edge', { all: true })).toEqual([edge]);
    await waitUntil('the edge serves', isServing);
  }, 240_000);

  test('a version that does not start replaces nothing, and the command says so', async () => {
    const before = await listVersions();
    await expect(upgrade(from, { NETWORK: 'nowhere' }, '15')).rejects.toThrow(/api: .* has not become healthy within/);
    expect(await listVersions()).toEqual(before);
  }, 300_000);
});

function describeResult({
  sends,
  overHttp,
  live,
  failed,
  pushes,
  missed,
  reconnected,
  reconnects,
}: {
  sends: number;
  overHttp: Sent;
  live: Sent;
  failed: string[];
  pushes: number;
  missed: number;
  reconnected: number;
  reconnects: number;
}): string {
  const reasons = [...overHttp.failures, ...live.failures].map(({ reason }) => reason.slice(0, 60));
  const counts = new Map(reasons.map((reason) => [reason, reasons.filter((other) => other === reason).length]));
  return [
    `${sends} sends, ${failed.length} failed; ${summary('HTTP', overHttp)}; ${summary('live', live)}`,
    `repeated because: ${JSON.stringify(Object.fromEntries(counts))}`,
    `${reconnected} sockets reconnected, ${reconnects} times in all; missed live: ${missed} of ${pushes}`,
  ].join('\n');
}
