import { prepared, type SqlClient } from '../client/sql-client.js';

/** The index on `messages.expires_at`, under the reference server's name. */
export const EXPIRATION_INDEX = 'messages_expiration_index';

/** SQL about the expiry of a row of `messages`. */
export interface ExpirySql {
  /** Condition: the message exists for everybody. It is the only definition of that. */
  readonly isLive: string;
  /** Condition: the message has expired, and is only still to be removed. The opposite of {@link isLive}. */
  readonly isExpired: string;
  /** Condition: the time of its sender, or that of the operator, has come. Such a message has expired unless it carries a payment. */
  readonly isDue: string;
  /** Condition: the message is older than the operator keeps messages. */
  readonly isOld: string;
  /** Condition: the message carries a payment for its recipient, so it never expires. */
  readonly carriesPayment: string;
  /** The time at which the message expires; NULL when its sender has set none, or when it never expires. */
  readonly expiresAt: string;
}

/**
 * The one definition of "expired", for every statement that reads or removes messages.
 *
 * A message expires at `expires_at`, and `retentionDays` after `created_at`, by the clock of the database: it wrote
 * `created_at`, and is one for all instances. A message that carries a payment for its recipient never expires.
 *
 * Versions that know no expiry, and the reference server, leave `carries_payment` NULL. Then the stored body decides, in
 * which a payment follows the message. Where the body of another message looks like that, it stays until it is acknowledged.
 *
 * @param table the name or alias of `messages` in the statement
 */
export function describeExpiry({ dialect, retentionDays }: SqlClient, table: string): ExpirySql {
  const looksPaid = `(SUBSTR(${table}.body, 1, 11) = '{"message":' AND INSTR(${table}.body, ',"payment":{') > 0)`;
  const carriesPayment = `COALESCE(${table}.carries_payment, ${looksPaid})`;
  const isOld = retentionDays > 0 ? `${table}.created_at <= ${dialect.daysAgo(retentionDays)}` : '0 = 1';
  const hasTimeCome = `${table}.expires_at IS NOT NULL AND ${table}.expires_at <= ${dialect.now}`;
  const isDue = retentionDays > 0 ? `((${hasTimeCome}) OR ${isOld})` : `(${hasTimeCome})`;
  return {
    isLive: `(NOT ${isDue} OR ${carriesPayment})`,
    isExpired: `(${isDue} AND NOT ${carriesPayment})`,
    isDue,
    isOld,
    carriesPayment,
    expiresAt: `CASE WHEN ${table}.expires_at IS NOT NULL AND NOT ${carriesPayment} THEN ${table}.expires_at END`,
  };
}

/**
 * Whether expired messages may be in the table. False in most cases, which saves statements that are read from indexes
 * alone the look at each row.
 */
export async function mayHoldExpired(sql: SqlClient): Promise<boolean> {
  if (sql.retentionDays > 0) return true;
  const { dialect } = sql;
  const first = `SELECT 1 AS found FROM messages ${dialect.forceIndex(EXPIRATION_INDEX)}
    WHERE expires_at <= ${dialect.now} LIMIT 1`;
  return (await sql.read(prepared(first), [])).length > 0;
}
