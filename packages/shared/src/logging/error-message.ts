/** The message of a thrown value, which need not be an `Error`. For log lines and reasons. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
