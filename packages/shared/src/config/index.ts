/* The configuration alone, for scripts that write the docs. */
export type { DescribedLimit } from './describe-limit.js';
export { limitGroups } from './describe-limit.js';
export { type DescribedVariable, variableGroups } from './describe-variable.js';
export { databaseClientAliases, networkAliases } from './legacy-aliases.js';
export { describeLimits, limitVariables } from './limit-variables.js';
export { commonLimits, describeVariables, secretVariables, variables } from './variables.js';
