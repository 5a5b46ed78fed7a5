import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** One file of the built application, in memory, as often as it was compressed. */
export interface ConsoleFile {
  readonly type: string;
  /** Quoted, as it goes into the header. */
  readonly etag: string;
  /** Its name holds a hash of its content, so it never changes. */
  readonly isImmutable: boolean;
  readonly encodings: ReadonlyMap<'br' | 'gzip' | 'identity', Buffer>;
}

/** The types of what Vite writes. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Reads the built application. A request can name only what is in this map, so no path leads out of the folder.
 *
 * @returns the files by their paths in the folder, with `/` between parts; none when the application was not built
 */
export function readConsoleFiles(folder: string): ReadonlyMap<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>();
  if (!existsSync(folder)) return files;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[path.extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const location = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, location).split(path.sep).join('/');
    const content = readFileSync(location);
    const encodings = new Map<'br' | 'gzip' | 'identity', Buffer>([['identity', content]]);
    if (existsSync(`${location}.br`)) encodings.set('br', readFileSync(`${location}.br`));
    if (existsSync(`${location}.gz`)) encodings.set('gzip', readFileSync(`${location}.gz`));
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    files.set(name, { type, etag, isImmutable: name.startsWith('assets/'), encodings });
  }
  return files;
}
