import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** What a visitor on a slow link loads before the first view is there, compressed with gzip. */
export const MAX_FIRST_VIEW_BYTES = 200_000;

/** The view that an address without a hash shows. */
const FIRST_VIEW = 'src/messages/messages-view.tsx';
const ENTRY = 'index.html';

/** A file of the build, as Vite's manifest tells. */
interface Chunk {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
}

/**
 * Adds up the files of the first view: the page, its styles, the shell, and the view with what it imports.
 *
 * @param folder where Vite has written the build, with `manifest.json` and the `.gz` files
 * @returns bytes, compressed with gzip where the file is
 */
export function measureFirstView(folder: string): number {
  const manifest = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as Record<string, Chunk>;
  const files = new Set([ENTRY]);
  const add = (name: string): void => {
    const chunk = manifest[name];
    if (chunk === undefined) throw new Error(`The build has no ${name}.`);
    if (files.has(chunk.file)) return;
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    for (const imported of chunk.imports ?? []) add(imported);
  };
  add(ENTRY);
  add(FIRST_VIEW);
  return [...files].map((file) => sizeOf(path.join(folder, file))).reduce((sum, size) => sum + size, 0);
}

function sizeOf(file: string): number {
  return (statSync(`${file}.gz`, { throwIfNoEntry: false }) ?? statSync(file)).size;
}
