// One hostile client beside an honest one, attack by attack: `npm run test:hostile`.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { AttackShape } from './attacks/attack.ts';
import { attacks } from './attacks/index.ts';
import { toJestResults } from './judge/jest-results.ts';
import { formatTable } from './judge/table.ts';
import { type Finding, findFaults, type VerdictOptions } from './judge/verdict.ts';
import { type Arrangement, arrangements, startServers, useMemoryForFiles } from './servers.ts';
import { runTrial, type TrialTimes } from './trial.ts';

const TIMES: Record<'quick' | 'long', TrialTimes> = {
  quick: { warmUp: 4_000, quiet: 2_000, attack: 3_500 },
  long: { warmUp: 5_000, quiet: 10_000, attack: 20_000 },
};

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    against: { type: 'string', default: 'standalone' },
    addresses: { type: 'string' },
    tries: { type: 'string', default: '3' },
    'behind-proxy': { type: 'boolean', default: false },
    profile: { type: 'string' },
    'ignore-latency': { type: 'boolean', default: false },
    results: { type: 'string' },
  },
});
const arrangement = arrangements.find((name) => name === values.against);
const times = TIMES[values.quick ? 'quick' : 'long'];
// On a shared machine a pause of a second says little. Shut out is who is not served for as long as the attack lasts.
const strictness: VerdictOptions = values['ignore-latency'] ? { ignoresLatency: true, maxOutageMs: times.attack } : {};
const names = values.only?.split(',');
const chosen = attacks.filter(({ name }) => names === undefined || names.includes(name));
const tries = Number(values.tries);
if (arrangement === undefined) fail(`--against is one of ${arrangements.join(', ')}`);
if (chosen.length !== (names?.length ?? attacks.length)) {
  fail(`--only names attacks, by commas: ${attacks.map(({ name }) => name).join(', ')}`);
}
if (!(tries >= 1)) fail('--tries is a number from 1 on');

await run(arrangement);

async function run(against: Arrangement): Promise<void> {
  useMemoryForFiles();
  const findings: Finding[] = [];
  for (const attack of chosen) {
    for (const shape of shapesOf(attack)) {
      let finding: Finding | undefined;
      // On a busy machine the best of three counts: what a server can't bear fails each time.
      for (let i = 0; i < tries && (finding === undefined || findFaults(finding, strictness).length > 0); i++) {
        finding = better(finding, await tryOnce(attack, shape, against, times));
      }
      if (finding === undefined) continue;
      findings.push(finding);
      const faults = findFaults(finding, strictness);
      console.error(`${attack.name}, ${finding.shape}: ${faults.length === 0 ? 'passed' : faults.join(', ')}`);
    }
  }
  const failed = findings.filter((finding) => findFaults(finding, strictness).length > 0).length;
  console.log(`\n${formatTable(findings, strictness)}\n\n${findings.length - failed} passed, ${failed} failed`);
  if (values.results !== undefined) {
    writeFileSync(values.results, JSON.stringify(toJestResults(findings, strictness)));
  }
  process.exitCode = failed > 0 ? 1 : 0;
}

function shapesOf({ shapes }: (typeof attacks)[number]): readonly AttackShape[] {
  const { addresses, quick } = values;
  if (addresses !== undefined) return shapes.filter((shape) => String(shape.addresses) === addresses);
  return quick ? shapes.slice(0, 1) : shapes;
}

async function tryOnce(
  attack: (typeof attacks)[number],
  shape: AttackShape,
  against: Arrangement,
  times: TrialTimes,
): Promise<Finding> {
  const profileFolder = values.profile === undefined ? undefined : resolve(values.profile);
  return await runTrial(attack, shape, times, async () => {
    const servers = await startServers(against, { behindProxy: values['behind-proxy'], profileFolder });
    if (profileFolder === undefined) return servers;
    return {
      ...servers,
      async close() {
        // A profile is written by a process that ends in order.
        await Promise.all(servers.processes.map((service) => service.stop()));
        await servers.close();
      },
    };
  });
}

function better(one: Finding | undefined, other: Finding): Finding {
  if (one === undefined) return other;
  const [a, b] = [findFaults(one, strictness).length, findFaults(other, strictness).length];
  return b < a || (b === a && other.slowdown.p99 < one.slowdown.p99) ? other : one;
}

function fail(line: string): never {
  console.error(line);
  process.exit(1);
}
