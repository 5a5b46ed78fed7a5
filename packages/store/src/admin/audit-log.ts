import { retryContention } from '../client/retry-contention.js';
import { getDate, getInteger, getName, getText } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow, type SqlRunner, toBinaryName } from '../client/sql-client.js';
import { withStoreErrors } from '../client/translate-error.js';

/** Entries that are kept. The oldest are removed. */
export const MAX_AUDIT_ENTRIES = 10_000;

/** Facts about an action, for operators to read. Must hold no secret and no body of a message. */
export type AuditDetails = Readonly<Record<string, string | number | boolean | null>>;

/** What an operator has done. */
export interface NewAuditEntry {
  /** The operator's identity key. */
  readonly operator: string;
  /** For example `block`. At most 64 bytes. */
  readonly action: string;
  /** What was acted on: an identity key, the id of a job, the name of a box. At most 1,100 bytes. */
  readonly subject: string;
  readonly details: AuditDetails;
}

/** A {@link NewAuditEntry} as it is kept. */
export interface AuditEntry extends NewAuditEntry {
  /** Higher than that of every earlier entry. */
  readonly id: number;
  readonly time: Date;
}

const INSERT = prepared(
  'INSERT INTO operator_audit (done_at, operator_key, action, subject, details) VALUES (?, ?, ?, ?, ?)',
);
const REMOVE_OLD = prepared('DELETE FROM operator_audit WHERE id <= ?');
const UPDATE_DETAILS = prepared('UPDATE operator_audit SET details = ? WHERE id = ?');

/** The record of what operators did. All methods throw {@link StoreUnavailableError} and nothing else. */
export class AuditLog {
  constructor(private readonly sql: SqlClient) {}

  /** Records an action. @returns the entry's id */
  record(entry: NewAuditEntry): Promise<number> {
    return withStoreErrors(() => retryContention(() => this.sql.transaction((runner) => appendAudit(runner, entry))));
  }

  /** Replaces the details of an entry, when an action that takes long has ended. */
  complete(id: number, details: AuditDetails): Promise<void> {
    const values = [JSON.stringify(details), id];
    return withStoreErrors(() => retryContention(async () => void (await this.sql.write(UPDATE_DETAILS, values))));
  }

  /**
   * A page of entries, the newest first.
   *
   * @param before only entries with a lower id
   */
  list({ limit, before }: { limit: number; before?: number | undefined }): Promise<AuditEntry[]> {
    const where = before === undefined ? '' : 'WHERE id < ?';
    const select = dynamic(
      `SELECT id, done_at, operator_key, action, subject, details FROM operator_audit ${where}
       ORDER BY id DESC LIMIT ${Math.trunc(limit)}`,
    );
    return withStoreErrors(async () =>
      (await this.sql.read(select, before === undefined ? [] : [before])).map(toEntry),
    );
  }
}

/**
 * Records an action in the transaction of the action itself.
 *
 * @throws {Error} of the driver, untranslated
 */
export async function appendAudit(runner: SqlRunner, entry: NewAuditEntry, now = new Date()): Promise<number> {
  const { operator, action, subject, details } = entry;
  const names = [operator, action, subject].map(toBinaryName);
  const { insertId } = await runner.write(INSERT, [now.getTime(), ...names, JSON.stringify(details)]);
  if (insertId > MAX_AUDIT_ENTRIES) await runner.write(REMOVE_OLD, [insertId - MAX_AUDIT_ENTRIES]);
  return insertId;
}

function toEntry(row: SqlRow): AuditEntry {
  return {
    id: getInteger(row, 'id'),
    time: getDate({ time: getInteger(row, 'done_at') }, 'time'),
    operator: getName(row, 'operator_key'),
    action: getName(row, 'action'),
    subject: getName(row, 'subject'),
    details: JSON.parse(getText(row, 'details')) as AuditDetails,
  };
}
