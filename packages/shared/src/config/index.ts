export { ConfigError } from './config-error.js';
export { withEnvFile } from './env-file.js';
export { readConfig, type Config, type Environment } from './read-config.js';
export { secretVariables, variables } from './variables.js';
