export { ConfigError } from './config-error.js';
export { withEnvFile } from './env-file.js';
export { hasWallet } from './has-wallet.js';
export {
  type DescribedLimit,
  describedLimits,
  type LimitGroup,
  limitGroups,
  limitVariables,
} from './limit-variables.js';
export type { Limits } from './limits.js';
export { type Config, type Environment, type Network, readConfig } from './read-config.js';
export { secretVariables, variables } from './variables.js';
