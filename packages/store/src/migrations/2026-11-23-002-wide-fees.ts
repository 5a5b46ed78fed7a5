import type { Knex } from 'knex';
import { isMysql } from './dialect.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * Fees may be any number of satoshis up to 2^53 - 1; the reference server's INT ends at 21 coins. SQLite's integers are wide
 * enough. Changing a column to its present type does nothing, so an interrupted run can be repeated.
 */
export async function up(knex: Knex): Promise<void> {
  if (!isMysql(knex)) return;
  await knex.raw('ALTER TABLE message_permissions MODIFY recipient_fee BIGINT NOT NULL');
  await knex.raw('ALTER TABLE server_fees MODIFY delivery_fee BIGINT NOT NULL');
}
