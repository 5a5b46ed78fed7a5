import { MAX_LISTED_BOX_BYTES } from './permission-store.js';

/**
 * Conditions of SQL for permissions that can be listed. Columns hold bytes of UTF-8, and these compare bytes: so they mean
 * the same on MySQL, MariaDB and SQLite, none of which has a regular expression for binary columns that all have.
 */

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
/** As `String.prototype.trim` has it, without those that are control characters. */
const WHITESPACE = [0x20, 0xa0, 0x1680, ...range(0x2000, 0x200a), 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff];
const CONTROLS = [...range(0x00, 0x1f), ...range(0x7f, 0x9f)];
/** "02" and "03" in the bytes of text. */
const KEY_PREFIXES = "X'3032', X'3033'";

/** The name in this column is one that clients read; see `PermissionStore.list`. */
export function ofListedBox(column: string): string {
  return `(LENGTH(${column}) BETWEEN 1 AND ${MAX_LISTED_BOX_BYTES} AND ${withoutSpaceAround(column)}
    AND ${CONTROLS.map((control) => `INSTR(${column}, ${literal(control)}) = 0`).join(' AND ')})`;
}

/** The sender in this column is an identity key, or nobody in particular. */
export function ofListedSender(column: string): string {
  return `(LENGTH(${column}) = 0 OR (LENGTH(${column}) = 66 AND SUBSTR(${column}, 1, 2) IN (${KEY_PREFIXES})))`;
}

function withoutSpaceAround(column: string): string {
  return [1, 2, 3]
    .flatMap((bytes) => {
      const spaces = WHITESPACE.map(literal).filter((text) => text.length === `X'${'00'.repeat(bytes)}'`.length);
      return [`SUBSTR(${column}, 1, ${bytes})`, `SUBSTR(${column}, -${bytes})`].map(
        (end) => `${end} NOT IN (${spaces.join(', ')})`,
      );
    })
    .join(' AND ');
}

/** A character's bytes of UTF-8. */
function literal(codePoint: number): string {
  return `X'${Buffer.from(String.fromCodePoint(codePoint)).toString('hex')}'`;
}
