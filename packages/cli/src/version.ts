import { readFileSync } from 'node:fs';

/** The version of this package. */
export const CLI_VERSION: string = readVersion();

function readVersion(): string {
  try {
    const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    return String((manifest as { version?: unknown }).version ?? 'unknown');
  } catch {
    return 'unknown'; // bundled into another package without this file
  }
}
