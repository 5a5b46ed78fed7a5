import { toBinaryName } from '../client/sql-client.js';

/**
 * How far an upload has come:
 *
 * - `open`: announced. Its owner may write the object and name it in a message until `due_at`.
 * - `named`: a message names it. The object stays for as long as the message does.
 * - `gone`: nobody can use it any more. The object is removed at `due_at`, and once more after the last time at which it
 *   could be written; then the row is deleted.
 */
export type UploadState = 'open' | 'named' | 'gone';

/** The states as their column holds them: bytes, which SQLite never takes for equal to a text. */
export const STATE = { open: toBinaryName('open'), named: toBinaryName('named'), gone: toBinaryName('gone') } as const;
