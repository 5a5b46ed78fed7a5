import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { hasIndex } from './has-index.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * Columns by which the overlay shares its answers and its storage fairly.
 *
 * - `height` of an advertisement: the height of its transaction's block; -1 without a merkle path.
 * - `ranked_at`: the time since when the statement is known, in milliseconds since 1970. A copy without a merkle path is not
 *   newer than its original.
 * - `standing`: the order of answers, the highest first. Negative: a copy of a revoked statement, which is in no answer.
 * - `overlay_revocations`: digests of revoked statements, and the transactions that have revoked them.
 * - `submitter` of a transaction that is in no block: a digest of the source that is charged with its bytes.
 */
export async function up(knex: Knex): Promise<void> {
  const digest = isMysql(knex) ? 'BINARY(32)' : 'BLOB';
  for (const table of ['overlay_message_box_ads', 'overlay_service_ads']) {
    for (const column of ['height', 'ranked_at', 'standing'] as const) {
      if (await knex.schema.hasColumn(table, column)) continue;
      await knex.raw(`ALTER TABLE ${table} ADD COLUMN ${column} BIGINT NOT NULL DEFAULT ${DEFAULTS[column]}`);
    }
    await knex.raw(`UPDATE ${table} SET ranked_at = created_at WHERE ranked_at = 0`);
    await knex.raw(
      `UPDATE ${table} SET height = 0, standing = ${STANDING_OF_PROVEN} WHERE height = -1 AND ${buildProvenCondition(table)}`,
    );
  }
  if (!(await knex.schema.hasColumn('overlay_transactions', 'submitter'))) {
    await knex.raw(`ALTER TABLE overlay_transactions ADD COLUMN submitter ${digest} NULL`);
  }
  await knex.raw(
    `CREATE TABLE IF NOT EXISTS overlay_revocations (said ${digest} NOT NULL, spending_txid ${digest} NOT NULL,
     topic ${isMysql(knex) ? 'VARBINARY(64)' : 'BLOB'} NOT NULL, PRIMARY KEY (said, spending_txid))${isMysql(knex) ? ' ENGINE=InnoDB ROW_FORMAT=DYNAMIC' : ''}`,
  );
  for (const [name, target] of Object.entries(INDEXES)) {
    const table = target.slice(0, target.indexOf(' '));
    if (!(await hasIndex(knex, table, name))) await knex.raw(`CREATE INDEX ${name} ON ${target}`);
  }
  for (const [table, names] of Object.entries(REPLACED_INDEXES)) {
    for (const index of names.map((name) => `${table}_${name}_index`)) {
      if (!(await hasIndex(knex, table, index))) continue;
      await knex.raw(`DROP INDEX ${index}${isMysql(knex) ? ` ON ${table}` : ''}`);
    }
  }
}

/** The values of an advertisement that is the first of its transaction: in no block, and in a block. */
const DEFAULTS = { height: -1, ranked_at: 0, standing: 999 };
const STANDING_OF_PROVEN = 1_999;

function buildProvenCondition(table: string): string {
  return `EXISTS (SELECT 1 FROM overlay_applied p WHERE p.txid = ${table}.txid AND p.proven = 1)`;
}

const INDEXES: Readonly<Record<string, string>> = {
  overlay_message_box_ads_standing_index: 'overlay_message_box_ads (standing, id)',
  overlay_message_box_ads_host_standing_index: 'overlay_message_box_ads (host, standing, id)',
  overlay_message_box_ads_rank_index: 'overlay_message_box_ads (identity_key, height, ranked_at, id)',
  overlay_message_box_ads_host_rank_index: 'overlay_message_box_ads (identity_key, host, height, ranked_at, id)',
  overlay_service_ads_standing_index: 'overlay_service_ads (protocol, standing, id)',
  overlay_service_ads_name_standing_index: 'overlay_service_ads (protocol, name, standing, id)',
  overlay_service_ads_domain_standing_index: 'overlay_service_ads (protocol, domain, standing, id)',
  overlay_service_ads_identity_standing_index: 'overlay_service_ads (protocol, identity_key, standing, id)',
  overlay_service_ads_said_index: 'overlay_service_ads (identity_key, protocol, name, domain)',
  overlay_service_ads_oldest_index: 'overlay_service_ads (protocol, standing, id DESC)',
  overlay_service_ads_name_oldest_index: 'overlay_service_ads (protocol, name, standing, id DESC)',
  overlay_revocations_spending_txid_index: 'overlay_revocations (spending_txid)',
  overlay_transactions_submitter_index: 'overlay_transactions (submitter, bytes)',
};

/** Indexes for answers with the newest first, which no query uses any more. */
const REPLACED_INDEXES: Readonly<Record<string, readonly string[]>> = {
  overlay_message_box_ads: ['identity', 'identity_host', 'host', 'created'],
  overlay_service_ads: ['name', 'domain', 'identity', 'created'],
};
