import type { Knex } from 'knex';
import { isMysql } from './dialect.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * The reference server's `messageBox` and `messages`, as its version 1.1.5 leaves them. A database that is created here
 * differs in two ways: it uses utf8mb4 whatever the server's default is, and it has a primary key from the start, because
 * some hosted MySQL servers refuse a table without one.
 *
 * The reference server doesn't support SQLite. There our first migration creates the whole schema.
 */
export async function up(knex: Knex): Promise<void> {
  if (!isMysql(knex)) return;
  await knex.raw(
    `CREATE TABLE IF NOT EXISTS messageBox (
       messageBoxId INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
       created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
       updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
       type VARCHAR(255) NOT NULL,
       identityKey VARCHAR(255) NOT NULL,
       UNIQUE KEY messagebox_type_identitykey_unique (type, identityKey)
     ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
  );
  await knex.raw(
    `CREATE TABLE IF NOT EXISTS messages (
       id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
       created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
       updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
       messageBoxId INT UNSIGNED NULL,
       sender VARCHAR(255) NOT NULL,
       recipient VARCHAR(255) NOT NULL,
       body LONGTEXT NOT NULL,
       messageId VARCHAR(255) NOT NULL,
       UNIQUE KEY messages_messageid_unique (messageId),
       KEY messages_messageboxid_foreign (messageBoxId),
       CONSTRAINT messages_messageboxid_foreign FOREIGN KEY (messageBoxId)
         REFERENCES messageBox (messageBoxId) ON DELETE CASCADE
     ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
  );
}
