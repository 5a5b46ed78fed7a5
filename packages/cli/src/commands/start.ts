import type { Command } from 'commander';
import { parseWholeNumber } from '../arguments/parsers.js';
import { CliError } from '../cli-error.js';
import { readServerEnvironment } from '../environment.js';
import { EXIT } from '../exit-codes.js';
import type { CliIo } from '../io.js';
import { waitForAbort } from '../wait-for-abort.js';

interface StartOptions {
  readonly port?: number;
  readonly host?: string;
  readonly dataDir?: string;
}

/** `messagebox start`: all services in this process, as `npm start` runs them. */
export function addStartCommand(program: Command, io: CliIo): void {
  program
    .command('start')
    .summary('run a server')
    .description(
      'Runs a server in this process, configured by the environment and by .env in this folder (docs/configuration.md). ' +
        'Without any configuration it keeps its key and its messages in ./data. Ctrl-C stops it.',
    )
    .option('-p, --port <number>', 'PORT: the port for clients', parseWholeNumber(0, 65_535))
    .option('--host <address>', 'HOST: the address to listen on')
    .option('-d, --data-dir <path>', 'DATA_DIR: the folder of the key and the embedded database')
    .addHelpText('after', '\nExamples:\n  $ messagebox start\n  $ messagebox start --port 9000 --data-dir ~/messages')
    .action(async (options: StartOptions) => startServer(io, options));
}

async function startServer(io: CliIo, { port, host, dataDir }: StartOptions): Promise<void> {
  const { createLogger, errorMessage, readConfig } = await import('@messagebox/shared');
  const { start } = await import('@messagebox/standalone');
  const env = await readServerEnvironment(io, {
    ...(port === undefined ? {} : { PORT: String(port) }),
    ...(host === undefined ? {} : { HOST: host }),
    ...(dataDir === undefined ? {} : { DATA_DIR: dataDir }),
  });
  let service: Awaited<ReturnType<typeof start>>;
  try {
    const config = readConfig(env);
    service = await start(config, createLogger('standalone', config.logLevel), 'messagebox help');
  } catch (error) {
    const isConfiguration = error instanceof Error && error.name === 'ConfigError';
    throw new CliError(isConfiguration ? EXIT.usage : EXIT.failed, `Could not start: ${errorMessage(error)}`, {
      advice: 'messagebox doctor looks for the cause.',
      cause: error,
    });
  }
  await waitForAbort(io.signal);
  await service.close();
}
