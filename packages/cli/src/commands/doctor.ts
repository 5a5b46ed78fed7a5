import type { Command } from 'commander';
import { parseSeconds } from '../arguments/parsers.js';
import { CliError } from '../cli-error.js';
import { readServerEnvironment } from '../environment.js';
import { EXIT } from '../exit-codes.js';
import type { CliIo } from '../io.js';
import { toInert } from '../output/inert-text.js';
import { Printer, type Style } from '../output/printer.js';
import { startProgress } from '../output/progress.js';

interface DoctorCommandOptions {
  readonly origin?: string;
  readonly dataDir?: string;
  readonly timeout: number;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `messagebox doctor`. */
export function addDoctorCommand(program: Command, io: CliIo): void {
  program
    .command('doctor')
    .summary('check a configuration against reality')
    .description(
      'Checks the configuration (environment and .env of this folder) against reality: database, Redis, keys, the public ' +
        'origin and what is in front of it, and the limits of this system. Says what to do. Changes nothing. Run it where the ' +
        'servers run. Exit code 1: something failed; warnings alone give 0.',
    )
    .option('-o, --origin <url>', 'the public URL of the server, with its prefix (default: HOSTING_DOMAIN)')
    .option('-d, --data-dir <path>', 'DATA_DIR: the folder of the key and the embedded database')
    .option('--timeout <seconds>', 'how long each step may take', parseSeconds, 5_000)
    .option('-a, --all', 'show also what does not apply here')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ messagebox doctor\n  $ messagebox doctor --origin https://messagebox.example --json',
    )
    .action(async (options: DoctorCommandOptions) => runDoctorCommand(io, options));
}

async function runDoctorCommand(io: CliIo, options: DoctorCommandOptions): Promise<void> {
  const { runDoctor } = await import('../doctor/run-doctor.js');
  const env = await readServerEnvironment(io, { DATA_DIR: options.dataDir }).catch((error: unknown) => {
    if (error instanceof CliError) return error; // a fault for doctor to report
    throw error;
  });
  const progress = startProgress(io, 'Checking');
  const results = await runDoctor(
    { env, limitMs: options.timeout, origin: options.origin === undefined ? undefined : parseOrigin(options.origin) },
    (left) => progress.update(`${left} left`),
  );
  progress.end();
  const printer = new Printer(io);
  const isSound = results.every(({ verdict }) => verdict !== 'fail');
  if (options.json === true) printer.json({ sound: isSound, checks: results });
  else printResults(printer, results, options.all === true);
  if (!isSound) throw new CliError(EXIT.failed, '');
}

const STYLES: Readonly<Record<string, Style>> = { ok: 'green', warn: 'yellow', fail: 'red', 'not applicable': 'dim' };
const SIGNS: Readonly<Record<string, string>> = { ok: 'ok', warn: 'warn', fail: 'FAIL', 'not applicable': '-' };

function printResults(
  printer: Printer,
  results: readonly {
    readonly name: string;
    readonly verdict: string;
    readonly seen: string;
    readonly advice?: string | undefined;
  }[],
  all: boolean,
): void {
  const shown = results.filter(({ verdict }) => all || verdict !== 'not applicable');
  const width = Math.max(...shown.map(({ name }) => name.length));
  for (const { name, verdict, seen, advice } of shown) {
    const sign = printer.style(STYLES[verdict] ?? 'dim', (SIGNS[verdict] ?? verdict).padEnd(4));
    const indent = ' '.repeat(width + 8);
    printer.line(
      `${sign}  ${name.padEnd(width)}  ${toInert(seen, { keepLines: true }).replaceAll('\n', `\n${indent}`)}`,
    );
    if (advice !== undefined) printer.line(`${indent}${printer.style('bold', `→ ${toInert(advice)}`)}`);
  }
  const tally = (verdict: string) => results.filter((result) => result.verdict === verdict).length;
  printer.line();
  printer.line(
    `${tally('ok')} ok, ${tally('warn')} warnings, ${tally('fail')} failed, ${tally('not applicable')} not applicable`,
  );
}

function parseOrigin(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search + url.hash !== '') {
    throw new CliError(EXIT.usage, '--origin must be a URL such as https://messagebox.example');
  }
  return url;
}
