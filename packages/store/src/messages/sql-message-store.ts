import { chunks } from '../client/chunks.js';
import { retryContention } from '../client/retry-contention.js';
import { getName } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRunner, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { MessageIdTakenError, StoreUnavailableError } from '../client/store-errors.js';
import { classifySqlError, translateError } from '../client/translate-error.js';
import { type MigrateOptions, migrate, readSchemaStatus } from '../migrations/migrate.js';
import { acknowledgeWithReceipts } from '../receipts/acknowledge.js';
import { openReceipts } from '../receipts/receipts.js';
import { RequestClaims } from '../sessions/request-claims.js';
import { isNamedBy, nameUpload } from '../uploads/named-uploads.js';
import { BoxIdCache, type BoxName, toBoxKey } from './box-id-cache.js';
import { findEarlierId } from './earlier-ids.js';
import { listPage, parseCursor } from './list-page.js';
import { findNewestId, listHeaders, readBodies } from './message-headers.js';
import {
  buildInsertStatements,
  type ExistingMessage,
  findExistingMessages,
  type MessageRow,
  removeExpiredMessages,
  toMessageKey,
} from './message-rows.js';
import type {
  ConnectionCounts,
  HeaderQuery,
  ListQuery,
  MessageHeader,
  MessagePage,
  MessageStore,
  NewMessage,
  RequestClaim,
  SchemaStatus,
  StoreResult,
  TransactionHook,
} from './message-store.js';
import { findSharedBodies, insertSharedBodies } from './shared-bodies.js';

const PING = prepared('SELECT 1 AS pong');
const DELETE_ONE = prepared('DELETE FROM messages WHERE recipient = ? AND messageId = ?');
const DELETE_BATCH_SIZE = 1_000;
/** Attempts of a batch whose conflicting row exists at the INSERT and is gone at the SELECT. */
const MAX_INSERT_ATTEMPTS = 10;

