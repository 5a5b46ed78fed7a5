import type { World } from '../world/world.ts';
import type { Fault } from './fault.ts';

/** A fault that does the same thing again and again while it lasts. */
export function repeatedly(
  options: Omit<Fault, 'start' | 'end'> & {
    readonly everyMs: number;
    readonly act: (world: World) => Promise<void> | void;
  },
): Fault {
  const { everyMs, act, ...entry } = options;
  /** One for each world: trials may not share anything. */
  const running = new WeakMap<World, { readonly timer: NodeJS.Timeout; work: Promise<void> }>();
  return {
    ...entry,
    start(world) {
      const state = {
        work: Promise.resolve(act(world)),
        timer: setInterval(() => {
          state.work = state.work.then(() => act(world));
          state.work.catch(() => undefined); // `end` rejects with it
        }, everyMs),
      };
      running.set(world, state);
    },
    async end(world) {
      const state = running.get(world);
      clearInterval(state?.timer);
      await state?.work;
    },
  };
}
