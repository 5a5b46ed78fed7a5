import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedServer } from '../support/managed-servers.ts';
import type { Fault } from './catalogue/fault.ts';
import { type ListedMessage, listBox } from './clients/list-box.ts';
import { BOX } from './clients/listener.ts';
import { Load } from './clients/load.ts';
import { countMessages, countUnheard, describeMissed } from './judge/count-messages.ts';
import { measureRecovery } from './judge/recovery.ts';
import { describeGrowth, readUsage } from './judge/usage.ts';
import type { Finding } from './judge/verdict.ts';
import { startWorld } from './world/start-world.ts';
import type { World } from './world/world.ts';

/** How long the parts of a trial take, milliseconds. */
export interface TrialTimes {
  /** Load before the fault. */
  readonly before: number;
  /** Load after the fault's end. */
  readonly after: number;
  /** How long a fault lasts; undefined: as its entry says. */
  readonly fault: number | undefined;
}

/** Catching up is over when nothing more was pushed for so long. */
const SILENCE_MS = 8_000;
const CATCH_UP_INTERVAL_MS = 100;
const READY_TIMEOUT_MS = 10_000;

/** Runs one fault under load, on servers of its own. */
export async function runTrial(
  fault: Fault,
  times: TrialTimes,
  servers: { readonly database: ManagedServer; readonly fakeClock: string | undefined },
): Promise<Finding> {
  const world = await startWorld(servers.database, fault.needsClock === true ? servers.fakeClock : undefined);
  let load: Load | undefined;
  try {
    load = await Load.open(world.front);
    return await judge(fault, times, world, load);
  } finally {
    await load?.close();
    await world.close();
  }
}

async function judge(fault: Fault, times: TrialTimes, world: World, load: Load): Promise<Finding> {
  load.start();
  await sleep(times.before);
  const before = world.services.map(({ pid }) => readUsage(pid));

  const from = performance.now();
  await fault.start(world);
  await sleep(fault.seconds === 0 ? 0 : Math.max(0, from + (times.fault ?? fault.seconds * 1_000) - performance.now()));
  await fault.end?.(world);
  const until = performance.now();

  await sleep(times.after);
  await load.stop();
  const { sent, devices } = load;
  await waitUntilCaughtUp(load);

  const unready = await findUnready(world);
  const after = world.services.map(({ pid }) => readUsage(pid));
  const boxes = new Map<string, readonly ListedMessage[]>();
  for (const client of load.recipients) boxes.set(client.identityKey, await listBox(world.edge.port, client, BOX));
  const evidence = { sent, devices, boxes, fault: { from, until } };
  return {
    fault: fault.name,
    does: fault.does,
    counts: countMessages(evidence),
    recovery: measureRecovery(evidence),
    ended: world.services.flatMap(({ ended }) => ended ?? []),
    grown: world.services.flatMap(({ label }, i) => describeGrowth(label, before[i], after[i]) ?? []),
    unready,
    violations: load.violations,
    missed: describeMissed(evidence),
    failures: load.failures,
  };
}

/** Resolves when everything has been pushed, or when nothing more comes: that is what the judge counts as missed. */
async function waitUntilCaughtUp({ sent, devices }: Load): Promise<void> {
  let unheard = countUnheard(sent, devices);
  for (let since = performance.now(); unheard > 0 && performance.now() - since < SILENCE_MS; ) {
    await sleep(CATCH_UP_INTERVAL_MS);
    const now = countUnheard(sent, devices);
    if (now < unheard) since = performance.now();
    unheard = now;
  }
}

async function findUnready({ services }: World): Promise<string[]> {
  const answers = await Promise.all(
    services.map(async ({ url, label }) => {
      try {
        const { ok, status } = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
        return ok ? undefined : `${label} (${status})`;
      } catch (error) {
        return `${label} (${(error as Error).message})`;
      }
    }),
  );
  return answers.flatMap((answer) => answer ?? []);
}
