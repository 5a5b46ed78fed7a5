import { refuseCursor } from '../../http/admin-request.js';

/** The parts of an export, in their order. */
export const EXPORT_PARTS = ['account', 'messages', 'permissions', 'devices', 'payments'] as const;
export type ExportPart = (typeof EXPORT_PARTS)[number];

/** Where an export goes on. */
export interface ExportPosition {
  readonly part: ExportPart;
  /** The key of the last entry of the part: a message id, a row id or a transaction id. '' for its beginning. */
  readonly after: string;
}

const MAX_CURSOR_CHARACTERS = 2_048;

/** A cursor is the JSON of `[part, after]` in base64url. */
export function formatExportCursor({ part, after }: ExportPosition): string {
  return Buffer.from(JSON.stringify([part, after])).toString('base64url');
}

/** @param given undefined or null: the beginning. @throws {RuleError} `ERR_INVALID_AFTER` */
export function parseExportCursor(given: unknown): ExportPosition {
  if (given === undefined || given === null) return { part: 'account', after: '' };
  if (typeof given !== 'string' || given.length > MAX_CURSOR_CHARACTERS) return refuseCursor();
  const [part, after] = parsePair(given);
  const known = EXPORT_PARTS.find((one) => one === part);
  if (known === undefined || typeof after !== 'string' || !isKeyOf(known, after)) return refuseCursor();
  return { part: known, after };
}

function parsePair(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return Array.isArray(value) && value.length === 2 ? value : [];
  } catch {
    return [];
  }
}

function isKeyOf(part: ExportPart, key: string): boolean {
  if (key === '') return true;
  if (part === 'messages') return key.isWellFormed();
  if (part === 'permissions') return /^\d{1,15}$/.test(key);
  return part === 'payments' && /^[0-9a-f]{64}$/.test(key);
}
