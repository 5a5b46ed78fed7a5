import { z } from 'zod';

export const variableGroups = [
  'process',
  'identity',
  'database',
  'redis',
  'network',
  'prices',
  'push',
  'uploads',
  'tracing',
  'legacy',
] as const;
export type VariableGroup = (typeof variableGroups)[number];

/** The description of a variable for operators, in Markdown. */
export interface VariableFacts {
  readonly group: VariableGroup;
  /** The purpose of the variable, in full sentences. */
  readonly meaning: string;
  /** The allowed values, with their unit. */
  readonly values: string;
  /** The behaviour when the variable is not set, where the schema has no default. */
  readonly unset?: string;
  /** A value for `.env.example`, where the schema has no default. None for secrets. */
  readonly example?: string;
}

const descriptions = z.registry<VariableFacts>();

/** Adds a description to the schema of a variable, and returns the schema. */
export function describeVariable<S extends z.ZodType>(schema: S, facts: VariableFacts): S {
  descriptions.add(schema, facts);
  return schema;
}

/** A variable as docs/configuration.md and .env.example show it. */
export interface DescribedVariable extends VariableFacts {
  readonly name: string;
  /** The default, as written in the environment. Undefined: the schema has none. */
  readonly byDefault: string | undefined;
}

/** The description of one variable, with its name and default. Undefined for limits, which are described elsewhere. */
export function variableDescription(name: string, schema: z.ZodType): DescribedVariable | undefined {
  const facts = descriptions.get(schema);
  return facts && { name, byDefault: getDefaultText(schema), ...facts };
}

/** The text of a default that was given with `prefault()`. */
export function getDefaultText(schema: z.ZodType): string | undefined {
  return schema instanceof z.ZodPrefault ? String(schema.def.defaultValue) : undefined;
}
