/** `?, ?, …`: one placeholder for each of `count` values. */
export function listPlaceholders(count: number): string {
  return Array(count).fill('?').join(', ');
}

/** `IN (?, ?, …)` for `count` values, of which there must be at least one: `IN ()` is no SQL. */
export function inList(count: number): string {
  return `IN (${listPlaceholders(count)})`;
}

/** Several rows of a multi-row INSERT: `row`, such as `(?, ?)`, `count` times. */
export function listRows(row: string, count: number): string {
  return Array(count).fill(row).join(', ');
}
