import { z } from 'zod';

export const limitGroups = ['rates', 'requests', 'sockets', 'stored', 'overlay'] as const;
export type LimitGroup = (typeof limitGroups)[number];

/** The description of a limit for operators, in Markdown. */
export interface LimitFacts {
  /** The things that the limit counts. */
  readonly bounds: string;
  /** The consequence of exceeding it: status and code, where there is a response. */
  readonly beyond: string;
  /** Its name in `messagebox_limits_hit_total{limit}`. Undefined: the limit splits work and refuses nothing. */
  readonly metric?: string;
  /** Whether all instances of a service share it through Redis. Default: each process applies it by itself. */
  readonly isShared?: true;
}

/** A limit as docs/limits.md lists it. */
export interface DescribedLimit extends Omit<LimitFacts, 'metric'> {
  readonly name: string;
  readonly group: LimitGroup;
  /** The default, as written in the environment. */
  readonly byDefault: string;
  readonly metric: readonly string[];
}

const descriptions = z.registry<LimitFacts & { readonly group: LimitGroup }>();

/** Returns a function that adds a default and a description to the schema of a limit of this group. */
export function defineGroup(group: LimitGroup) {
  return <S extends z.ZodType<unknown, string>>(
    schema: S,
    /** The default, as written in the environment. */
    byDefault: string,
    facts: LimitFacts,
  ) => {
    const described = schema.prefault(byDefault as z.input<S>);
    descriptions.add(described, { group, ...facts });
    return described;
  };
}

/** The description of a limit that {@link defineGroup} has made. @throws {Error} for any other schema */
export function describeLimit(name: string, schema: z.ZodPrefault): DescribedLimit {
  const facts = descriptions.get(schema);
  if (facts === undefined) throw new Error(`${name} has no description`);
  const metric = facts.metric === undefined ? [] : [facts.metric];
  return { name, byDefault: String(schema.def.defaultValue), ...facts, metric };
}
