/** Answers contain room names, and no valid room name is longer. */
export const MAX_ECHO_LENGTH = 2_048;

/** Returns a refused value for use in the answer, or undefined when it is not a string or too long. */
export function echoText(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= MAX_ECHO_LENGTH ? value : undefined;
}
