export { ConfigError } from './config-error.js';
export { withEnvFile } from './env-file.js';
export { hasWallet } from './has-wallet.js';
export { type Config, type Environment, type Network, readConfig } from './read-config.js';
export { secretVariables, variables } from './variables.js';
