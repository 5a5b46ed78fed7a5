import type { Knex } from 'knex';
import { BLOCKED, MAX_FEE } from '../permission-store.js';

export { noWayBack as down } from './no-way-back.js';

/**
 * Brings fees into the range that clients read, -1 (for the server's: 0) to 2^31 - 1: one larger fee makes a whole quote
 * or list unreadable to them. Columns stay as wide as they are. Times stay, too: nobody has changed a decision.
 */
export async function up(knex: Knex): Promise<void> {
  const kinds = [
    ['message_permissions', 'recipient_fee', BLOCKED],
    ['server_fees', 'delivery_fee', 0],
  ] as const;
  for (const [table, column, least] of kinds) {
    await knex.raw(`UPDATE ${table} SET ${column} = ? WHERE ${column} > ?`, [MAX_FEE, MAX_FEE]);
    await knex.raw(`UPDATE ${table} SET ${column} = ? WHERE ${column} < ?`, [least, least]);
  }
}
