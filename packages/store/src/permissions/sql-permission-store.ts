import { retryContention } from '../client/retry-contention.js';
import { getBytes, getCount, getDate, getName, getOptionalInteger } from '../client/rows.js';
import { dynamic, prepared, type Sql, type SqlClient, type SqlRow, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { TooManyPermissionsError } from '../client/store-errors.js';
import { withStoreErrors } from '../client/translate-error.js';
import { buildListedBoxCondition, buildListedSenderCondition } from './listed-permission-conditions.js';
import {
  BLOCKED,
  clampFee,
  MAX_PERMISSIONS,
  type NewPermission,
  type PermissionDecisions,
  type PermissionKey,
  type PermissionPage,
  type PermissionQuery,
  type PermissionStore,
  type StoredPermission,
} from './permission-store.js';

const TABLE = 'message_permissions';
const KEY = ['recipient', 'sender', 'message_box'] as const;
const COLUMNS = 'sender, message_box, recipient_fee, receipts, created_at, updated_at';
const WHERE_KEY = 'WHERE recipient = ? AND sender = ? AND message_box = ?';
const SELECT_ONE = prepared(`SELECT ${COLUMNS} FROM ${TABLE} ${WHERE_KEY}`);
const UPDATE = prepared(`UPDATE ${TABLE} SET recipient_fee = ?, updated_at = ? ${WHERE_KEY}`);
const UPDATE_WITH_RECEIPTS = prepared(
  `UPDATE ${TABLE} SET recipient_fee = ?, receipts = ?, updated_at = ? ${WHERE_KEY}`,
);
const buildDecisionsQuery = (recipients: number) =>
  `SELECT recipient, sender, recipient_fee FROM ${TABLE}
   WHERE recipient ${inList(recipients)} AND sender IN (?, ?) AND message_box = ?`;
const SELECT_DECISIONS_OF_ONE = prepared(buildDecisionsQuery(1));
/** The sender of a box-wide row. Not NULL, because a unique key allows any number of NULLs. */
const BOX_WIDE = toBinaryName('');

/** {@link PermissionStore} on MySQL, MariaDB and SQLite. */
export class SqlPermissionStore implements PermissionStore {
  readonly #insert: Sql;
  readonly #count: Sql;

  /** @param maxPermissions most rows of one recipient; concurrent calls of `set` may exceed it by their number */
  constructor(
    private readonly sql: SqlClient,
    private readonly maxPermissions = MAX_PERMISSIONS,
  ) {
    this.#count = prepared(
      `SELECT COUNT(*) AS total FROM (SELECT 1 FROM ${TABLE} WHERE recipient = ? LIMIT ${maxPermissions}) AS counted`,
    );
    this.#insert = prepared(
      `INSERT INTO ${TABLE} (recipient, sender, message_box, recipient_fee, receipts, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ${sql.dialect.onConflictUpdate(...KEY)} recipient_fee = ?, receipts = ?, updated_at = ?`,
    );
  }

  set({ recipientFee, receipts, ...key }: NewPermission): Promise<void> {
    const names = toKeyValues(key);
    const decision = receipts === undefined || receipts === null ? null : Number(receipts);
    const now = this.sql.toSqlTime(new Date());
    return withStoreErrors(() =>
      retryContention(async () => {
        // Update first: an INSERT uses up a row id even when it becomes an update, and the ids are only INT.
        const { changes } =
          receipts === undefined
            ? await this.sql.write(UPDATE, [recipientFee, now, ...names])
            : await this.sql.write(UPDATE_WITH_RECEIPTS, [recipientFee, decision, now, ...names]);
        if (changes > 0) return;
        await this.#assertRoom(key.recipient);
        await this.sql.write(this.#insert, [...names, recipientFee, decision, now, now, recipientFee, decision, now]);
      }),
    );
  }

  async #assertRoom(recipient: string): Promise<void> {
    const [row] = await this.sql.read(this.#count, [toBinaryName(recipient)]);
    if (getCount(row, 'total') >= this.maxPermissions) throw new TooManyPermissionsError(this.maxPermissions);
  }

  get(key: PermissionKey): Promise<StoredPermission | undefined> {
    return withStoreErrors(async () => {
      const [row] = await this.sql.read(SELECT_ONE, toKeyValues(key));
      return row === undefined ? undefined : toPermission(key.recipient, row);
    });
  }

  list({ recipient, messageBox, limit, offset, order }: PermissionQuery): Promise<PermissionPage> {
    const box = messageBox === undefined ? buildListedBoxCondition('message_box') : 'message_box = ?';
    const where = `FROM ${TABLE} WHERE recipient = ? AND ${buildListedSenderCondition('sender')} AND ${box}`;
    const names = [recipient, ...(messageBox === undefined ? [] : [messageBox])].map(toBinaryName);
    const by = order === 'asc' ? 'ASC' : 'DESC';
    const page = `ORDER BY created_at ${by}, id ${by} LIMIT ${Math.trunc(limit)} OFFSET ${Math.trunc(offset)}`;
    return withStoreErrors(async () => {
      const rows = await this.sql.read(dynamic(`SELECT ${COLUMNS} ${where} ${page}`), names);
      const [count] = await this.sql.read(dynamic(`SELECT COUNT(*) AS total ${where}`), names);
      return { permissions: rows.map((row) => toPermission(recipient, row)), total: getCount(count, 'total') };
    });
  }

  decisions(
    recipients: readonly string[],
    sender: string,
    messageBox: string,
  ): Promise<Map<string, PermissionDecisions>> {
    const distinct = recipients.length === 1 ? recipients : [...new Set(recipients)];
    const sql = distinct.length === 1 ? SELECT_DECISIONS_OF_ONE : dynamic(buildDecisionsQuery(distinct.length));
    const values = [...distinct.map(toBinaryName), toBinaryName(sender), BOX_WIDE, toBinaryName(messageBox)];
    return withStoreErrors(async () => {
      const found = new Map<string, PermissionDecisions>();
      if (distinct.length === 0) return found;
      for (const row of await this.sql.read(sql, values)) {
        const recipient = getName(row, 'recipient');
        const fee = toRecipientFee(row);
        const { forSender, boxWide } = found.get(recipient) ?? { forSender: undefined, boxWide: undefined };
        const isBoxWide = getBytes(row, 'sender').length === 0;
        found.set(recipient, isBoxWide ? { forSender, boxWide: fee } : { forSender: fee, boxWide });
      }
      return found;
    });
  }
}

function toKeyValues({ recipient, sender, messageBox }: PermissionKey): Buffer[] {
  return [toBinaryName(recipient), sender === undefined ? BOX_WIDE : toBinaryName(sender), toBinaryName(messageBox)];
}

/** A database of the reference server may hold any negative fee, which means blocked, or a larger fee than clients read. */
function toRecipientFee(row: SqlRow): number {
  return clampFee(row['recipient_fee'], BLOCKED);
}

function toReceiptsDecision(row: SqlRow): boolean | undefined {
  const decision = getOptionalInteger(row, 'receipts');
  return decision === undefined ? undefined : decision !== 0;
}

function toPermission(recipient: string, row: SqlRow): StoredPermission {
  const sender = getName(row, 'sender');
  return {
    recipient,
    sender: sender === '' ? undefined : sender,
    messageBox: getName(row, 'message_box'),
    recipientFee: toRecipientFee(row),
    receipts: toReceiptsDecision(row),
    createdAt: getDate(row, 'created_at'),
    updatedAt: getDate(row, 'updated_at'),
  };
}
