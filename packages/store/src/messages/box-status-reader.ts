import { setImmediate } from 'node:timers/promises';
import { getBytes, getCount, getDate, getInteger, getName, getOptionalDate } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow, toBinaryName } from '../client/sql-client.js';
import { withStoreErrors } from '../client/translate-error.js';
import { describeExpiry } from './message-expiry.js';

const INDEX = 'messages_box_status_index';
/** Most messages of one box that are counted. SQLite, which blocks the process meanwhile, takes some milliseconds. */
export const MAX_COUNTED_PER_BOX = 10_000;
/** A page of boxes ends when so many messages were counted. */
const MAX_COUNTED_PER_PAGE = 100_000;
/** The newest messages among which the newest one that has not expired is looked for. */
const MAX_NEWEST_READ = 1_000;
/** Boxes after which others run. */
const BOXES_WITHOUT_PAUSE = 16;

/** What a count finds about a message. */
const [EXPIRED, LIVE, UNCLEAR] = [0, 1, 2];
const SELECT_BOX = prepared('SELECT messageBoxId, type FROM messageBox WHERE identityKey = ? AND type = ?');

/** What a box holds. Messages that have expired don't count. */
export interface BoxStatus {
  readonly messageBox: string;
  readonly count: number;
  /** UTF-8 bytes of the bodies. */
  readonly bytes: number;
  /** There are more than {@link MAX_COUNTED_PER_BOX} messages, so `count` and `bytes` are those of the oldest ones. */
  readonly isAtLeast: boolean;
  /** When the oldest and the newest message were stored; undefined for an empty box. */
  readonly oldest: Date | undefined;
  readonly newest: Date | undefined;
}

/** A page of an identity's boxes. */
export interface BoxStatusPage {
  readonly boxes: readonly BoxStatus[];
  /** Where the next page begins; undefined after the last one. */
  readonly next: Buffer | undefined;
}

/**
 * Counts the messages of boxes from an index that covers the query, so that neither bodies nor rows are read. Only rows of
 * versions that know no expiry or no sizes, and whose time has come, are read themselves. All methods throw
 * {@link StoreUnavailableError} and nothing else.
 */
export class BoxStatusReader {
  /** @param maxCounted for tests. Default: {@link MAX_COUNTED_PER_BOX} */
  constructor(
    private readonly sql: SqlClient,
    private readonly maxCounted = MAX_COUNTED_PER_BOX,
  ) {}

