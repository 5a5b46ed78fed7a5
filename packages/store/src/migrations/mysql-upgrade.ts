import type { Knex } from 'knex';
import { MigrationError } from '../client/store-errors.js';
import {
  convertToUtf8,
  dropIndexes,
  isUpperCaseKey,
  lowerCaseKeys,
  queryMysqlRows,
  readColumns,
} from './mysql-tables.js';

/** 255 code points of up to 4 bytes. Also for keys, which need 66 bytes, so that existing rows keep their values. */
const NAME_TYPE = 'VARBINARY(1020) NOT NULL';
const TOKEN_TYPE = 'VARBINARY(2000) NOT NULL';
const TEXT_CHARSET = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';
const TIME_TYPE = 'DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)';
const TIME_CHANGES = [`MODIFY created_at ${TIME_TYPE}`, `MODIFY updated_at ${TIME_TYPE}`];
/** InnoDB for transactions; DYNAMIC because older row formats can't index names of this length. */
const STORAGE_OPTIONS = ['ENGINE=InnoDB', 'ROW_FORMAT=DYNAMIC', 'DEFAULT CHARACTER SET utf8mb4'];

/**
 * Upgrades the reference server's tables in place. MySQL commits each change of a table by itself, so an interrupted run
 * leaves some steps done. Every step checks the present state first, so the next run completes the upgrade. The final form of
 * a table is always set in one statement.
 */
