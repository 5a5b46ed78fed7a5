/** Room names are echoed in answers; no valid one is longer. */
export const MAX_ECHO = 2_048;

/** What may be sent back of a text that was refused: one of sane size. Anything may have come in its place. */
export function echo(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= MAX_ECHO ? value : undefined;
}
