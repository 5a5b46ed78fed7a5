/**
 * Turns what the variables KNEX_DB_CLIENT and KNEX_DB_CONNECTION say into options of the store.
 *
 * @param {{ client: string, connection: any }} database
 * @returns {import('@messagebox/store').StoreConfig}
 */
export function toStoreConfig({ client, connection }) {
  return client === 'mysql2' ? { client, connection } : { client: 'better-sqlite3', filename: connection.filename };
}
