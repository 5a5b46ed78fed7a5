import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { hasIndex } from './has-index.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * Tables of the overlay. Times are milliseconds since 1970. Transaction ids are 32 bytes in the order of their hex.
 *
 * - `overlay_transactions`, `overlay_outputs`, `overlay_applied`, `overlay_sync_state`: the data of the engine. `bytes` is
 *   the length of `beef`, and `ask_at` the time when to ask the chain for a merkle path.
 * - `overlay_spends`: the outputs that applied transactions have spent. It shows a double spend, and that an output which
 *   arrives after its spender is spent. `admitted` says whether the topic had the output.
 * - `overlay_message_box_ads`, `overlay_service_ads`: the data of the lookup services.
 * - `overlay_own_transactions`, `overlay_own_ads`: this host's own advertisements, recorded before they are sent.
 * - `overlay_settings`: the settings of the operator.
 */
export async function up(knex: Knex): Promise<void> {
  const dialect = isMysql(knex) ? MYSQL : SQLITE;
  for (const [table, columns] of Object.entries(TABLES)) {
    // MySQL commits each statement by itself, so a run after an interruption finds some tables.
    await knex.raw(`CREATE TABLE IF NOT EXISTS ${table} (${columns(dialect)}) ${dialect.end}`);
  }
  for (const [name, target] of Object.entries(INDEXES)) {
    const table = target.slice(0, target.indexOf(' '));
    if (!(await hasIndex(knex, table, name))) await knex.raw(`CREATE INDEX ${name} ON ${target}`);
  }
}

interface Dialect {
  readonly id: string;
  readonly txid: string;
  readonly text: (bytes: number) => string;
  readonly blob: string;
  readonly json: string;
  readonly end: string;
}

const MYSQL: Dialect = {
  id: 'id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY',
  txid: 'BINARY(32)',
  text: (bytes) => `VARBINARY(${bytes})`,
  blob: 'LONGBLOB',
  json: 'LONGTEXT',
  end: 'ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4',
};

const SQLITE: Dialect = {
  id: 'id INTEGER PRIMARY KEY AUTOINCREMENT',
  txid: 'BLOB',
  text: () => 'BLOB',
  blob: 'BLOB',
  json: 'TEXT',
  end: '',
};

const TABLES: Readonly<Record<string, (d: Dialect) => string>> = {
  overlay_transactions: (d) => `txid ${d.txid} NOT NULL PRIMARY KEY, bytes INT NOT NULL, beef ${d.blob} NOT NULL`,
  overlay_outputs: (d) => `${d.id},
    topic ${d.text(64)} NOT NULL,
    txid ${d.txid} NOT NULL,
    output_index INT NOT NULL,
    score BIGINT NOT NULL,
    UNIQUE (topic, txid, output_index)`,
  overlay_applied: (d) => `txid ${d.txid} NOT NULL,
    topic ${d.text(64)} NOT NULL,
    proven INT NOT NULL,
    applied_at BIGINT NOT NULL,
    ask_at BIGINT NOT NULL,
    PRIMARY KEY (txid, topic)`,
  overlay_spends: (d) => `topic ${d.text(64)} NOT NULL,
    txid ${d.txid} NOT NULL,
    output_index BIGINT NOT NULL,
    spending_txid ${d.txid} NOT NULL,
    admitted INT NOT NULL,
    PRIMARY KEY (txid, output_index, topic)`,
  overlay_sync_state: (d) => `host ${d.text(255)} NOT NULL,
    topic ${d.text(64)} NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (host, topic)`,
  overlay_message_box_ads: (d) => `${d.id},
    txid ${d.txid} NOT NULL,
    output_index INT NOT NULL,
    identity_key ${d.text(66)} NOT NULL,
    host ${d.text(255)} NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (txid, output_index)`,
  overlay_service_ads: (d) => `${d.id},
    txid ${d.txid} NOT NULL,
    output_index INT NOT NULL,
    protocol ${d.text(4)} NOT NULL,
    name ${d.text(64)} NOT NULL,
    identity_key ${d.text(66)} NOT NULL,
    domain ${d.text(255)} NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (txid, output_index)`,
  overlay_own_transactions: (d) => `${d.id},
    txid ${d.txid} NOT NULL UNIQUE,
    beef ${d.blob} NOT NULL,
    state ${d.text(16)} NOT NULL,
    reason ${d.json} NULL,
    made_at BIGINT NOT NULL,
    accepted_at BIGINT NULL`,
  overlay_own_ads: (d) => `${d.id},
    txid ${d.txid} NOT NULL,
    output_index INT NOT NULL,
    protocol ${d.text(4)} NOT NULL,
    name ${d.text(64)} NOT NULL,
    domain ${d.text(255)} NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_by ${d.txid} NULL,
    UNIQUE (txid, output_index)`,
  overlay_settings: (d) => `name ${d.text(64)} NOT NULL PRIMARY KEY, value ${d.json} NOT NULL`,
};

const INDEXES: Readonly<Record<string, string>> = {
  overlay_outputs_outpoint_index: 'overlay_outputs (txid, output_index)',
  overlay_outputs_sync_index: 'overlay_outputs (topic, score, id)',
  overlay_applied_age_index: 'overlay_applied (proven, applied_at)',
  overlay_applied_ask_index: 'overlay_applied (proven, ask_at)',
  overlay_transactions_bytes_index: 'overlay_transactions (bytes)',
  overlay_spends_spending_txid_index: 'overlay_spends (spending_txid)',
  overlay_message_box_ads_identity_index: 'overlay_message_box_ads (identity_key, created_at)',
  overlay_message_box_ads_identity_host_index: 'overlay_message_box_ads (identity_key, host, created_at)',
  overlay_message_box_ads_host_index: 'overlay_message_box_ads (host, created_at)',
  overlay_message_box_ads_created_index: 'overlay_message_box_ads (created_at)',
  overlay_service_ads_name_index: 'overlay_service_ads (protocol, name, created_at)',
  overlay_service_ads_domain_index: 'overlay_service_ads (protocol, domain, created_at)',
  overlay_service_ads_identity_index: 'overlay_service_ads (protocol, identity_key, created_at)',
  overlay_service_ads_created_index: 'overlay_service_ads (protocol, created_at)',
  overlay_own_transactions_state_index: 'overlay_own_transactions (state, id)',
  overlay_own_ads_revoked_by_index: 'overlay_own_ads (revoked_by)',
};
