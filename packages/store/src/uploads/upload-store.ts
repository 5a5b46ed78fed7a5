import { retryContention } from '../client/retry-contention.js';
import { getBytes, getCount, getInteger, getName, getOptionalInteger } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { TooManyUploadsError } from '../client/store-errors.js';
import { withStoreErrors } from '../client/translate-error.js';
import { STATE, type UploadState } from './upload-states.js';

/** An upload that is announced. Times are milliseconds since 1970. */
export interface NewUpload {
  /** Up to 32 bytes of ASCII. */
  readonly uploadId: string;
  /** 66 lower-case hex characters. */
  readonly owner: string;
  readonly bytes: number;
  /** 64 lower-case hex characters. */
  readonly sha256: string;
  /** Until then the object can be written. */
  readonly writableUntil: number;
  /** Until then a message may name it. */
  readonly expiresAt: number;
}

/** An announced upload. */
export interface Upload extends Omit<NewUpload, 'expiresAt'> {
  readonly state: UploadState;
  /** While it is open: until then a message may name it. */
  readonly expiresAt: number | undefined;
  /** Whether the object is known to be what was announced. */
  readonly isVerified: boolean;
}

/** What all uploads, and those of one identity, may take. */
export interface UploadLimits {
  /** Uploads of one identity that are open. */
  readonly openUploads: number;
  /** Bytes of all uploads of all identities, in any state: each may have an object. */
  readonly totalBytes: number;
  /** Number of all uploads of all identities. */
  readonly totalUploads: number;
}

/** An object that is to be removed. */
export interface DueRemoval extends Pick<Upload, 'uploadId' | 'writableUntil'> {
  readonly id: number;
  /** Attempts that have failed so far. */
  readonly attempts: number;
}

