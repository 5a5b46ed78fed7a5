import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './config-error.js';
import type { Environment } from './read-config.js';
import { variables } from './variables.js';

/**
 * The environment, with defaults from an env file. Variables of the process take precedence over the file. A name in the
 * file that no service reads is refused, because it is most likely a typo.
 *
 * @param file path of the file, which need not exist
 * @throws {ConfigError} with one line for each unknown name
 */
export function mergeEnvFile(env: Environment, file: string): Environment {
  if (!existsSync(file)) return env;
  const values = parseEnv(readFileSync(file, 'utf8'));
  const unknown = Object.keys(values).filter((name) => !(name in variables));
  if (unknown.length > 0)
    throw new ConfigError(unknown.map((name) => `${name} in ${file} is not a variable of this server`));
  return { ...values, ...env };
}