/** {@link MessageStore} on MySQL, MariaDB and SQLite. Created by `openDatabase`. */
export class SqlMessageStore implements MessageStore {
  readonly engine: 'mysql' | 'sqlite';
  readonly #boxIds: BoxIdCache;
  readonly #claims: RequestClaims;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly sql: SqlClient,
    private readonly migrateOptions: MigrateOptions,
    private readonly storesBatchBodiesOnce: boolean,
  ) {
    this.engine = sql.engine;
    this.#boxIds = new BoxIdCache(sql);
    this.#claims = new RequestClaims(sql);
  }

  storeMessages(messages: readonly NewMessage[], withinTransaction?: TransactionHook): Promise<StoreResult[]> {
    return this.#run(() => retryContention(() => this.#insertNew(messages, withinTransaction)));
  }

  areStored(messages: readonly NewMessage[]): Promise<boolean[]> {
    return this.#run(async () => {
      const existing = await findExistingMessages(this.sql, messages);
      return messages.map((message) => isSameMessage(existing.get(toMessageKey(message)), message));
    });
  }

  async listMessages(query: ListQuery): Promise<MessagePage> {
    const after = parseCursor(query.after);
    return this.#run(() => listPage(this.sql, query, after));
  }

  async listBoxNames(owner: string, limit: number): Promise<string[]> {
    const rows = await this.#run(() =>
      this.sql.read(
        prepared(
          `SELECT type FROM messageBox WHERE identityKey = ? ORDER BY messageBoxId DESC LIMIT ${Math.max(0, Math.trunc(limit))}`,
        ),
        [toBinaryName(owner)],
      ),
    );
    return rows.map((row) => getName(row, 'type'));
  }

  listHeaders(query: HeaderQuery): Promise<MessageHeader[]> {
    return this.#run(() => listHeaders(this.sql, query));
  }

  readBodies(ids: readonly number[], bytes = 0): Promise<Map<number, string>> {
    return this.#run(() => readBodies(this.sql, ids, bytes));
  }

  findNewestId(): Promise<number> {
    return this.#run(() => findNewestId(this.sql));
  }

  findEarlierId(id: number, ms: number): Promise<number> {
    return this.#run(() => findEarlierId(this.sql, id, ms));
  }

  acknowledgeMessages(recipient: string, messageIds: readonly string[]): Promise<number> {
    return this.#run(() => retryContention(() => this.#deleteAll(recipient, messageIds)));
  }

  claimRequest(claim: RequestClaim): Promise<boolean> {
    return this.#run(() => this.#claims.claim(claim));
  }

  purgeClaims(now: Date, limit: number): Promise<number> {
    const statement = this.sql.dialect.deleteExpiredClaims(Math.max(0, Math.trunc(limit)));
    return this.#run(() =>
      retryContention(async () => (await this.sql.write(statement, [this.sql.toSqlTime(now)])).changes),
    );
  }

  ping(): Promise<void> {
    return this.#run(async () => {
      await this.sql.read(PING, []);
    });
  }

  getSchemaStatus(): Promise<SchemaStatus> {
    return this.#run(() => readSchemaStatus(this.sql));
  }

  migrate(): Promise<string[]> {
    return this.#run(() => migrate(this.sql, this.migrateOptions));
  }

  connections(): ConnectionCounts {
    const pool = this.sql.knex.client.pool as ConnectionPool | undefined;
    if (this.#closing || !pool) return { used: 0, idle: 0, waiting: 0 };
    return { used: pool.numUsed(), idle: pool.numFree(), waiting: pool.numPendingAcquires() };
  }

  close(): Promise<void> {
    this.#closing ??= this.sql.close();
    return this.#closing;
  }

  /** Throws nothing but the errors of the contract. */
  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new StoreUnavailableError(new Error('The store is closed.'));
    try {
      return await work();
    } catch (error) {
      throw translateError(error);
    }
  }

  /**
   * Inserts first, and reads only after a unique key was violated: a new message for a known box is one statement, which
   * is its own transaction. The violation alone does not decide what is a duplicate: the existing row is read for that.
   */
  async #insertNew(
    messages: readonly NewMessage[],
    withinTransaction: TransactionHook | undefined,
  ): Promise<StoreResult[]> {
    const duplicates = new Map<string, string | undefined>();
    const { firsts, repeats } = separateRepeats(messages);
    let remaining = firsts;
    let cursors = new Map<string, string>();
    for (let attempt = 1; remaining.length > 0 || withinTransaction !== undefined; attempt++) {
      const rows = await this.#resolveBoxIds(remaining);
      try {
        cursors = await this.#insert(rows, withinTransaction);
        break;
      } catch (error) {
        const kind = classifySqlError(error);
        if (attempt >= MAX_INSERT_ATTEMPTS || (kind !== 'duplicate' && kind !== 'missing-parent')) throw error;
        if (kind === 'missing-parent') for (const { message } of rows) this.#boxIds.evict(toBoxName(message));
        else remaining = await this.#removeExisting(remaining, duplicates);
      }
    }
    for (const message of messages) {
      const key = toMessageKey(message);
      if (message.upload === undefined || !duplicates.has(key)) continue;
      // To answer with success would lose the upload that its sender believes to have sent.
      if (await isNamedBy(this.sql, message, duplicates.get(key))) continue;
      throw new MessageIdTakenError(message.recipient, message.messageId);
    }
    return messages.map((message, index): StoreResult => {
      const key = toMessageKey(message);
      const outcome = repeats.has(index) || duplicates.has(key) ? 'duplicate' : 'stored';
      return { outcome, cursor: duplicates.get(key) ?? cursors.get(key) };
    });
  }

  /** @returns the row ids as cursors, by {@link toMessageKey}, as far as they are known */
  async #insert(
    rows: readonly MessageRow[],
    withinTransaction: TransactionHook | undefined,
  ): Promise<Map<string, string>> {
    const shared = this.storesBatchBodiesOnce ? findSharedBodies(rows.map(({ message }) => message)) : [];
    const statements = buildInsertStatements(rows, (time) => this.sql.toSqlTime(time), new Set(shared));
    const named = rows.find(({ message }) => message.upload !== undefined)?.message;
    if (named !== undefined && rows.length > 1) throw new TypeError('A message with an upload is stored alone.');
    let insertId: number | undefined;
    const insertRows = async (runner: SqlRunner) => {
      const bodyIds = await insertSharedBodies(runner, shared);
      for (const { sql, getValues } of statements) insertId = (await runner.write(sql, getValues(bodyIds))).insertId;
      if (named !== undefined) await nameUpload(runner, named, Number(insertId));
      await withinTransaction?.(
        runner,
        rows.map(({ message }) => message),
      );
    };
    const isOneStatement = statements.length === 1 && shared.length === 0;
    if (isOneStatement && withinTransaction === undefined && named === undefined) await insertRows(this.sql);
    else await this.sql.transaction(insertRows);
    const messages = rows.map(({ message }) => message);
    const [only] = messages;
    if (messages.length === 1 && only !== undefined) return new Map([[toMessageKey(only), String(insertId)]]);
    return this.#readCursors(messages);
  }

  /**
   * Reads the row ids of messages that are committed. A statement for several rows tells only one id, and servers may leave
   * gaps between the others. The messages are stored, so a failure must not make the call fail.
   */
  async #readCursors(messages: readonly NewMessage[]): Promise<Map<string, string>> {
    try {
      const stored = await findExistingMessages(this.sql, messages);
      return new Map([...stored].map(([key, { cursor }]) => [key, cursor]));
    } catch {
      return new Map();
    }
  }

  /** @throws {MessageIdTakenError} before it creates a box: a message that is refused leaves none */
  async #resolveBoxIds(messages: readonly NewMessage[]): Promise<MessageRow[]> {
    const boxes = messages.map(toBoxName);
    const found = await this.#boxIds.findAll(boxes);
    const missing = boxes.filter((name) => !found.has(toBoxKey(name)));
    if (missing.length > 0) {
      const existing = await findExistingMessages(this.sql, messages);
      for (const message of messages) isSameMessage(existing.get(toMessageKey(message)), message);
    }
    const created = await this.#boxIds.createAll(missing);
    return messages.map((message) => {
      const key = toBoxKey(toBoxName(message));
      return { message, boxId: (found.get(key) ?? created.get(key)) as number };
    });
  }

  /**
   * Adds the messages that the database has to `duplicates`, with their row ids, and returns the others, whose ids are free.
   */
  async #removeExisting(
    messages: readonly NewMessage[],
    duplicates: Map<string, string | undefined>,
  ): Promise<NewMessage[]> {
    await removeExpiredMessages(this.sql, messages);
    const existing = await findExistingMessages(this.sql, messages);
    return messages.filter((message) => {
      const key = toMessageKey(message);
      const found = existing.get(key);
      if (!isSameMessage(found, message)) return true;
      duplicates.set(key, found?.cursor);
      return false;
    });
  }

  async #deleteAll(recipient: string, messageIds: readonly string[]): Promise<number> {
    const owner = toBinaryName(recipient);
    const [only] = messageIds;
    if (only === undefined) return 0;
    if (openReceipts(this.sql) !== undefined) {
      return acknowledgeWithReceipts(this.sql, recipient, [...new Set(messageIds)]);
    }
    if (messageIds.length === 1) return (await this.sql.write(DELETE_ONE, [owner, toBinaryName(only)])).changes;
    // Sorted, so that two callers with the same ids don't deadlock.
    const ids = [...new Set(messageIds)].sort();
    const deleteIds = async (runner: SqlRunner) => {
      let deleted = 0;
      for (const chunk of chunks(ids.map(toBinaryName), DELETE_BATCH_SIZE)) {
        const sql = dynamic(`DELETE FROM messages WHERE recipient = ? AND messageId ${inList(chunk.length)}`);
        deleted += (await runner.write(sql, [owner, ...chunk])).changes;
      }
      return deleted;
    };
    return ids.length <= DELETE_BATCH_SIZE ? deleteIds(this.sql) : this.sql.transaction(deleteIds);
  }
}

