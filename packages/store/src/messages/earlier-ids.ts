import { getDate, getInteger } from '../client/rows.js';
import { prepared, type SqlClient } from '../client/sql-client.js';

const SELECT_UP_TO = prepared('SELECT id, created_at FROM messages WHERE id <= ? ORDER BY id DESC LIMIT 1');

interface Insertion {
  readonly id: number;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly at: number;
}

/**
 * Finds the highest row id that was given out at least `ms` before another one. There is no index by time, so it looks at
 * single rows: at distances that double, and then by bisection. That takes some 20 reads by the primary key.
 *
 * @param id the other row id, or any above a message
 * @returns 0 when there is none
 */
export async function findEarlierId(sql: SqlClient, id: number, ms: number): Promise<number> {
  const start = await findUpTo(sql, id);
  if (start === undefined) return 0;
  const isEarlier = ({ at }: Insertion) => at <= start.at - ms;
  /** The lowest known row that is too late. */
  let late = start;
  let early: Insertion | undefined;
  for (let distance = 1; early === undefined; distance *= 2) {
    const row = await findUpTo(sql, start.id - distance);
    if (row === undefined) return 0;
    if (isEarlier(row)) early = row;
    else late = row;
  }
  while (late.id - early.id > 1) {
    const row = await findUpTo(sql, Math.floor((early.id + late.id) / 2));
    if (row === undefined || row.id <= early.id) {
      // No rows from the early one up to the middle: look into the upper half.
      early = { id: Math.floor((early.id + late.id) / 2), at: early.at };
    } else if (isEarlier(row)) early = row;
    else late = row;
  }
  return early.id;
}

async function findUpTo(sql: SqlClient, id: number): Promise<Insertion | undefined> {
  const [row] = await sql.read(SELECT_UP_TO, [id]);
  return row === undefined ? undefined : { id: getInteger(row, 'id'), at: getDate(row, 'created_at').getTime() };
}