export async function upgradeMysqlSchema(knex: Knex): Promise<void> {
  await checkReferenceVersion(knex);
  await numberMessages(knex);
  await mergeBoxesOfOneKey(knex);
  await upgradeBoxes(knex);
  await upgradeMessages(knex);
  await upgradePermissions(knex);
  await upgradeServerFees(knex);
  await upgradeDevices(knex);
  await knex.raw(
    `CREATE TABLE IF NOT EXISTS request_claims (
       claim_key BINARY(32) NOT NULL PRIMARY KEY,
       expires_at DATETIME(3) NOT NULL,
       KEY request_claims_expires_at_index (expires_at)
     ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
  );
}

/** Before 1.1.5 message ids were numbers. Such a database must be migrated by version 1.1.5 first. */
async function checkReferenceVersion(knex: Knex): Promise<void> {
  const type = (await readColumns(knex, 'messages')).get('messageId')?.type;
  if (type === 'varchar' || type === 'varbinary') return;
  throw new MigrationError(
    'The tables are not those of the reference server 1.1.5. Start that version once, then migrate again.',
  );
}

/**
 * Gives messages a primary key. Existing messages are numbered by time, and within a second by message id, which is the order
 * of the table, because it is the only unique key.
 */
async function numberMessages(knex: Knex): Promise<void> {
  const before = (await readColumns(knex, 'messages')).get('id');
  if (before?.autoIncrement) return;
  if (!before) await knex.raw('ALTER TABLE messages ADD COLUMN id BIGINT UNSIGNED NULL FIRST');
  await knex.raw(
    `UPDATE messages JOIN (
       SELECT messageId, ROW_NUMBER() OVER (ORDER BY created_at, messageId) AS position FROM messages
     ) AS ordered ON ordered.messageId = messages.messageId
     SET messages.id = ordered.position,
       messages.created_at = messages.created_at, messages.updated_at = messages.updated_at`,
  );
  await knex.raw('ALTER TABLE messages MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, ADD PRIMARY KEY (id)');
}

/**
 * Under a case-sensitive collation a key may have two boxes of one name, one of them in capitals. They would collide in lower
 * case, so the messages move to the box in lower case.
 */
async function mergeBoxesOfOneKey(knex: Knex): Promise<void> {
  if (!(await readColumns(knex, 'messageBox')).get('identityKey')?.charset) return;
  const pairs = await queryMysqlRows(
    knex,
    `SELECT other.messageBoxId AS fromId, MIN(kept.messageBoxId) AS toId
     FROM messageBox AS other
     JOIN messageBox AS kept ON kept.type = other.type AND LOWER(kept.identityKey) = LOWER(other.identityKey)
       AND (NOT ${isUpperCaseKey('kept.identityKey')} OR kept.messageBoxId < other.messageBoxId)
     WHERE ${isUpperCaseKey('other.identityKey')} AND kept.messageBoxId <> other.messageBoxId
     GROUP BY other.messageBoxId
     ORDER BY other.messageBoxId DESC`,
  );
  for (const { fromId, toId } of pairs as { fromId: number; toId: number }[]) {
    await knex.raw('UPDATE messages SET messageBoxId = ? WHERE messageBoxId = ?', [toId, fromId]);
    await knex.raw('DELETE FROM messageBox WHERE messageBoxId = ?', [fromId]);
  }
}

async function upgradeBoxes(knex: Knex): Promise<void> {
  if ((await readColumns(knex, 'messageBox')).get('type')?.type !== 'varbinary') {
    await lowerCaseKeys(knex, 'messageBox', ['identityKey']);
    await convertToUtf8(knex, 'messageBox', ['type', 'identityKey']);
    await alterTable(knex, 'messageBox', [
      ...STORAGE_OPTIONS,
      ...TIME_CHANGES,
      `MODIFY type ${NAME_TYPE}`,
      `MODIFY identityKey ${NAME_TYPE}`,
      'ADD UNIQUE KEY messagebox_identitykey_type_unique (identityKey, type)',
    ]);
  }
  await dropIndexes(knex, 'messageBox', ['messagebox_type_identitykey_unique']);
}

async function upgradeMessages(knex: Knex): Promise<void> {
  if ((await readColumns(knex, 'messages')).get('messageId')?.type !== 'varbinary') {
    await lowerCaseKeys(knex, 'messages', ['sender', 'recipient']);
    await convertToUtf8(knex, 'messages', ['sender', 'recipient', 'messageId']);
    await alterTable(knex, 'messages', [
      ...STORAGE_OPTIONS,
      ...TIME_CHANGES,
      `MODIFY sender ${NAME_TYPE}`,
      `MODIFY recipient ${NAME_TYPE}`,
      `MODIFY messageId ${NAME_TYPE}`,
      `MODIFY body LONGTEXT ${TEXT_CHARSET} NOT NULL`,
      'ADD UNIQUE KEY messages_recipient_messageid_unique (recipient, messageId)',
      'ADD KEY messages_box_order_index (messageBoxId, id)',
    ]);
  }
  await dropIndexes(knex, 'messages', ['messages_messageid_unique', 'messages_messageboxid_foreign']);
}

async function upgradePermissions(knex: Knex): Promise<void> {
  const table = 'message_permissions';
  const unique = 'message_permissions_recipient_sender_message_box_unique';
  const names = ['recipient', 'sender', 'message_box'];
  if ((await readColumns(knex, table)).get('sender')?.nullable) {
    // Dropped for now: rows of one key in two spellings become duplicates, which are removed below.
    await dropIndexes(knex, table, [unique]);
    await lowerCaseKeys(knex, table, ['recipient', 'sender']);
    await convertToUtf8(knex, table, names);
    await fillMissingTimes(knex, table);
    await alterTable(knex, table, [
      ...STORAGE_OPTIONS,
      `MODIFY recipient ${NAME_TYPE}`,
      'MODIFY sender VARBINARY(1020) NULL',
      `MODIFY message_box ${NAME_TYPE}`,
    ]);
    await removeDuplicatePermissions(knex);
    await knex.raw(
      `UPDATE ${table} SET sender = '', created_at = created_at, updated_at = updated_at WHERE sender IS NULL`,
    );
    await alterTable(knex, table, [
      ...TIME_CHANGES,
      `MODIFY sender ${NAME_TYPE} DEFAULT ''`,
      `ADD UNIQUE KEY ${unique} (recipient, sender, message_box)`,
    ]);
  }
  await dropIndexes(knex, table, [
    'message_permissions_recipient_index',
    'message_permissions_message_box_index',
    'message_permissions_sender_index',
  ]);
}

/** Keeps the newest of several rows for one recipient, sender (or none) and box. */
async function removeDuplicatePermissions(knex: Knex): Promise<void> {
  await knex.raw(
    `DELETE FROM message_permissions WHERE id IN (
       SELECT id FROM (
         SELECT id, ROW_NUMBER() OVER (
           PARTITION BY recipient, COALESCE(sender, ''), message_box
           ORDER BY updated_at DESC, created_at DESC, id DESC
         ) AS age
         FROM message_permissions
       ) AS ranked
       WHERE age > 1
     )`,
  );
}

async function upgradeServerFees(knex: Knex): Promise<void> {
  if ((await readColumns(knex, 'server_fees')).get('message_box')?.type === 'varbinary') return;
  await convertToUtf8(knex, 'server_fees', ['message_box']);
  await fillMissingTimes(knex, 'server_fees');
  await alterTable(knex, 'server_fees', [...STORAGE_OPTIONS, ...TIME_CHANGES, `MODIFY message_box ${NAME_TYPE}`]);
}

async function upgradeDevices(knex: Knex): Promise<void> {
  const table = 'device_registrations';
  if ((await readColumns(knex, table)).get('fcm_token')?.type !== 'varbinary') {
    await lowerCaseKeys(knex, table, ['identity_key']);
    await convertToUtf8(knex, table, ['identity_key', 'fcm_token']);
    await fillMissingTimes(knex, table);
    await knex.raw(`UPDATE ${table} SET active = 1 WHERE active IS NULL`);
    await alterTable(knex, table, [
      ...STORAGE_OPTIONS,
      ...TIME_CHANGES,
      `MODIFY identity_key ${NAME_TYPE}`,
      `MODIFY fcm_token ${TOKEN_TYPE}`,
      `MODIFY device_id VARCHAR(255) ${TEXT_CHARSET} NULL`,
      `MODIFY platform VARCHAR(50) ${TEXT_CHARSET} NULL`,
      'MODIFY last_used DATETIME(3) NULL',
      'MODIFY active TINYINT(1) NOT NULL DEFAULT 1',
    ]);
  }
  await dropIndexes(knex, table, ['device_registrations_identity_key_index']);
}

/** The reference server's later tables allow NULL as a time. */
async function fillMissingTimes(knex: Knex, table: string): Promise<void> {
  await knex.raw(
    `UPDATE ${table}
     SET created_at = COALESCE(created_at, updated_at, CURRENT_TIMESTAMP),
       updated_at = COALESCE(updated_at, created_at, CURRENT_TIMESTAMP)
     WHERE created_at IS NULL OR updated_at IS NULL`,
  );
}

async function alterTable(knex: Knex, table: string, changes: readonly string[]): Promise<void> {
  await knex.raw(`ALTER TABLE ${table} ${changes.join(', ')}`);
}
