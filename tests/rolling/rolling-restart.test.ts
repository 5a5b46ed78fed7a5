import { type Deployment, deployScaled, useDeployment } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { Edge, type Group } from './edge.js';
import { Load } from './load.js';

const SECONDS = Number(process.env['ROLLING_SECONDS'] ?? (process.env['CI'] ? 180 : 40));
/** Two stops, where the restarts have eight. */
const SCALING_SECONDS = SECONDS / 2;
const GRACE_SECONDS = 15;
const ROUNDS = 2;
/** The share of all sends that may fail; each stop may cost one send, however short the run. */
const ERRORS_ALLOWED = 0.001;
/** Errors come no later than this after an instance has gone. */
const AFTERMATH_MS = 5_000;
const ABSENCE_MS = 5_000;
const TIMEOUT_MS = SECONDS * 1_000 + 150_000;

/** An instance's way out, from the signal to its end. */
interface Stop {
  readonly what: string;
  readonly from: number;
  readonly until: number;
  readonly exitCode: number;
  /** Lines that an operator would have to look at. */
  readonly complaints: readonly string[];
}

describeScaled('under steady load behind a load balancer', () => {
  const at = useDeployment(() =>
    deployScaled({
      INTERNAL_PORT: '0',
      INTERNAL_HOST: '127.0.0.1',
      INTERNAL_ADDRESS: '127.0.0.1',
      SHUTDOWN_GRACE_SECONDS: String(GRACE_SECONDS),
    }),
  );
  let edge: Edge;
  let load: Load | undefined;
  let stops: Stop[];
  beforeEach(async () => {
    stops = [];
    load = undefined;
    edge = await Edge.open();
  });
  afterEach(async () => {
    await load?.close();
    await edge.close();
  });

  async function stop(service: ServiceProcess): Promise<void> {
    const from = performance.now();
    load?.stopping();
    const exitCode = await service.stop();
    const complaints = service.logs.filter((line) => !/"level":[1-3]0,/.test(line));
    const what = `${service.name} ${stops.length}`;
    stops.push({ what, from, until: performance.now(), exitCode, complaints });
  }

  /** Checks what must hold after every run. */
  async function expectNothingLost(done: Load): Promise<void> {
    const { troubles } = done;
    const told = troubles.slice(0, 20).map(({ at: when, what }) => `${nearest(when)}: ${what}`);
    const stopMs = stops.map(({ from, until }) => Math.round(until - from));
    const figures = {
      ...done.figures(),
      stopMs,
      refusedAtEdge: edge.refused,
      told,
      unanswered: edge.unanswered.slice(0, 20),
    };
    process.stdout.write(`${expect.getState().currentTestName}: ${JSON.stringify(figures)}\n`);

    expect(stops.map(({ exitCode, complaints }) => ({ exitCode, complaints }))).toEqual(
      stops.map(() => ({ exitCode: 0, complaints: [] })),
    );
    expect(Math.max(...stopMs)).toBeLessThan(GRACE_SECONDS * 1_000);
    expect(done.faults).toEqual([]);
    expect(done.unconfirmed).toEqual([]);
    expect(await done.differences()).toEqual([]);
    expect(done.missing()).toEqual([]);
    expect(done.pushedTwice()).toEqual([]);
    expect(done.longestAbsenceMs).toBeLessThan(ABSENCE_MS);
    const late = troubles.filter(
      ({ at: when }) => !stops.some(({ from, until }) => when >= from && when <= until + AFTERMATH_MS),
    );
    expect(late).toEqual([]);
    const allowed = Math.max(Math.floor(done.sends * ERRORS_ALLOWED), stops.length);
    expect(troubles.length > allowed ? told : []).toEqual([]);
  }

  /** An error's place in time, for people. */
  function nearest(when: number): string {
    const stopped = stops.findLast(({ from }) => from <= when);
    return stopped === undefined ? 'before any stop' : `${Math.round(when - stopped.from)} ms after ${stopped.what}`;
  }

  async function addAll({ processes }: Deployment): Promise<void> {
    await Promise.all([
      ...processes.apis.map(({ url }) => edge.add('api', url)),
      ...processes.realtimes.map(({ url }) => edge.add('realtime', url)),
    ]);
  }

  test(
    'every instance is restarted, twice round, and nothing is lost',
    async () => {
      const { apis, realtimes } = at().processes;
      await addAll(at());
      load = await Load.open(edge);

      const order: (readonly [Group, ServiceProcess])[] = [
        ['api', apis[0]],
        ['realtime', realtimes[0]],
        ['api', apis[1]],
        ['realtime', realtimes[1]],
      ];
      const restarts = Array.from({ length: ROUNDS }, (_, round) =>
        order.map(([group, service]) => ({ group, service, samePort: round % 2 === 0 })),
      ).flat();
      const times = restarts.map((_, i) => (load as Load).reached((i + 0.5) / restarts.length, SECONDS));
      const restarting = async () => {
        for (const [i, { group, service, samePort }] of restarts.entries()) {
          await times[i];
          const before = service.url;
          await stop(service);
          if (!samePort) edge.remove(before);
          await service.restart(samePort ? { samePort } : { env: { PORT: '0' } });
          if (samePort) await edge.ready(service.url);
          else await edge.add(group, service.url);
        }
      };
      await Promise.all([load.run(SECONDS), restarting()]);

      expect(stops).toHaveLength(restarts.length);
      await expectNothingLost(load);
    },
    TIMEOUT_MS,
  );

  test(
    'realtime is scaled from 1 instance to 3 and back to 1, and nothing is lost',
    async () => {
      const { apis, realtimes } = at().processes;
      const [first, second] = realtimes;
      await second.stop();
      for (const { url } of apis) await edge.add('api', url);
      await edge.add('realtime', first.url);
      load = await Load.open(edge);

      const times = [0.15, 0.4, 0.65].map((part) => (load as Load).reached(part, SCALING_SECONDS));
      const scaling = async () => {
        await times[0];
        const [third] = await Promise.all([startService({ name: 'realtime', env: at().env }), second.restart()]);
        try {
          await Promise.all([second, third].map(({ url }) => edge.add('realtime', url)));
          // The one that all clients are connected to goes first, and then one of those that they went to.
          await times[1];
          await stop(first);
          edge.remove(first.url);
          await times[2];
          await stop(third);
          edge.remove(third.url);
        } finally {
          await third.kill();
        }
      };
      await Promise.all([load.run(SCALING_SECONDS), scaling()]);

      expect(stops).toHaveLength(2);
      await expectNothingLost(load);
      await first.restart();
    },
    TIMEOUT_MS,
  );
});
