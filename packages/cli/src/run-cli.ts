import { CommanderError } from 'commander';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-codes.js';
import type { CliIo } from './io.js';
import { toInert } from './output/inert-text.js';
import { Printer } from './output/printer.js';
import { createProgram } from './program.js';

/**
 * Runs the command line. It neither exits the process nor reads anything of it but `io`.
 *
 * @param argv the arguments without node and the script's name
 * @returns the exit code, see {@link EXIT}. Never throws.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    await createProgram(io).parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return report(error, io);
  }
}

function report(error: unknown, io: CliIo): number {
  const showStack = /(^|[\s,])(messagebox|\*)/.test(io.env['DEBUG'] ?? '');
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok; // help or version
    return EXIT.usage; // commander has said what is wrong
  }
  const printer = new Printer(io);
  const isExpected = error instanceof CliError;
  if (isExpected && error.message === '') return error.exitCode;
  const text = error instanceof Error ? error.message : String(error);
  const [first = '', ...more] = toInert(text, { keepLines: true }).split('\n');
  printer.note(`${printer.style('red', 'error:', io.stderr)} ${[first, ...more].join('\n       ')}`);
  if (isExpected && error.details.advice !== undefined) printer.note(`       ${error.details.advice}`);
  if (showStack && error instanceof Error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      printer.note(toInert(String(cause.stack), { keepLines: true }));
  } else if (!isExpected) printer.note('       This should not happen. DEBUG=messagebox shows more.');
  return isExpected ? error.exitCode : EXIT.failed;
}
