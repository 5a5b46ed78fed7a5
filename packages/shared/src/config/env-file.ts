import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './config-error.js';
import type { Environment } from './read-config.js';
import { variables } from './variables.js';

/**
 * The environment with the values of an env file under it: what the process was given wins over the file.
 * A name in the file that nobody reads is most likely a typo, so it is refused.
 *
 * @param file path of the file; one that doesn't exist is an empty one
 * @throws {ConfigError}
 */
export function withEnvFile(env: Environment, file: string): Environment {
  if (!existsSync(file)) return env;
  const values = parseEnv(readFileSync(file, 'utf8'));
  const strange = Object.keys(values).filter((name) => !(name in variables));
  if (strange.length > 0)
    throw new ConfigError(strange.map((name) => `${name} in ${file} is not a variable of this server`));
  return { ...values, ...env };
}
