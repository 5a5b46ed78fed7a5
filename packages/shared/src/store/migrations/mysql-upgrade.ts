import type { Knex } from 'knex';
import { MigrationError } from '../store-errors.js';
import { columnsOf, convertToUtf8, dropIndexes, isUpperCaseKey, lowerCaseKeys, mysqlRows } from './mysql-tables.js';

/** 255 code points of up to 4 bytes. Also for keys, which need 66: a row that is there already must keep what it has. */
const NAME = 'VARBINARY(1020) NOT NULL';
const TOKEN = 'VARBINARY(2000) NOT NULL';
const TEXT = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';
const NOW = 'DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)';
const TIMES = [`MODIFY created_at ${NOW}`, `MODIFY updated_at ${NOW}`];
/** InnoDB for transactions; DYNAMIC because older row formats can't index names this long. */
const STORAGE = ['ENGINE=InnoDB', 'ROW_FORMAT=DYNAMIC', 'DEFAULT CHARACTER SET utf8mb4'];

/**
 * From the reference server's tables to ours, in place. MySQL commits each change of a table by itself, so a run that
 * was interrupted leaves some done: every step looks at what is there first, and running all again completes it. The
 * final shape of a table is always set in one statement, which either happened or not.
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

/** Before 1.1.5 ids were numbers; those databases have to see 1.1.5 first. */
async function checkReferenceVersion(knex: Knex): Promise<void> {
  const type = (await columnsOf(knex, 'messages')).get('messageId')?.type;
  if (type === 'varchar' || type === 'varbinary') return;
  throw new MigrationError(
    'The tables are not those of the reference server 1.1.5. Start that version once, then migrate again.',
  );
}

/**
 * Gives messages their primary key. Existing ones are numbered by time, and within a second as they lie, which is by
 * message id (the only unique key, and so the order of the table).
 */
async function numberMessages(knex: Knex): Promise<void> {
  const before = (await columnsOf(knex, 'messages')).get('id');
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
 * Only under a case-sensitive collation can a key have two boxes of one name, once in capitals. Lower case for all
 * would make them collide, so the messages move to the one that is spelled right.
 */
async function mergeBoxesOfOneKey(knex: Knex): Promise<void> {
  if (!(await columnsOf(knex, 'messageBox')).get('identityKey')?.charset) return;
  const pairs = await mysqlRows(
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
  if ((await columnsOf(knex, 'messageBox')).get('type')?.type !== 'varbinary') {
    await lowerCaseKeys(knex, 'messageBox', ['identityKey']);
    await convertToUtf8(knex, 'messageBox', ['type', 'identityKey']);
    await alter(knex, 'messageBox', [
      ...STORAGE,
      ...TIMES,
      `MODIFY type ${NAME}`,
      `MODIFY identityKey ${NAME}`,
      'ADD UNIQUE KEY messagebox_identitykey_type_unique (identityKey, type)',
    ]);
  }
  await dropIndexes(knex, 'messageBox', ['messagebox_type_identitykey_unique']);
}

async function upgradeMessages(knex: Knex): Promise<void> {
  if ((await columnsOf(knex, 'messages')).get('messageId')?.type !== 'varbinary') {
    await lowerCaseKeys(knex, 'messages', ['sender', 'recipient']);
    await convertToUtf8(knex, 'messages', ['sender', 'recipient', 'messageId']);
    await alter(knex, 'messages', [
      ...STORAGE,
      ...TIMES,
      `MODIFY sender ${NAME}`,
      `MODIFY recipient ${NAME}`,
      `MODIFY messageId ${NAME}`,
      `MODIFY body LONGTEXT ${TEXT} NOT NULL`,
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
  if ((await columnsOf(knex, table)).get('sender')?.nullable) {
    // Without it for a while: spelling keys in one way may bring rows together that are only then folded.
    await dropIndexes(knex, table, [unique]);
    await lowerCaseKeys(knex, table, ['recipient', 'sender']);
    await convertToUtf8(knex, table, names);
    await fillTimes(knex, table);
    await alter(knex, table, [
      ...STORAGE,
      `MODIFY recipient ${NAME}`,
      'MODIFY sender VARBINARY(1020) NULL',
      `MODIFY message_box ${NAME}`,
    ]);
    await foldPermissions(knex);
    await knex.raw(
      `UPDATE ${table} SET sender = '', created_at = created_at, updated_at = updated_at WHERE sender IS NULL`,
    );
    await alter(knex, table, [
      ...TIMES,
      `MODIFY sender ${NAME} DEFAULT ''`,
      `ADD UNIQUE KEY ${unique} (recipient, sender, message_box)`,
    ]);
  }
  await dropIndexes(knex, table, [
    'message_permissions_recipient_index',
    'message_permissions_message_box_index',
    'message_permissions_sender_index',
  ]);
}

/** Of several rows for one recipient, sender (or none) and box, keeps the newest. */
async function foldPermissions(knex: Knex): Promise<void> {
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
  if ((await columnsOf(knex, 'server_fees')).get('message_box')?.type === 'varbinary') return;
  await convertToUtf8(knex, 'server_fees', ['message_box']);
  await fillTimes(knex, 'server_fees');
  await alter(knex, 'server_fees', [...STORAGE, ...TIMES, `MODIFY message_box ${NAME}`]);
}

async function upgradeDevices(knex: Knex): Promise<void> {
  const table = 'device_registrations';
  if ((await columnsOf(knex, table)).get('fcm_token')?.type !== 'varbinary') {
    await lowerCaseKeys(knex, table, ['identity_key']);
    await convertToUtf8(knex, table, ['identity_key', 'fcm_token']);
    await fillTimes(knex, table);
    await knex.raw(`UPDATE ${table} SET active = 1 WHERE active IS NULL`);
    await alter(knex, table, [
      ...STORAGE,
      ...TIMES,
      `MODIFY identity_key ${NAME}`,
      `MODIFY fcm_token ${TOKEN}`,
      `MODIFY device_id VARCHAR(255) ${TEXT} NULL`,
      `MODIFY platform VARCHAR(50) ${TEXT} NULL`,
      'MODIFY last_used DATETIME(3) NULL',
      'MODIFY active TINYINT(1) NOT NULL DEFAULT 1',
    ]);
  }
  await dropIndexes(knex, table, ['device_registrations_identity_key_index']);
}

/** The reference lets times be NULL, in tables that it made later. */
async function fillTimes(knex: Knex, table: string): Promise<void> {
  await knex.raw(
    `UPDATE ${table}
     SET created_at = COALESCE(created_at, updated_at, CURRENT_TIMESTAMP),
       updated_at = COALESCE(updated_at, created_at, CURRENT_TIMESTAMP)
     WHERE created_at IS NULL OR updated_at IS NULL`,
  );
}

async function alter(knex: Knex, table: string, changes: readonly string[]): Promise<void> {
  await knex.raw(`ALTER TABLE ${table} ${changes.join(', ')}`);
}
