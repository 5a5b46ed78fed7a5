import type { Service } from '../world/service.ts';
import type { World } from '../world/world.ts';
import type { Fault } from './fault.ts';

/** Wall clocks that jump. They stay where they are: nothing is set back when the trial's fault ends. */
const jump = (
  name: string,
  does: string,
  offsets: (world: World) => readonly (readonly [Service, number])[],
): Fault => ({
  name,
  does,
  seconds: 5,
  needsClock: true,
  start: (world) => {
    for (const [service, seconds] of offsets(world)) service.setClock(seconds);
  },
});

const inAll = (seconds: number) => (world: World) => world.services.map((service) => [service, seconds] as const);

export const clockFaults: readonly Fault[] = [
  jump('clocks-forward', 'the clocks of all services jump forward by 10 minutes', inAll(600)),
  jump('clocks-back', 'the clocks of all services jump back by 10 minutes', inAll(-600)),
  jump('clocks-apart', 'one api and one realtime are 30 s ahead, the others 30 s behind', ({ apis, realtimes }) => [
    [apis[0], 30],
    [realtimes[0], 30],
    [apis[1], -30],
    [realtimes[1], -30],
  ]),
];
