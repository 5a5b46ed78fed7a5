import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The statuses of each error code, as docs/errors.md lists them. */
export const documentedErrors: ReadonlyMap<string, readonly number[]> = new Map(
  [
    ...readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'errors.md'), 'utf8').matchAll(
      /^\| `([A-Z_]+)` \| ([^|]*) \|/gm,
    ),
  ].map(([, code = '', statuses = '']) => [code, (statuses.match(/\d{3}/g) ?? []).map(Number)]),
);
