import { MAX_LISTED_BOX_BYTES } from './permission-store.js';

/**
 * SQL conditions for permissions that can be listed. The columns hold UTF-8 bytes, and the conditions compare bytes, so they
 * mean the same on MySQL, MariaDB and SQLite. These have no common regular expression for binary columns.
 */

const listRange = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
/** The whitespace of `String.prototype.trim`, without control characters. */
const WHITESPACE = [0x20, 0xa0, 0x1680, ...listRange(0x2000, 0x200a), 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff];
const CONTROL_CHARACTERS = [...listRange(0x00, 0x1f), ...listRange(0x7f, 0x9f)];
/** The texts "02" and "03" in bytes. */
const KEY_PREFIXES = "X'3032', X'3033'";

/** The condition that clients can read the box name in this column; see `PermissionStore.list`. */
export function buildListedBoxCondition(column: string): string {
  return `(LENGTH(${column}) BETWEEN 1 AND ${MAX_LISTED_BOX_BYTES} AND ${buildTrimmedCondition(column)}
    AND ${CONTROL_CHARACTERS.map((control) => `INSTR(${column}, ${toSqlLiteral(control)}) = 0`).join(' AND ')})`;
}

/** The condition that the sender in this column is an identity key, or empty (box-wide). */
export function buildListedSenderCondition(column: string): string {
  return `(LENGTH(${column}) = 0 OR (LENGTH(${column}) = 66 AND SUBSTR(${column}, 1, 2) IN (${KEY_PREFIXES})))`;
}

function buildTrimmedCondition(column: string): string {
  return [1, 2, 3]
    .flatMap((bytes) => {
      const spaces = WHITESPACE.map(toSqlLiteral).filter((text) => text.length === `X'${'00'.repeat(bytes)}'`.length);
      return [`SUBSTR(${column}, 1, ${bytes})`, `SUBSTR(${column}, -${bytes})`].map(
        (end) => `${end} NOT IN (${spaces.join(', ')})`,
      );
    })
    .join(' AND ');
}

/** The SQL literal of a character's UTF-8 bytes. */
function toSqlLiteral(codePoint: number): string {
  return `X'${Buffer.from(String.fromCodePoint(codePoint)).toString('hex')}'`;
}
