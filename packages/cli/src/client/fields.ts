/** One field of an answer, of any type. */
export function getField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** A text of an answer; empty when there is none. */
export function getText(value: unknown, name: string): string {
  const field = getField(value, name);
  return typeof field === 'string' ? field : field === undefined || field === null ? '' : String(field);
}

/** A number of an answer; undefined when there is none. */
export function getNumber(value: unknown, name: string): number | undefined {
  const field = getField(value, name);
  return typeof field === 'number' ? field : undefined;
}

/** A list of an answer; empty when there is none. */
export function getList(value: unknown, name: string): readonly unknown[] {
  const field = getField(value, name);
  return Array.isArray(field) ? field : [];
}