  /** The state of one box. One that does not exist is empty. */
  readBox(owner: string, messageBox: string): Promise<BoxStatus> {
    return withStoreErrors(async () => {
      const [box] = await this.sql.read(SELECT_BOX, [toBinaryName(owner), toBinaryName(messageBox)]);
      return box === undefined ? emptyBox(messageBox) : (await this.#readStatus(box)).status;
    });
  }

  /**
   * The state of an identity's boxes, in the order of the bytes of their names. The page ends early after the box with which
   * 100,000 messages were counted.
   *
   * @param after `next` of the page before
   * @param limit most boxes, at least 1
   */
  readBoxes(owner: string, limit: number, after: Buffer = Buffer.alloc(0)): Promise<BoxStatusPage> {
    // One box more than the page needs shows whether there are more.
    const select = dynamic(
      `SELECT messageBoxId, type FROM messageBox WHERE identityKey = ? AND type > ? ORDER BY type
       LIMIT ${Math.trunc(limit) + 1}`,
    );
    return withStoreErrors(async () => {
      const rows = await this.sql.read(select, [toBinaryName(owner), after]);
      const boxes: BoxStatus[] = [];
      let counted = 0;
      for (const row of rows.slice(0, limit)) {
        const { status, rowsRead } = await this.#readStatus(row);
        boxes.push(status);
        counted += rowsRead;
        if (counted >= MAX_COUNTED_PER_PAGE) break;
        if (boxes.length % BOXES_WITHOUT_PAUSE === 0) await setImmediate();
      }
      const last = rows[boxes.length - 1];
      return { boxes, next: boxes.length < rows.length && last !== undefined ? getBytes(last, 'type') : undefined };
    });
  }

  async #readStatus(box: SqlRow): Promise<{ status: BoxStatus; rowsRead: number }> {
    const messageBox = getName(box, 'type');
    const boxId = getInteger(box, 'messageBoxId');
    const [row] = await this.sql.read(this.#select(), [boxId]);
    const rowsRead = getCount(row, 'rows_read');
    if (row === undefined || rowsRead === 0) return { status: emptyBox(messageBox), rowsRead };
    let sum = toSum(row);
    const lastId = getInteger(row, 'last_id');
    if (getCount(row, 'unclear') > 0) sum = add(sum, toSum(await this.#readUnclear(boxId, lastId)));
    const rest = rowsRead < this.maxCounted ? undefined : await this.#readNewest(boxId, lastId);
    const newest = rest?.newest ?? sum.newest;
    return { status: { messageBox, ...sum, newest, isAtLeast: rest?.hasRows ?? false }, rowsRead };
  }

  /** The oldest messages of a box. */
  #select() {
    const { isDue } = describeExpiry(this.sql, 'm');
    // Computed once for each message, because SQLite asks for the time at each mention. Without its size, or the answer to
    // whether it never expires, the body decides.
    const standing = `CASE WHEN m.body_bytes IS NULL THEN ${UNCLEAR} WHEN NOT ${isDue} THEN ${LIVE}
      WHEN m.carries_payment IS NULL THEN ${UNCLEAR} WHEN m.carries_payment = 1 THEN ${LIVE} ELSE ${EXPIRED} END`;
    const ifLive = (then: string) => `CASE WHEN counted.standing = ${LIVE} THEN ${then} END`;
    return prepared(
      `SELECT COUNT(*) AS rows_read, MAX(counted.id) AS last_id,
         COUNT(CASE WHEN counted.standing = ${UNCLEAR} THEN 1 END) AS unclear,
         COUNT(${ifLive('1')}) AS messages, SUM(${ifLive('counted.body_bytes')}) AS bytes,
         MIN(${ifLive('counted.created_at')}) AS oldest, MAX(${ifLive('counted.created_at')}) AS newest
       FROM (SELECT m.id, m.body_bytes, m.created_at, ${standing} AS standing
         FROM messages m ${this.sql.dialect.forceIndex(INDEX)}
         WHERE m.messageBoxId = ? ORDER BY m.id LIMIT ${this.maxCounted}) AS counted`,
    );
  }

  async #readUnclear(boxId: number, lastId: number): Promise<SqlRow | undefined> {
    const { isDue, isLive } = describeExpiry(this.sql, 'm');
    const [row] = await this.sql.read(
      prepared(
        `SELECT COUNT(*) AS messages, SUM(COALESCE(m.body_bytes, ${this.sql.dialect.bodyBytes})) AS bytes,
           MIN(m.created_at) AS oldest, MAX(m.created_at) AS newest
         FROM messages m ${this.sql.dialect.forceIndex(INDEX)}
         WHERE m.messageBoxId = ? AND m.id <= ? AND (m.body_bytes IS NULL OR (m.carries_payment IS NULL AND ${isDue}))
           AND ${isLive}`,
      ),
      [boxId, lastId],
    );
    return row;
  }

  /** Whether there are messages behind the counted ones, and when the newest of them was stored. */
  async #readNewest(boxId: number, lastId: number): Promise<{ hasRows: boolean; newest: Date | undefined }> {
    const { isDue } = describeExpiry(this.sql, 'newest');
    const rows = await this.sql.read(
      prepared(
        `SELECT newest.created_at, CASE WHEN NOT ${isDue} OR newest.carries_payment = 1 THEN 1 ELSE 0 END AS live
         FROM (SELECT id, expires_at, created_at, carries_payment
           FROM messages ${this.sql.dialect.forceIndex(INDEX)}
           WHERE messageBoxId = ? AND id > ? ORDER BY id DESC LIMIT ${MAX_NEWEST_READ}) AS newest ORDER BY newest.id DESC`,
      ),
      [boxId, lastId],
    );
    const newest = rows.find((row) => getInteger(row, 'live') === 1);
    return { hasRows: newest !== undefined, newest: newest && getDate(newest, 'created_at') };
  }
}

type Sum = Pick<BoxStatus, 'count' | 'bytes' | 'oldest' | 'newest'>;

function toSum(row: SqlRow | undefined): Sum {
  return {
    count: getCount(row, 'messages'),
    bytes: getCount(row, 'bytes'),
    oldest: row && getOptionalDate(row, 'oldest'),
    newest: row && getOptionalDate(row, 'newest'),
  };
}

function add(a: Sum, b: Sum): Sum {
  const times = [a.oldest, a.newest, b.oldest, b.newest].flatMap((time) =>
    time === undefined ? [] : [time.getTime()],
  );
  return {
    count: a.count + b.count,
    bytes: a.bytes + b.bytes,
    oldest: times.length === 0 ? undefined : new Date(Math.min(...times)),
    newest: times.length === 0 ? undefined : new Date(Math.max(...times)),
  };
}

function emptyBox(messageBox: string): BoxStatus {
  return { messageBox, count: 0, bytes: 0, isAtLeast: false, oldest: undefined, newest: undefined };
}
