import type { World } from '../world/world.ts';

/** A disturbance of the servers or of their links, with a beginning and an end. */
export interface Fault {
  /** Unique, in lower case with hyphens: the name in the table, and for `--only`. */
  readonly name: string;
  /** What happens, for readers of the table. */
  readonly does: string;
  /** Time from the start to the end, seconds. 0: the fault is an instant, and `end` is called at once. */
  readonly seconds: number;
  /** Whether `--quick` runs it. */
  readonly quick?: boolean;
  /** Whether the services must run under libfaketime. Without that library the fault is not run, and the table says so. */
  readonly needsClock?: boolean;
  /** Starts the fault; may resolve before or after the fault has its effect. */
  readonly start: (world: World) => Promise<void> | void;
  /** Ends it; resolves when what was stopped runs again. Left out: nothing has to be undone. */
  readonly end?: (world: World) => Promise<void> | void;
}

/** The same fault with a start that is not waited for: a service that is started again may have to wait for the end of another fault. */
export function inBackground(fault: Fault): Fault {
  let starting: Promise<void> | void;
  return {
    ...fault,
    start(world) {
      starting = fault.start(world);
    },
    async end(world) {
      await starting;
      await fault.end?.(world);
    },
  };
}

/** Several faults at once, as one: it lasts as long as the longest of them, and all end together. */
export function together(faults: readonly Fault[], options: { readonly quick?: boolean } = {}): Fault {
  const { quick = false } = options;
  return {
    name: faults.map(({ name }) => name).join('+'),
    does: faults.map(({ does }) => does).join('; '),
    seconds: Math.max(...faults.map(({ seconds }) => seconds)),
    quick,
    needsClock: faults.some(({ needsClock }) => needsClock === true),
    async start(world) {
      await Promise.all(faults.map(async (fault) => fault.start(world)));
    },
    async end(world) {
      await Promise.all(faults.map(async (fault) => fault.end?.(world)));
    },
  };
}