const LOCK_GATE = 'SELECT id FROM upload_gate WHERE id = 1';
const COUNT_OWN = prepared('SELECT COUNT(*) AS uploads FROM uploads WHERE owner = ? AND state = ?');
const SUM_ALL = prepared('SELECT COUNT(*) AS uploads, SUM(bytes) AS bytes FROM uploads');
const INSERT = prepared(
  `INSERT INTO uploads (upload_id, owner, bytes, sha256, state, created_at, writable_until, due_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
);
const FIND = prepared(
  `SELECT upload_id, owner, bytes, sha256, state, writable_until, due_at, verified_at FROM uploads WHERE upload_id = ?`,
);
const FIND_MESSAGE = prepared(
  `SELECT m.recipient, m.messageId FROM uploads u JOIN messages m ON m.id = u.message_row_id WHERE u.upload_id = ?`,
);
const MARK_VERIFIED = prepared('UPDATE uploads SET verified_at = ? WHERE upload_id = ? AND state = ?');
const EXTEND = prepared(
  'UPDATE uploads SET due_at = ? WHERE upload_id = ? AND owner = ? AND state = ? AND due_at > ? AND due_at <= ?',
);
const COUNT_READ = prepared('UPDATE uploads SET attempts = attempts + 1 WHERE upload_id = ? AND attempts < ?');
const EXPIRE = prepared('UPDATE uploads SET state = ?, due_at = ?, attempts = 0 WHERE state = ? AND due_at <= ?');
const END_OPEN_OF = prepared('UPDATE uploads SET state = ?, due_at = ?, attempts = 0 WHERE owner = ? AND state = ?');
const SELECT_NAMED = 'SELECT message_row_id FROM uploads WHERE message_row_id > ? ORDER BY message_row_id LIMIT';
const POSTPONE = prepared('UPDATE uploads SET attempts = ?, due_at = ? WHERE id = ? AND state = ?');
const REMOVE = prepared('DELETE FROM uploads WHERE id = ? AND state = ?');

/**
 * The table `uploads`: every object that may exist in the storage for uploads. All methods throw
 * {@link StoreUnavailableError}, and nothing else but what they name.
 *
 * Nothing is written when a message is deleted. {@link UploadStore.endOrphans} finds the uploads whose message does not exist
 * any more, however it was deleted: acknowledged, expired, erased, together with its box, or by a version that knows no
 * uploads. So no deletion is slower, and none can be missed.
 */
export class UploadStore {
  constructor(private readonly sql: SqlClient) {}

  /**
   * Announces an upload, unless a limit is reached.
   *
   * @throws {TooManyUploadsError} nothing was changed
   */
  announce(upload: NewUpload, limits: UploadLimits, now: number): Promise<void> {
    const { uploadId, owner, bytes, sha256, writableUntil, expiresAt } = upload;
    const key = toBinaryName(owner);
    return withStoreErrors(() =>
      retryContention(() =>
        this.sql.transaction(async (runner) => {
          await runner.read(prepared(`${LOCK_GATE} ${this.sql.dialect.forUpdate}`), []);
          const [own] = await runner.read(COUNT_OWN, [key, STATE.open]);
          if (getCount(own, 'uploads') >= limits.openUploads) throw new TooManyUploadsError('identity');
          const [all] = await runner.read(SUM_ALL, []);
          const isFull =
            getCount(all, 'uploads') >= limits.totalUploads || getCount(all, 'bytes') + bytes > limits.totalBytes;
          if (isFull) throw new TooManyUploadsError('server');
          const hash = Buffer.from(sha256, 'hex');
          await runner.write(INSERT, [
            toBinaryName(uploadId),
            key,
            bytes,
            hash,
            STATE.open,
            now,
            writableUntil,
            expiresAt,
          ]);
        }),
      ),
    );
  }

  find(uploadId: string): Promise<Upload | undefined> {
    return withStoreErrors(async () => {
      const [row] = await this.sql.read(FIND, [toBinaryName(uploadId)]);
      return row && toUpload(row);
    });
  }

  /** The message that names an upload; undefined when none does. */
  findMessage(uploadId: string): Promise<{ recipient: string; messageId: string } | undefined> {
    return withStoreErrors(async () => {
      const [row] = await this.sql.read(FIND_MESSAGE, [toBinaryName(uploadId)]);
      return row && { recipient: getName(row, 'recipient'), messageId: getName(row, 'messageId') };
    });
  }

  /** Records that the object is what was announced. */
  markVerified(uploadId: string, now: number): Promise<void> {
    return this.#write(MARK_VERIFIED, [now, toBinaryName(uploadId), STATE.open]).then(() => undefined);
  }

  /** Counts that the server reads the object. @returns false when it has done so `limit` times */
  async countRead(uploadId: string, limit: number): Promise<boolean> {
    return (await this.#write(COUNT_READ, [toBinaryName(uploadId), limit])) === 1;
  }

  /** Keeps an open upload until then. @returns false when it is not open, not the owner's, or has expired */
  async extend({ uploadId, owner }: Pick<Upload, 'uploadId' | 'owner'>, until: number, now: number): Promise<boolean> {
    const key = [toBinaryName(uploadId), toBinaryName(owner), STATE.open, now];
    return (await this.#write(EXTEND, [until, ...key, until])) === 1;
  }

  /** Ends the open uploads that have expired. @returns their number */
  endExpired(now: number): Promise<number> {
    return this.#write(EXPIRE, [STATE.gone, now, STATE.open, now]);
  }

  /** Ends the open uploads of an identity. Those that messages name belong to the messages. @returns their number */
  endOpenUploadsOf(owner: string, now: number): Promise<number> {
    return this.#write(END_OPEN_OF, [STATE.gone, now, toBinaryName(owner), STATE.open]);
  }

  /**
   * Ends named uploads whose message does not exist any more, among the next `limit` ones in the order of their messages.
   *
   * @param after where to go on; 0 for the beginning
   * @returns how many were ended, and where to go on; undefined after the last
   */
  endOrphans(after: number, limit: number, now: number): Promise<{ ended: number; next: number | undefined }> {
    return withStoreErrors(async () => {
      const select = prepared(`${SELECT_NAMED} ${Math.trunc(limit)}`);
      const rowIds = (await this.sql.read(select, [after])).map((row) => getInteger(row, 'message_row_id'));
      if (rowIds.length === 0) return { ended: 0, next: undefined };
      const existing = dynamic(`SELECT id FROM messages WHERE id ${inList(rowIds.length)}`);
      const found = new Set((await this.sql.read(existing, rowIds)).map((row) => getInteger(row, 'id')));
      // A row id is never used again, so a message that is missing now stays missing.
      const missing = rowIds.filter((id) => !found.has(id));
      const next = rowIds.length < limit ? undefined : rowIds.at(-1);
      if (missing.length === 0) return { ended: 0, next };
      const end = dynamic(
        `UPDATE uploads SET state = ?, due_at = ?, attempts = 0, message_row_id = NULL WHERE message_row_id ${inList(missing.length)}`,
      );
      const ended = (await retryContention(() => this.sql.write(end, [STATE.gone, now, ...missing]))).changes;
      return { ended, next };
    });
  }

  /** The objects that are to be removed by now, the longest due first. */
  listDueRemovals(now: number, limit: number): Promise<DueRemoval[]> {
    return withStoreErrors(async () => {
      const select = prepared(
        `SELECT id, upload_id, writable_until, attempts FROM uploads WHERE state = ? AND due_at <= ?
         ORDER BY due_at LIMIT ${Math.trunc(limit)}`,
      );
      return (await this.sql.read(select, [STATE.gone, now])).map((row) => ({
        id: getInteger(row, 'id'),
        uploadId: getName(row, 'upload_id'),
        writableUntil: getInteger(row, 'writable_until'),
        attempts: getInteger(row, 'attempts'),
      }));
    });
  }

  /** The object is to be removed (again) at this time. */
  postponeRemoval({ id }: Pick<DueRemoval, 'id'>, attempts: number, dueAt: number): Promise<void> {
    return this.#write(POSTPONE, [attempts, dueAt, id, STATE.gone]).then(() => undefined);
  }

  /** Forgets an upload whose object is removed. */
  forget({ id }: Pick<DueRemoval, 'id'>): Promise<void> {
    return this.#write(REMOVE, [id, STATE.gone]).then(() => undefined);
  }

  /** How many uploads there are, and their bytes. */
  readUsage(): Promise<{ uploads: number; bytes: number }> {
    return withStoreErrors(async () => {
      const [row] = await this.sql.read(SUM_ALL, []);
      return { uploads: getCount(row, 'uploads'), bytes: getCount(row, 'bytes') };
    });
  }

  #write(...[sql, values]: Parameters<SqlClient['write']>): Promise<number> {
    return withStoreErrors(async () => (await retryContention(() => this.sql.write(sql, values))).changes);
  }
}

function toUpload(row: SqlRow): Upload {
  return {
    uploadId: getName(row, 'upload_id'),
    owner: getName(row, 'owner'),
    bytes: getInteger(row, 'bytes'),
    sha256: getBytes(row, 'sha256').toString('hex'),
    state: getName(row, 'state') as UploadState, // written by this file alone
    writableUntil: getInteger(row, 'writable_until'),
    expiresAt: getOptionalInteger(row, 'due_at'),
    isVerified: getOptionalInteger(row, 'verified_at') !== undefined,
  };
}
