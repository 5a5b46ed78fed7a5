import { chunks } from '../client/chunks.js';
import { getCount, getDate, getInteger, getName } from '../client/rows.js';
import { dynamic, prepared, type SqlClient } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { withStoreErrors } from '../client/translate-error.js';
import type { StorageAmount } from '../messages/storage-amount.js';
import { Ranking } from './ranking.js';
import { type BoxAmount, countBoxOwners, type SenderAmount, walkBoxes, walkSenders } from './usage-walks.js';

/** The boxes and the senders that a survey names, in each order. */
export const MAX_RANKED = 1_000;
const CHUNK_SIZE = 500;

/** How boxes and senders are ranked. */
export type UsageOrder = 'bytes' | 'messages';

/** A box and what it holds. */
export interface RankedBox extends BoxAmount {
  readonly identityKey: string;
  readonly messageBox: string;
}

/** What was stored at one time, and who had most of it. */
export interface UsageSurvey {
  readonly takenAt: Date;
  readonly total: StorageAmount;
  /** Identities that have boxes. */
  readonly identities: number;
  /** Bytes of the database with its indexes; undefined when it does not tell. */
  readonly databaseBytes: number | undefined;
  /** The {@link MAX_RANKED} largest, the largest first. */
  readonly boxes: Readonly<Record<UsageOrder, readonly RankedBox[]>>;
  readonly senders: Readonly<Record<UsageOrder, readonly SenderAmount[]>>;
}

/**
 * Counts what is stored. There are no counters (a crash would leave them wrong), so this looks at each message, in slices
 * between which others run. A million messages take some seconds: callers keep the result for a while.
 *
 * @throws {StoreUnavailableError}
 */
export function surveyUsage(sql: SqlClient, takenAt = new Date()): Promise<UsageSurvey> {
  return withStoreErrors(async () => {
    const boxes = createRankings<BoxAmount>((a, b) => a.boxId - b.boxId);
    let [messages, bytes] = [0, 0];
    for await (const box of walkBoxes(sql)) {
      messages += box.messages;
      bytes += box.bytes;
      for (const ranking of Object.values(boxes)) ranking.add(box);
    }
    const senders = createRankings<SenderAmount>((a, b) => (a.identityKey < b.identityKey ? -1 : 1));
    for await (const sender of walkSenders(sql)) for (const ranking of Object.values(senders)) ranking.add(sender);
    return {
      takenAt,
      total: { messages, bytes },
      identities: await countBoxOwners(sql),
      databaseBytes: await readDatabaseBytes(sql),
      boxes: { bytes: await addNames(sql, boxes.bytes.list()), messages: await addNames(sql, boxes.messages.list()) },
      senders: { bytes: senders.bytes.list(), messages: senders.messages.list() },
    };
  });
}

/** When these messages were stored, by row id. Those that are gone are missing. */
export function readStoredTimes(sql: SqlClient, ids: readonly number[]): Promise<Map<number, Date>> {
  return withStoreErrors(async () => {
    if (ids.length === 0) return new Map();
    const rows = await sql.read(dynamic(`SELECT id, created_at FROM messages WHERE id ${inList(ids.length)}`), ids);
    return new Map(rows.map((row) => [getInteger(row, 'id'), getDate(row, 'created_at')]));
  });
}

function createRankings<T extends StorageAmount>(tieBreak: (a: T, b: T) => number): Record<UsageOrder, Ranking<T>> {
  const by = (order: UsageOrder) => new Ranking<T>(MAX_RANKED, (a, b) => b[order] - a[order] || tieBreak(a, b));
  return { bytes: by('bytes'), messages: by('messages') };
}

async function addNames(sql: SqlClient, boxes: readonly BoxAmount[]): Promise<RankedBox[]> {
  const named: RankedBox[] = [];
  for (const chunk of chunks(boxes, CHUNK_SIZE)) {
    const ids = chunk.map(({ boxId }) => boxId);
    const select = `SELECT messageBoxId, identityKey, type FROM messageBox WHERE messageBoxId ${inList(ids.length)}`;
    const rows = await sql.read(dynamic(select), ids);
    const byId = new Map(rows.map((row) => [getInteger(row, 'messageBoxId'), row]));
    for (const box of chunk) {
      const row = byId.get(box.boxId); // missing when it was deleted meanwhile
      if (row) named.push({ ...box, identityKey: getName(row, 'identityKey'), messageBox: getName(row, 'type') });
    }
  }
  return named;
}

const DATABASE_BYTES = {
  mysql: prepared(
    `SELECT SUM(data_length + index_length) AS bytes FROM information_schema.tables WHERE table_schema = DATABASE()`,
  ),
  sqlite: prepared('SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()'),
};

async function readDatabaseBytes(sql: SqlClient): Promise<number | undefined> {
  try {
    const [row] = await sql.read(DATABASE_BYTES[sql.engine], []);
    return getCount(row, 'bytes') || undefined;
  } catch {
    return undefined; // a user of the database may lack the right; everything else is known
  }
}
