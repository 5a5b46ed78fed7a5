import { retryContention } from '../client/retry-contention.js';
import { getDate, getName } from '../client/rows.js';
import { prepared, type Sql, type SqlClient, toBinaryName } from '../client/sql-client.js';
import { withStoreErrors } from '../client/translate-error.js';
import { clampFee } from './permission-store.js';

/** The server's fee for a delivery into boxes of one name. */
export interface ServerFee {
  readonly messageBox: string;
  /** Satoshis, from 0 to 2^31 - 1. */
  readonly deliveryFee: number;
  readonly updatedAt: Date;
}

/** The operator's delivery fees. A delivery into a box without a row is free. */
export interface ServerFeeStore {
  /** All fees, sorted by box name. @throws {StoreUnavailableError} */
  all(): Promise<ServerFee[]>;
  /** Sets a fee. With concurrent calls the last one to commit wins. @throws {StoreUnavailableError} */
  set(messageBox: string, deliveryFee: number): Promise<ServerFee>;
}

const SELECT_ALL = prepared('SELECT message_box, delivery_fee, updated_at FROM server_fees ORDER BY message_box');
const UPDATE = prepared('UPDATE server_fees SET delivery_fee = ?, updated_at = ? WHERE message_box = ?');

/** {@link ServerFeeStore} on MySQL, MariaDB and SQLite. */
export class SqlServerFeeStore implements ServerFeeStore {
  readonly #insert: Sql;

  constructor(private readonly sql: SqlClient) {
    this.#insert = prepared(
      `INSERT INTO server_fees (message_box, delivery_fee, created_at, updated_at) VALUES (?, ?, ?, ?)
       ${sql.dialect.onConflictUpdate('message_box')} delivery_fee = ?, updated_at = ?`,
    );
  }

  all(): Promise<ServerFee[]> {
    return withStoreErrors(async () =>
      (await this.sql.read(SELECT_ALL, [])).map((row) => ({
        messageBox: getName(row, 'message_box'),
        deliveryFee: clampFee(row['delivery_fee'], 0),
        updatedAt: getDate(row, 'updated_at'),
      })),
    );
  }

  async set(messageBox: string, deliveryFee: number): Promise<ServerFee> {
    const name = toBinaryName(messageBox);
    const updatedAt = new Date();
    const now = this.sql.toSqlTime(updatedAt);
    await withStoreErrors(() =>
      retryContention(async () => {
        const { changes } = await this.sql.write(UPDATE, [deliveryFee, now, name]);
        if (changes === 0) await this.sql.write(this.#insert, [name, deliveryFee, now, now, deliveryFee, now]);
      }),
    );
    return { messageBox, deliveryFee, updatedAt };
  }
}
