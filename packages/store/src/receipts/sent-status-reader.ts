import { chunks } from '../client/chunks.js';
import { getBytes, getInteger, getName } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow, type SqlValue, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { withStoreErrors } from '../client/translate-error.js';
import { describeExpiry } from '../messages/message-expiry.js';
import type { ReceiptHandles } from './receipt-handles.js';
import { GIVES_RECEIPTS, JOIN_RECEIPT_PERMISSIONS } from './receipt-permission.js';
import { openReceipts, type ReceiptState, toReceiptState } from './receipts.js';

const INDEX = 'messages_sender_usage_index';
/** Ids of one statement. */
const BATCH_SIZE = 100;
/** Recipients of one id that are told. */
export const MAX_RECIPIENTS_PER_ID = 10;
/** Twice as many, because messages that are stored again hide receipts. */
const MAX_RECEIPTS_PER_ID = 2 * MAX_RECIPIENTS_PER_ID;
const MAX_ROWS_PER_BATCH = BATCH_SIZE * MAX_RECIPIENTS_PER_ID;

/** The state of a send: `unknown` is never stored, or forgotten, or not to be told. */
export type SentState = 'stored' | ReceiptState | 'unknown';

/** The state of a send to one recipient. */
export interface SentStatus {
  readonly messageId: string;
  /** Undefined where it is not known any more: a receipt does not name the recipient. */
  readonly recipient: string | undefined;
  readonly state: SentState;
}

/**
 * Tells a sender what has become of its messages. The same statements run whether an id is the sender's, somebody else's or
 * nobody's: both the table and the receipts are looked up for each id, by keys that begin with the sender. All methods throw
 * {@link StoreUnavailableError} and nothing else.
 */
export class SentStatusReader {
  constructor(private readonly sql: SqlClient) {}

  /**
   * The states of the sender's messages with these ids, in their order: for each id one entry for each recipient, at most
   * {@link MAX_RECIPIENTS_PER_ID}, or a single `unknown`. Stored messages come before those that are gone.
   *
   * @param recipient only messages to this recipient. Then each entry names it
   */
  read(sender: string, messageIds: readonly string[], recipient?: string): Promise<SentStatus[]> {
    return withStoreErrors(async () => {
      const found = new Map<string, SentStatus[]>();
      for (const chunk of chunks([...new Set(messageIds)], BATCH_SIZE)) {
        const stored = groupById(await this.#readStored(sender, chunk, recipient));
        const receipts = await this.#readReceipts(sender, chunk, recipient);
        for (const messageId of chunk) {
          const gone = receipts.get(messageId) ?? [];
          found.set(messageId, this.#merge(messageId, stored.get(messageId) ?? [], gone, recipient));
        }
      }
      return messageIds.flatMap((messageId) => found.get(messageId) ?? []);
    });
  }

  #merge(
    messageId: string,
    stored: readonly SqlRow[],
    receipts: readonly Receipt[],
    only: string | undefined,
  ): SentStatus[] {
    const handles = openReceipts(this.sql)?.handles;
    const entries: SentStatus[] = [];
    /** A message that is in the table again is not gone, whatever is remembered of it. */
    const present = new Set<string>();
    for (const row of stored) {
      const recipient = getName(row, 'recipient');
      if (handles !== undefined) present.add(handles.recipientTag(recipient).toString('hex'));
      const state = this.#toState(row);
      if (state !== 'unknown') entries.push({ messageId, recipient, state });
    }
    for (const { tag, state } of receipts) {
      if (!present.has(tag)) entries.push({ messageId, recipient: only, state });
    }
    if (entries.length === 0) return [{ messageId, recipient: only, state: 'unknown' }];
    return entries.slice(0, MAX_RECIPIENTS_PER_ID);
  }

  /** A message that is only still to be removed is as one that was removed already. */
  #toState(row: SqlRow): SentState {
    if (getInteger(row, 'gives_receipts') !== 1) return 'unknown';
    if (getInteger(row, 'live') === 1) return 'stored';
    return this.sql.receipts === undefined ? 'unknown' : 'expired';
  }

