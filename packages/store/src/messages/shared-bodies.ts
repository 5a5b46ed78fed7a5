import { prepared, type SqlRunner } from '../client/sql-client.js';
import type { NewMessage } from './message-store.js';

/** A smaller body is stored with each message: there it takes less time to read, and hardly more space. */
const MIN_SHARED_BYTES = 4_096;
const INSERT = prepared('INSERT INTO shared_bodies (created_at, bytes, body) VALUES (?, ?, ?)');

/** The SQL of a query that reads bodies. `m` is the table of messages in it. */
export interface BodySql {
  /** Follows the joins of the query. */
  readonly join: string;
  /** The body; NULL if the shared body is missing, so that a message is never read with a body that is not its own. */
  readonly body: string;
}

export const bodySql: BodySql = {
  join: 'LEFT JOIN shared_bodies s ON s.id = m.shared_body_id',
  body: 'CASE WHEN m.shared_body_id IS NULL THEN m.body ELSE s.body END',
};

/** The bodies that several of these messages have, and that are worth being stored once. */
export function findSharedBodies(messages: readonly NewMessage[]): string[] {
  if (messages.length < 2) return [];
  const uses = new Map<string, number>();
  for (const { body } of messages) uses.set(body, (uses.get(body) ?? 0) + 1);
  return [...uses].flatMap(([body, count]) => (count > 1 && Buffer.byteLength(body) >= MIN_SHARED_BYTES ? [body] : []));
}

/**
 * Stores bodies in the transaction that stores the messages which refer to them.
 *
 * @returns their row ids
 */
export async function insertSharedBodies(runner: SqlRunner, bodies: readonly string[]): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  for (const body of bodies) {
    const { insertId } = await runner.write(INSERT, [Date.now(), Buffer.byteLength(body), body]);
    ids.set(body, insertId);
  }
  return ids;
}
