import type { Knex } from 'knex';
import { isMysql } from './dialect.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** The reference server's `device_registrations`. */
export async function up(knex: Knex): Promise<void> {
  if (!isMysql(knex)) return;
  await knex.raw(
    `CREATE TABLE IF NOT EXISTS device_registrations (
       id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
       created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
       updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
       identity_key VARCHAR(255) NOT NULL,
       fcm_token VARCHAR(500) NOT NULL,
       device_id VARCHAR(255) NULL,
       platform VARCHAR(50) NULL,
       last_used TIMESTAMP NULL,
       active TINYINT(1) DEFAULT 1,
       UNIQUE KEY device_registrations_fcm_token_unique (fcm_token),
       KEY device_registrations_identity_key_index (identity_key),
       KEY device_registrations_identity_key_active_index (identity_key, active),
       KEY device_registrations_last_used_index (last_used)
     ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
  );
}
