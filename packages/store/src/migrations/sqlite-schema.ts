import type { Knex } from 'knex';
import { seedServerFees } from './server-fees.js';

/** Milliseconds since 1970. Knex converts a Date for SQLite to the same form. */
const TIME_COLUMNS = [
  "created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))",
  "updated_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))",
].join(', ');

/** AUTOINCREMENT in these tables never uses an id twice, so that cursors and cached box ids stay valid. */
const STATEMENTS = [
  `CREATE TABLE messageBox (
     messageBoxId INTEGER PRIMARY KEY AUTOINCREMENT,
     ${TIME_COLUMNS},
     type BLOB NOT NULL,
     identityKey BLOB NOT NULL,
     UNIQUE (identityKey, type)
   )`,
  `CREATE TABLE messages (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     ${TIME_COLUMNS},
     messageBoxId INTEGER REFERENCES messageBox (messageBoxId) ON DELETE CASCADE,
     sender BLOB NOT NULL,
     recipient BLOB NOT NULL,
     messageId BLOB NOT NULL,
     body TEXT NOT NULL,
     UNIQUE (recipient, messageId)
   )`,
  'CREATE INDEX messages_box_order_index ON messages (messageBoxId, id)',
  `CREATE TABLE message_permissions (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     ${TIME_COLUMNS},
     recipient BLOB NOT NULL,
     sender BLOB NOT NULL DEFAULT X'',
     message_box BLOB NOT NULL,
     recipient_fee INTEGER NOT NULL,
     UNIQUE (recipient, sender, message_box)
   )`,
  'CREATE INDEX message_permissions_recipient_message_box_index ON message_permissions (recipient, message_box)',
  `CREATE TABLE server_fees (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     ${TIME_COLUMNS},
     message_box BLOB NOT NULL UNIQUE,
     delivery_fee INTEGER NOT NULL
   )`,
  `CREATE TABLE device_registrations (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     ${TIME_COLUMNS},
     identity_key BLOB NOT NULL,
     fcm_token BLOB NOT NULL UNIQUE,
     device_id TEXT,
     platform TEXT,
     last_used INTEGER,
     active INTEGER NOT NULL DEFAULT 1
   )`,
  'CREATE INDEX device_registrations_identity_key_active_index ON device_registrations (identity_key, active)',
  'CREATE TABLE request_claims (claim_key BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID',
  'CREATE INDEX request_claims_expires_at_index ON request_claims (expires_at)',
];

/** Creates the whole schema. SQLite's DDL is transactional, so an interrupted run leaves nothing. */
export async function createSqliteSchema(knex: Knex): Promise<void> {
  for (const statement of STATEMENTS) await knex.raw(statement);
  await seedServerFees(knex);
}
