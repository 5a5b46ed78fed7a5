import { clampFee } from './permission-store.js';
import { retryContention } from './retry-contention.js';
import { decodeName, encodeName, fixed, type Sql, type SqlClient } from './sql-client.js';
import { withStoreErrors } from './translate-error.js';

/** What this server takes for a delivery into boxes of one name. */
export interface ServerFee {
  readonly messageBox: string;
  /** Satoshis, from 0 to 2^31 - 1. */
  readonly deliveryFee: number;
  readonly updatedAt: Date;
}

/** The operator's delivery fees. A box without a row costs nothing. */
export interface ServerFeeStore {
  /** All of them, by name. @throws {StoreUnavailableError} */
  all(): Promise<ServerFee[]>;
  /** Of sets that race the last to commit wins. @throws {StoreUnavailableError} */
  set(messageBox: string, deliveryFee: number): Promise<ServerFee>;
}

const ALL = fixed('SELECT message_box, delivery_fee, updated_at FROM server_fees ORDER BY message_box');
const UPDATE = fixed('UPDATE server_fees SET delivery_fee = ?, updated_at = ? WHERE message_box = ?');

/** {@link ServerFeeStore} on MySQL, MariaDB and SQLite. */
export class SqlServerFeeStore implements ServerFeeStore {
  readonly #insert: Sql;

  constructor(private readonly sql: SqlClient) {
    this.#insert = fixed(
      `INSERT INTO server_fees (message_box, delivery_fee, created_at, updated_at) VALUES (?, ?, ?, ?)
       ${sql.phrases.onConflictUpdate('message_box')} delivery_fee = ?, updated_at = ?`,
    );
  }

  all(): Promise<ServerFee[]> {
    return withStoreErrors(async () =>
      (await this.sql.read(ALL, [])).map((row) => ({
        messageBox: decodeName(row['message_box']),
        deliveryFee: clampFee(row['delivery_fee'], 0),
        updatedAt: new Date(row['updated_at'] as Date | number),
      })),
    );
  }

  async set(messageBox: string, deliveryFee: number): Promise<ServerFee> {
    const name = encodeName(messageBox);
    const updatedAt = new Date();
    const now = this.sql.time(updatedAt);
    await withStoreErrors(() =>
      retryContention(async () => {
        const { changes } = await this.sql.write(UPDATE, [deliveryFee, now, name]);
        if (changes === 0) await this.sql.write(this.#insert, [name, deliveryFee, now, now, deliveryFee, now]);
      }),
    );
    return { messageBox, deliveryFee, updatedAt };
  }
}
