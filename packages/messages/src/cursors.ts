/** Most digits of a cursor. */
const MAX_CURSOR_DIGITS = 18;

/** Whether a value has the form of a cursor: a decimal row id. `0` is before all messages. */
export function isCursor(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_CURSOR_DIGITS && /^\d+$/.test(value);
}
