/** Describes an error in one line. Some network errors have no message, but a code. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || String((error as NodeJS.ErrnoException).code);
}
