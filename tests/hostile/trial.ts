import { setTimeout as sleep } from 'node:timers/promises';
import type { AttackOrder } from './attacker.ts';
import type { Attack, AttackShape } from './attacks/attack.ts';
import { Child } from './child.ts';
import { now, type Sample } from './honest/sample.ts';
import { MemoryWatch } from './judge/memory.ts';
import { findLongestOutage } from './judge/outage.ts';
import { computePercentile, computeSlowdown, getLatency } from './judge/slowdown.ts';
import type { Finding } from './judge/verdict.ts';
import type { Servers } from './servers.ts';

/** How long the parts of a trial take, milliseconds. */
export interface TrialTimes {
  readonly warmUp: number;
  readonly quiet: number;
  readonly attack: number;
}

const QUIET_AFTER_MS = 1_000;
/** From the end of the attack until memory is judged at the latest. */
const RECOVERY_TIMEOUT_MS = 15_000;
/** The time after the attack counts as quiet as well, unless it is slower by this factor: then the attack is not over yet. */
const MAX_SETTLED_RATIO = 2;
/** The server forgets half of the cost of the preparations in two seconds, so that an honest client is no heavy user. */
const SETTLE_TIMEOUT_MS = 8_000;
const PREPARE_TIMEOUT_MS = 90_000;

/** One attack in one shape on new servers, beside the honest client: quiet, attack, quiet. Judges nothing. */
export async function runTrial(
  attack: Attack,
  shape: AttackShape,
  times: TrialTimes,
  start: () => Promise<Servers>,
): Promise<Finding> {
  // All processes start at the same time; there is not much of it.
  const children = { honest: new Child('honest-process.ts'), attacker: new Child('attacker.ts') };
  let servers: Servers | undefined;
  try {
    servers = await start();
    return await judgeTrial(attack, shape, times, servers, children);
  } finally {
    await Promise.all([children.attacker.kill(), children.honest.kill()]);
    await servers?.close();
  }
}

async function judgeTrial(
  attack: Attack,
  shape: AttackShape,
  times: TrialTimes,
  { target, processes }: Servers,
  { honest, attacker }: { readonly honest: Child; readonly attacker: Child },
): Promise<Finding> {
  const memory = processes.map(({ pid }) => new MemoryWatch(pid));
  let ended: string | undefined;
  for (const { name, exited } of processes) {
    void exited.then(({ code, signal }) => {
      ended ??= `${name}: ${signal ?? `exit code ${code}`}`;
    });
  }
  try {
    honest.send('open', { target, warmUpMs: times.warmUp });
    await honest.receive('ready', PREPARE_TIMEOUT_MS);
    const order: AttackOrder = { name: attack.name, shape, target };
    attacker.send('prepare', order);
    await attacker.receive('ready', PREPARE_TIMEOUT_MS);

    await sleep(SETTLE_TIMEOUT_MS);
    const quietFrom = now();
    await sleep(times.quiet);
    for (const watch of memory) watch.markBefore();
    const attackedFrom = now();
    attacker.send('begin');
    await sleep(times.attack);
    attacker.send('end');
    const attackedUntil = now();
    await attacker.kill();
    await sleep(QUIET_AFTER_MS);
    while (now() < attackedUntil + RECOVERY_TIMEOUT_MS && !memory.every((watch) => watch.isBack)) await sleep(100);
    const after = memory.map((watch) => watch.current);
    honest.send('stop');
    const samples = (await honest.receive('samples', PREPARE_TIMEOUT_MS)) as Sample[];

    const between = (from: number, until: number) => samples.filter(({ at }) => at >= from && at < until);
    const before = between(quietFrom, attackedFrom);
    const later = between(attackedUntil + QUIET_AFTER_MS / 2, Number.POSITIVE_INFINITY);
    const settled = (percent: number) =>
      computePercentile(later.map(getLatency), percent) <=
      computePercentile(before.map(getLatency), percent) * MAX_SETTLED_RATIO;
    const isQuiet = settled(50) && settled(99);
    const isReady = await Promise.all(processes.map(({ url }) => isServiceReady(url)));
    const most = memory.reduce((a, b) => (b.peak - b.before > a.peak - a.before ? b : a));
    const { addresses, identities } = shape;
    return {
      attack: attack.name,
      shape: `${addresses} addr${identities === 0 ? '' : `, ${identities} id`}`,
      slowdown: computeSlowdown(isQuiet ? [...before, ...later] : before, between(attackedFrom, attackedUntil)),
      outage: findLongestOutage(between(attackedFrom, Number.POSITIVE_INFINITY)),
      memory: { before: most.before, peak: most.peak, after: after[memory.indexOf(most)] ?? 0 },
      ended,
      ready: isReady.every(Boolean),
    };
  } finally {
    for (const watch of memory) watch.stop();
  }
}

async function isServiceReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}
