/** Runs a step of an observer. A failure is not the caller's: the record is then incomplete, and the traffic goes on. */
export function guard<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}

/** {@link guard} for a step that ends later. */
export async function guardAsync(step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch {
    // The body was cut off, or cannot be read twice. The caller gets its own error.
  }
}