function toBoxName({ recipient, messageBox }: NewMessage): BoxName {
  return { owner: recipient, box: messageBox };
}

/** The part of Knex's connection pool that is used here. */
interface ConnectionPool {
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

/**
 * Separates the messages that the batch has before. @returns the messages to be stored, and the places of the others
 *
 * @throws {MessageIdTakenError}
 */
function separateRepeats(messages: readonly NewMessage[]): { firsts: NewMessage[]; repeats: Set<number> } {
  const repeats = new Set<number>();
  if (messages.length === 1) return { firsts: [...messages], repeats };
  const first = new Map<string, NewMessage>();
  const firsts = messages.filter((message, index) => {
    const key = toMessageKey(message);
    const earlier = first.get(key);
    if (!earlier) {
      first.set(key, message);
      return true;
    }
    isSameMessage(earlier, message); // throws when it is another message with the same id
    repeats.add(index);
    return false;
  });
  return { firsts, repeats };
}

/**
 * Whether the existing message with the same id is this message.
 *
 * @throws {MessageIdTakenError} when it is another message
 */
function isSameMessage(
  existing: Pick<ExistingMessage, 'sender' | 'messageBox'> | undefined,
  message: NewMessage,
): boolean {
  if (existing === undefined) return false;
  if (existing.sender === message.sender && existing.messageBox === message.messageBox) return true;
  throw new MessageIdTakenError(message.recipient, message.messageId);
}
