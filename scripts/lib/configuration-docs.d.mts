import type { DescribedLimit } from '../../packages/shared/src/config/describe-limit.js';
import type { DescribedVariable } from '../../packages/shared/src/config/describe-variable.js';

/** The descriptions that the documents are made of. */
export interface ConfigurationFacts {
  /** All variables but the limits. */
  readonly variables: readonly DescribedVariable[];
  readonly limits: readonly DescribedLimit[];
  /** Names of the limits that .env.example shows. */
  readonly commonLimits: ReadonlySet<string>;
  /** Names of the variables whose values are never printed. */
  readonly secrets: ReadonlySet<string>;
  /** Legacy values of variables, by the variable's name. */
  readonly aliases: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The whole text of docs/configuration.md. */
export function configurationPage(facts: ConfigurationFacts): string;

/** The whole text of .env.example: every variable, commented out, with its default or an example. */
export function envExample(facts: ConfigurationFacts): string;
