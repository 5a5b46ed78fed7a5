import { getCount, getDate, getInteger, getName } from '../client/rows.js';
import { prepared, type SqlClient, toBinaryName } from '../client/sql-client.js';
import { withStoreErrors } from '../client/translate-error.js';
import { SqlUsageReader } from '../messages/sql-usage-reader.js';
import type { StorageAmount } from '../messages/storage-amount.js';
import { sumBox } from './usage-walks.js';

/** Boxes of one identity that are listed. */
export const MAX_LISTED_BOXES = 100;

/** A box of an identity. */
export interface OwnBox extends StorageAmount {
  readonly messageBox: string;
  /** When its oldest message was stored. Undefined for an empty box. */
  readonly oldest: Date | undefined;
}

/** What this server keeps of an identity. */
export interface IdentityUsage {
  /** The first {@link MAX_LISTED_BOXES}, in the order of their names. */
  readonly boxes: readonly OwnBox[];
  /** Messages to the identity, in all boxes. */
  readonly received: StorageAmount;
  /** Messages of the identity that their recipients have not acknowledged. */
  readonly sent: StorageAmount;
  readonly devices: number;
  readonly permissions: number;
}

const SELECT_BOXES = prepared(
  `SELECT messageBoxId, type FROM messageBox WHERE identityKey = ? ORDER BY type LIMIT ${MAX_LISTED_BOXES}`,
);
const SELECT_OLDEST = prepared('SELECT created_at FROM messages WHERE messageBoxId = ? ORDER BY id LIMIT 1');
const COUNT_DEVICES = prepared('SELECT COUNT(*) AS n FROM device_registrations WHERE identity_key = ?');
const COUNT_PERMISSIONS = prepared('SELECT COUNT(*) AS n FROM message_permissions WHERE recipient = ?');

/** Sums up what is kept of an identity; of up to a million messages in each direction. @throws {StoreUnavailableError} */
export function readIdentityUsage(sql: SqlClient, identityKey: string): Promise<IdentityUsage> {
  const owner = toBinaryName(identityKey);
  const usage = new SqlUsageReader(sql);
  return withStoreErrors(async () => {
    const boxes: OwnBox[] = [];
    for (const row of await sql.read(SELECT_BOXES, [owner])) {
      const id = getInteger(row, 'messageBoxId');
      const [oldest] = await sql.read(SELECT_OLDEST, [id]);
      const amount = await sumBox(sql, id);
      boxes.push({ messageBox: getName(row, 'type'), ...amount, oldest: oldest && getDate(oldest, 'created_at') });
    }
    return {
      boxes,
      received: await usage.readInboxUsage(identityKey, Number.POSITIVE_INFINITY),
      sent: await usage.readSenderUsage(identityKey, Number.POSITIVE_INFINITY),
      devices: getCount((await sql.read(COUNT_DEVICES, [owner]))[0], 'n'),
      permissions: getCount((await sql.read(COUNT_PERMISSIONS, [owner]))[0], 'n'),
    };
  });
}
