import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../world/service.ts';
import type { World } from '../world/world.ts';
import type { Fault } from './fault.ts';

interface ProcessFault {
  readonly name: string;
  readonly what: string;
  readonly of: (world: World) => readonly Service[];
  readonly quick?: boolean;
}

const api = (world: World) => [world.apis[0]];
const realtime = (world: World) => [world.realtimes[0]];
const overlay = (world: World) => [world.overlay];
const all = (world: World) => world.services;

const forEach = async (services: readonly Service[], work: (service: Service) => Promise<void> | void): Promise<void> =>
  void (await Promise.all(services.map(work)));

const restart = async (world: World, services: readonly Service[]): Promise<void> => {
  await forEach(services, (service) => service.restart());
  await world.waitUntilReady();
};

const killed = ({ name, what, of, quick = false }: ProcessFault): Fault => ({
  name,
  does: `${what} killed (SIGKILL), and started again after 3 s`,
  seconds: 3,
  quick,
  start: (world) => forEach(of(world), (service) => service.kill()),
  end: (world) => restart(world, of(world)),
});

const stopped = ({ name, what, of }: ProcessFault): Fault => ({
  name,
  does: `${what} stopped in order (SIGTERM), and started again`,
  seconds: 0,
  start: (world) => forEach(of(world), (service) => service.stop()),
  end: (world) => restart(world, of(world)),
});

/** With 3 s it is what a blocked event loop looks like from outside. */
const hung = ({ name, what, of }: ProcessFault, seconds: number): Fault => ({
  name,
  does: `${what} hung for ${seconds} s (SIGSTOP)`,
  seconds,
  start: (world) => forEach(of(world), (service) => service.pause()),
  end: (world) => forEach(of(world), (service) => service.resume()),
});

const STUCK_MS = 1_500;

/** Messages are stored and acknowledged, and their events never leave the process. */
const killedBeforePublishing = ({ name, what, of, quick = false }: ProcessFault): Fault => ({
  name,
  does: `${what} killed when events of ${STUCK_MS / 1_000} s are stuck on the way to Redis`,
  seconds: 3,
  quick,
  async start(world) {
    await forEach(of(world), ({ redis }) => redis.silence());
    await sleep(STUCK_MS);
    await forEach(of(world), (service) => service.kill());
  },
  end: (world) => restart(world, of(world)),
});

export const rollingRestart: Fault = {
  name: 'rolling-restart',
  does: 'each process is stopped and started again, one after the other',
  seconds: 0,
  async start(world) {
    for (const service of world.services) {
      await service.stop();
      await restart(world, [service]);
    }
  },
};

export const apiKilled = killed({ name: 'api-killed', what: 'an api is', of: api });
export const realtimeKilled = killed({ name: 'realtime-killed', what: 'a realtime is', of: realtime, quick: true });
export const realtimeStopped = stopped({ name: 'realtime-stopped', what: 'a realtime is', of: realtime });

export const processFaults: readonly Fault[] = [
  apiKilled,
  realtimeKilled,
  killed({ name: 'overlay-killed', what: 'the overlay is', of: overlay }),
  killed({ name: 'all-killed', what: 'all services are', of: all }),
  stopped({ name: 'api-stopped', what: 'an api is', of: api }),
  realtimeStopped,
  stopped({ name: 'overlay-stopped', what: 'the overlay is', of: overlay }),
  hung({ name: 'api-hung', what: 'an api is', of: api }, 10),
  hung({ name: 'realtime-hung', what: 'a realtime is', of: realtime }, 10),
  hung({ name: 'overlay-hung', what: 'the overlay is', of: overlay }, 10),
  hung({ name: 'api-blocked', what: 'an api is', of: api }, 3),
  hung({ name: 'realtime-blocked', what: 'a realtime is', of: realtime }, 3),
  killedBeforePublishing({ name: 'api-killed-before-publishing', what: 'an api is', of: api, quick: true }),
  killedBeforePublishing({ name: 'realtime-killed-before-publishing', what: 'a realtime is', of: realtime }),
  rollingRestart,
];
