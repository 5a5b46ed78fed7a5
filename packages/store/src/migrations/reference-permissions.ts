import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { seedServerFees } from './server-fees.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** The reference server's `message_permissions` and `server_fees` with its default fees. */
export async function up(knex: Knex): Promise<void> {
  if (!isMysql(knex)) return;
  await knex.raw(
    `CREATE TABLE IF NOT EXISTS message_permissions (
       id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
       created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
       updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
       recipient VARCHAR(255) NOT NULL,
       sender VARCHAR(255) NULL,
       message_box VARCHAR(255) NOT NULL,
       recipient_fee INT NOT NULL,
       UNIQUE KEY message_permissions_recipient_sender_message_box_unique (recipient, sender, message_box),
       KEY message_permissions_recipient_index (recipient),
       KEY message_permissions_recipient_message_box_index (recipient, message_box),
       KEY message_permissions_message_box_index (message_box),
       KEY message_permissions_sender_index (sender)
     ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
  );
  await knex.raw(
    `CREATE TABLE IF NOT EXISTS server_fees (
       id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
       created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
       updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
       message_box VARCHAR(255) NOT NULL,
       delivery_fee INT NOT NULL,
       UNIQUE KEY server_fees_message_box_unique (message_box)
     ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
  );
  await seedServerFees(knex);
}
