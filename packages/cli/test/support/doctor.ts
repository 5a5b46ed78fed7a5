import { runCli } from '@messagebox/cli';
import { type CommandOptions, runCommand } from './run-command.ts';

/** One result of doctor, as `--json` prints it. */
export interface Finding {
  readonly name: string;
  readonly verdict: 'ok' | 'warn' | 'fail' | 'not applicable';
  readonly seen: string;
  readonly advice?: string;
}

/** What doctor has said. */
export interface Diagnosis {
  readonly code: number | null;
  /** `name: verdict` of all that is wrong or suspicious. */
  readonly problems: readonly string[];
  readonly checks: readonly Finding[];
  find(name: string): Finding;
}

/** How long a step may take: long for a busy machine, except where a port hangs. */
export const LONG_LIMIT = '30';

/** Runs doctor in this process. @param env all that it gets of the environment */
export async function diagnose(
  env: Readonly<Record<string, string>>,
  {
    origin,
    limit = LONG_LIMIT,
    cwd = '/',
  }: { readonly origin?: string; readonly limit?: string; readonly cwd?: string } = {},
): Promise<Diagnosis> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const io = {
    stdin: (async function* () {})(),
    stdout: { write: (text: string) => stdout.push(text) > 0 },
    stderr: { write: (text: string) => stderr.push(text) > 0 },
    env,
    cwd,
  };
  const args = ['doctor', '--json', '--timeout', limit, ...(origin === undefined ? [] : ['--origin', origin])];
  const code = await runCli(args, io);
  return toDiagnosis(code, stdout.join(''), stderr.join(''));
}

/** Runs doctor as a process. */
export async function diagnoseInProcess(args: readonly string[], options: CommandOptions): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runCommand(['doctor', '--json', '--timeout', LONG_LIMIT, ...args], options);
  return toDiagnosis(code, stdout, stderr);
}

export function toDiagnosis(code: number | null, stdout: string, stderr: string): Diagnosis {
  if (stdout === '') throw new Error(`doctor printed nothing (exit code ${code}): ${stderr}`);
  const { checks } = JSON.parse(stdout) as { checks: Finding[] };
  return {
    code,
    checks,
    problems: checks
      .filter(({ verdict }) => verdict === 'fail' || verdict === 'warn')
      .map((one) => `${one.name}: ${one.verdict}`),
    find(name) {
      const found = checks.find((one) => one.name === name);
      if (found === undefined) throw new Error(`doctor has no check ${name}`);
      return found;
    },
  };
}
