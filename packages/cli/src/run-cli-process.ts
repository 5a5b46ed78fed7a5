import { EXIT } from './exit-codes.js';
import type { OutputStream } from './io.js';
import { runCli } from './run-cli.js';

/**
 * Runs the command line as this process: its arguments, streams and environment. Ctrl-C and SIGTERM end the work in order, a
 * second one ends the process at once. A reader that closes the pipe (`| head`) ends it without a complaint.
 */
export async function runCliProcess(argv: readonly string[] = process.argv.slice(2)): Promise<never> {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
    });
  }
  // The public client libraries write to the console what the command says by itself.
  if (!/(^|[\s,])(messagebox|\*)/.test(process.env['DEBUG'] ?? '')) silenceConsole();
  const { stdin, stdout, stderr, env } = process;
  const code = await runCli(argv, { stdin, stdout, stderr, env, cwd: process.cwd(), signal: stop.signal });
  await Promise.all([flush(stdout), flush(stderr)]);
  // Idle connections of the libraries would keep the process alive.
  process.exit(code);
}

function flush(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}

function silenceConsole(): void {
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) console[name] = () => undefined;
}
