import path from 'node:path';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-codes.js';
import type { CliIo } from './io.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment as a server that is started here reads it: the process's variables, then `.env` of the folder.
 *
 * @param given variables that options of the command set; they come before all others
 * @throws {CliError} when `.env` has a name that no server reads
 */
export async function readServerEnvironment(io: CliIo, given: Environment = {}): Promise<Environment> {
  const { ConfigError, mergeEnvFile } = await import('@messagebox/shared');
  const overrides = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  try {
    return { ...mergeEnvFile(io.env, path.resolve(io.cwd, '.env')), ...overrides };
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(EXIT.usage, error.message, { cause: error });
    throw error;
  }
}
