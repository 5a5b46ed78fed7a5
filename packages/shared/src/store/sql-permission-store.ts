import { ofListedBox, ofListedSender } from './listed-permissions.js';
import {
  BLOCKED,
  clampFee,
  type Decisions,
  MAX_PERMISSIONS,
  type PermissionKey,
  type PermissionPage,
  type PermissionQuery,
  type PermissionStore,
  type StoredPermission,
} from './permission-store.js';
import { retryContention } from './retry-contention.js';
import { decodeName, encodeName, fixed, type Sql, type SqlClient, type SqlRow, varying } from './sql-client.js';
import { TooManyPermissionsError } from './store-errors.js';
import { withStoreErrors } from './translate-error.js';

const TABLE = 'message_permissions';
const KEY = ['recipient', 'sender', 'message_box'] as const;
const COLUMNS = 'sender, message_box, recipient_fee, created_at, updated_at';
const OF_KEY = 'WHERE recipient = ? AND sender = ? AND message_box = ?';
const GET = fixed(`SELECT ${COLUMNS} FROM ${TABLE} ${OF_KEY}`);
const UPDATE = fixed(`UPDATE ${TABLE} SET recipient_fee = ?, updated_at = ? ${OF_KEY}`);
const DECIDE = (recipients: number) =>
  `SELECT recipient, sender, recipient_fee FROM ${TABLE}
   WHERE recipient IN (${Array(recipients).fill('?').join(', ')}) AND sender IN (?, ?) AND message_box = ?`;
const DECIDE_ONE = fixed(DECIDE(1));
/** A unique key lets any number of NULLs through, so "no sender in particular" is the empty name. */
const BOX_WIDE = encodeName('');

/** {@link PermissionStore} on MySQL, MariaDB and SQLite. */
export class SqlPermissionStore implements PermissionStore {
  readonly #insert: Sql;
  readonly #count: Sql;

  /** @param maxPermissions rows of one recipient; sets that race may exceed it by as many as they are */
  constructor(
    private readonly sql: SqlClient,
    private readonly maxPermissions = MAX_PERMISSIONS,
  ) {
    this.#count = fixed(
      `SELECT COUNT(*) AS total FROM (SELECT 1 FROM ${TABLE} WHERE recipient = ? LIMIT ${maxPermissions}) AS counted`,
    );
    this.#insert = fixed(
      `INSERT INTO ${TABLE} (recipient, sender, message_box, recipient_fee, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?)
       ${sql.phrases.onConflictUpdate(...KEY)} recipient_fee = ?, updated_at = ?`,
    );
  }

  set({ recipientFee, ...key }: PermissionKey & { readonly recipientFee: number }): Promise<void> {
    const names = namesOf(key);
    const now = this.sql.time(new Date());
    return withStoreErrors(() =>
      retryContention(async () => {
        // Updating first: an insert uses up a row id even where it ends as an update, and ids are few (INT).
        const { changes } = await this.sql.write(UPDATE, [recipientFee, now, ...names]);
        if (changes > 0) return;
        await this.#assertRoom(key.recipient);
        await this.sql.write(this.#insert, [...names, recipientFee, now, now, recipientFee, now]);
      }),
    );
  }

  async #assertRoom(recipient: string): Promise<void> {
    const [row] = await this.sql.read(this.#count, [encodeName(recipient)]);
    if (Number(row?.['total']) >= this.maxPermissions) throw new TooManyPermissionsError(this.maxPermissions);
  }

  get(key: PermissionKey): Promise<StoredPermission | undefined> {
    return withStoreErrors(async () => {
      const [row] = await this.sql.read(GET, namesOf(key));
      return row === undefined ? undefined : toPermission(key.recipient, row);
    });
  }

  list({ recipient, messageBox, limit, offset, order }: PermissionQuery): Promise<PermissionPage> {
    const box = messageBox === undefined ? ofListedBox('message_box') : 'message_box = ?';
    const where = `FROM ${TABLE} WHERE recipient = ? AND ${ofListedSender('sender')} AND ${box}`;
    const names = [recipient, ...(messageBox === undefined ? [] : [messageBox])].map(encodeName);
    const by = order === 'asc' ? 'ASC' : 'DESC';
    const page = `ORDER BY created_at ${by}, id ${by} LIMIT ${Math.trunc(limit)} OFFSET ${Math.trunc(offset)}`;
    return withStoreErrors(async () => {
      const rows = await this.sql.read(varying(`SELECT ${COLUMNS} ${where} ${page}`), names);
      const [count] = await this.sql.read(varying(`SELECT COUNT(*) AS total ${where}`), names);
      return { permissions: rows.map((row) => toPermission(recipient, row)), total: Number(count?.['total']) };
    });
  }

  decisions(recipients: readonly string[], sender: string, messageBox: string): Promise<Map<string, Decisions>> {
    const distinct = recipients.length === 1 ? recipients : [...new Set(recipients)];
    const sql = distinct.length === 1 ? DECIDE_ONE : varying(DECIDE(distinct.length));
    const values = [...distinct.map(encodeName), encodeName(sender), BOX_WIDE, encodeName(messageBox)];
    return withStoreErrors(async () => {
      const found = new Map<string, Decisions>();
      if (distinct.length === 0) return found;
      for (const row of await this.sql.read(sql, values)) {
        const recipient = decodeName(row['recipient']);
        const fee = feeOf(row);
        const { forSender, boxWide } = found.get(recipient) ?? { forSender: undefined, boxWide: undefined };
        const isBoxWide = (row['sender'] as Buffer).length === 0;
        found.set(recipient, isBoxWide ? { forSender, boxWide: fee } : { forSender: fee, boxWide });
      }
      return found;
    });
  }
}

function namesOf({ recipient, sender, messageBox }: PermissionKey): Buffer[] {
  return [encodeName(recipient), sender === undefined ? BOX_WIDE : encodeName(sender), encodeName(messageBox)];
}

/** A database that was taken over may hold anything below, and has always blocked by it; or more than clients read. */
function feeOf(row: SqlRow): number {
  return clampFee(row['recipient_fee'], BLOCKED);
}

function toPermission(recipient: string, row: SqlRow): StoredPermission {
  const sender = decodeName(row['sender']);
  return {
    recipient,
    sender: sender === '' ? undefined : sender,
    messageBox: decodeName(row['message_box']),
    recipientFee: feeOf(row),
    createdAt: new Date(row['created_at'] as Date | number),
    updatedAt: new Date(row['updated_at'] as Date | number),
  };
}
