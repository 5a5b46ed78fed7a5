/** Reads a text from the browser's storage; undefined when there is none, or when the browser keeps nothing. */
export function readStored(storage: Storage, key: string): string | undefined {
  try {
    return storage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps a text in the browser's storage; undefined removes it.
 *
 * @returns false when the browser keeps nothing
 */
export function writeStored(storage: Storage, key: string, value: string | undefined): boolean {
  try {
    if (value === undefined) storage.removeItem(key);
    else storage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}