  /** At most {@link MAX_RECIPIENTS_PER_ID} rows of each id, as one id may have any number of recipients. */
  async #readStored(sender: string, ids: readonly string[], recipient: string | undefined): Promise<SqlRow[]> {
    const rows = await this.#select(sender, ids, recipient, MAX_ROWS_PER_BATCH + 1);
    if (rows.length <= MAX_ROWS_PER_BATCH) return rows;
    const byId: SqlRow[] = [];
    for (const id of ids) byId.push(...(await this.#select(sender, [id], recipient, MAX_RECIPIENTS_PER_ID)));
    return byId;
  }

  #select(sender: string, ids: readonly string[], recipient: string | undefined, limit: number): Promise<SqlRow[]> {
    const { isLive } = describeExpiry(this.sql, 'm');
    const toSql = ids.length === 1 ? prepared : dynamic;
    const only = recipient === undefined ? '' : ' AND m.recipient = ?';
    const values: SqlValue[] = [sender, ...ids, ...(recipient === undefined ? [] : [recipient])].map(toBinaryName);
    return this.sql.read(
      toSql(
        `SELECT m.messageId, m.recipient, ${isLive} AS live, ${GIVES_RECEIPTS} AS gives_receipts
         FROM messages m ${this.sql.dialect.forceIndex(INDEX)}
         LEFT JOIN messageBox b ON b.messageBoxId = m.messageBoxId ${JOIN_RECEIPT_PERMISSIONS}
         WHERE m.sender = ? AND m.messageId ${inList(ids.length)}${only} LIMIT ${limit}`,
      ),
      values,
    );
  }

  async #readReceipts(
    sender: string,
    ids: readonly string[],
    recipient: string | undefined,
  ): Promise<Map<string, Receipt[]>> {
    const found = new Map<string, Receipt[]>();
    const handles = openReceipts(this.sql)?.handles;
    if (handles === undefined) return found;
    const idsByPrefix = new Map(ids.map((id) => [handles.prefixOf(sender, id).toString('hex'), id]));
    let rows: SqlRow[];
    if (recipient !== undefined) {
      const exact = ids.map((messageId) => handles.of({ sender, recipient, messageId }));
      rows = await this.sql.read(
        dynamic(`SELECT handle, state FROM receipts WHERE handle ${inList(ids.length)}`),
        exact,
      );
    } else {
      rows = await this.#selectReceipts(handles, sender, ids, MAX_ROWS_PER_BATCH + 1);
      if (rows.length > MAX_ROWS_PER_BATCH) {
        rows = [];
        for (const id of ids) rows.push(...(await this.#selectReceipts(handles, sender, [id], MAX_RECEIPTS_PER_ID)));
      }
    }
    for (const row of rows) {
      const handle = getBytes(row, 'handle').toString('hex');
      const tag = handle.slice(-handles.recipientTagDigits);
      const id = idsByPrefix.get(handle.slice(0, -tag.length));
      if (id === undefined) continue;
      const receipts = found.get(id) ?? [];
      receipts.push({ tag, state: toReceiptState(getInteger(row, 'state')) });
      found.set(id, receipts);
    }
    return found;
  }

  #selectReceipts(handles: ReceiptHandles, sender: string, ids: readonly string[], limit: number): Promise<SqlRow[]> {
    const ranges = ids.map((id) => handles.rangeOf(sender, id));
    const where = ranges.map(() => 'handle BETWEEN ? AND ?').join(' OR ');
    return this.sql.read(
      dynamic(`SELECT handle, state FROM receipts WHERE ${where} LIMIT ${limit}`),
      ranges.flatMap(({ first, last }) => [first, last]),
    );
  }
}

interface Receipt {
  /** The recipient's, in hex. */
  readonly tag: string;
  readonly state: ReceiptState;
}

function groupById(rows: readonly SqlRow[]): Map<string, SqlRow[]> {
  const groups = new Map<string, SqlRow[]>();
  for (const row of rows) {
    const id = getName(row, 'messageId');
    const group = groups.get(id) ?? [];
    group.push(row);
    groups.set(id, group);
  }
  return groups;
}
