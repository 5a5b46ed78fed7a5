import type { Knex } from 'knex';
import { BLOCKED, MAX_FEE } from '../permissions/permission-store.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * Brings fees into the range that clients read, from -1 (0 for the server's fees) to 2^31 - 1: one larger fee makes a whole
 * quote or list unreadable to them. The columns keep their width. The times stay, because nobody has changed a decision.
 */
export async function up(knex: Knex): Promise<void> {
  const kinds = [
    ['message_permissions', 'recipient_fee', BLOCKED],
    ['server_fees', 'delivery_fee', 0],
  ] as const;
  for (const [table, column, min] of kinds) {
    await knex.raw(`UPDATE ${table} SET ${column} = ? WHERE ${column} > ?`, [MAX_FEE, MAX_FEE]);
    await knex.raw(`UPDATE ${table} SET ${column} = ? WHERE ${column} < ?`, [min, min]);
  }
}
