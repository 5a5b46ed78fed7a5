import { getBytes, getInteger, getName } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRunner, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { UploadUnavailableError } from '../client/store-errors.js';
import type { NewMessage, StoredUpload } from '../messages/message-store.js';
import { STATE } from './upload-states.js';

const NAME = prepared(
  `UPDATE uploads SET state = ?, message_row_id = ?, due_at = NULL
   WHERE upload_id = ? AND owner = ? AND state = ? AND due_at > ? AND bytes = ?`,
);
const FIND_ROW = prepared('SELECT message_row_id FROM uploads WHERE upload_id = ? AND owner = ? AND state = ?');

/**
 * Makes a message the one that names its upload, in the transaction that stores the message: neither exists without the
 * other, and an upload has one message at most.
 *
 * @param rowId `messages.id` of the message
 * @throws {UploadUnavailableError} when the upload is not its sender's, has expired, or is named already
 */
export async function nameUpload(runner: SqlRunner, message: NewMessage, rowId: number): Promise<void> {
  const { upload, sender } = message;
  if (upload === undefined) return;
  const key = [toBinaryName(upload.uploadId), toBinaryName(sender), STATE.open, Date.now(), upload.bytes];
  const { changes } = await runner.write(NAME, [STATE.named, rowId, ...key]);
  if (changes !== 1) throw new UploadUnavailableError();
}

/**
 * Whether the message with this row id is the one that names the upload.
 *
 * @param rowId decimal digits
 */
export async function isNamedBy(
  runner: SqlRunner,
  { upload, sender }: NewMessage,
  rowId: string | undefined,
): Promise<boolean> {
  if (upload === undefined || rowId === undefined) return false;
  const [row] = await runner.read(FIND_ROW, [toBinaryName(upload.uploadId), toBinaryName(sender), STATE.named]);
  return row !== undefined && getInteger(row, 'message_row_id') === Number(rowId);
}

/** The uploads of messages by the messages' row ids. Rejects with the driver's errors. */
export async function findNamedUploads(
  sql: SqlClient,
  rowIds: readonly number[],
): Promise<ReadonlyMap<number, StoredUpload>> {
  if (rowIds.length === 0) return new Map();
  const select = `SELECT message_row_id, upload_id, bytes, sha256 FROM uploads WHERE message_row_id ${inList(rowIds.length)}`;
  const rows = await sql.read(dynamic(select), rowIds);
  return new Map(
    rows.map((row) => [
      getInteger(row, 'message_row_id'),
      {
        uploadId: getName(row, 'upload_id'),
        bytes: getInteger(row, 'bytes'),
        sha256: getBytes(row, 'sha256').toString('hex'),
      },
    ]),
  );
}
