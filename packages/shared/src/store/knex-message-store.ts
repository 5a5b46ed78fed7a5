import { BoxIds } from './box-ids.js';
import { listPage, parseCursor } from './list-page.js';
import { type ExistingMessage, findExisting, idKey, insertStatements, type MessageRow } from './message-rows.js';
import type {
  Alongside,
  ConnectionCounts,
  ListQuery,
  MessagePage,
  MessageStore,
  NewMessage,
  RequestClaim,
  SchemaStatus,
  StoreOutcome,
} from './message-store.js';
import { type MigrateOptions, migrate, schemaStatus } from './migrate.js';
import { RequestClaims } from './request-claims.js';
import { retryContention } from './retry-contention.js';
import { encodeName, fixed, type SqlClient, type SqlRunner, varying } from './sql-client.js';
import { MessageIdTakenError, StoreUnavailableError } from './store-errors.js';
import { sqlErrorKind, translateError } from './translate-error.js';

const PING = fixed('SELECT 1 AS pong');
const DELETE_ONE = fixed('DELETE FROM messages WHERE recipient = ? AND messageId = ?');
const IDS_PER_DELETE = 1_000;
/** How often a batch may meet a row that is there when it inserts and gone when it looks. */
const MAX_INSERT_ATTEMPTS = 10;

/** {@link MessageStore} on MySQL, MariaDB and SQLite. Made by `openStore`. */
export class KnexMessageStore implements MessageStore {
  readonly dialect: 'mysql' | 'sqlite';
  private readonly boxes: BoxIds;
  private readonly claims: RequestClaims;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly sql: SqlClient,
    private readonly migrateOptions: MigrateOptions,
  ) {
    this.dialect = sql.dialect;
    this.boxes = new BoxIds(sql);
    this.claims = new RequestClaims(sql);
  }

  storeMessages(messages: readonly NewMessage[], alongside?: Alongside): Promise<StoreOutcome[]> {
    return this.guard(() => retryContention(() => this.insertNew(messages, alongside)));
  }

  areStored(messages: readonly NewMessage[]): Promise<boolean[]> {
    return this.guard(async () => {
      const existing = await findExisting(this.sql, messages);
      return messages.map((message) => isSame(existing.get(idKey(message)), message));
    });
  }

  async listMessages(query: ListQuery): Promise<MessagePage> {
    const after = parseCursor(query.after);
    return this.guard(() => listPage(this.sql, query, after));
  }

  acknowledgeMessages(recipient: string, messageIds: readonly string[]): Promise<number> {
    return this.guard(() => retryContention(() => this.deleteAll(recipient, messageIds)));
  }

  claimRequest(claim: RequestClaim): Promise<boolean> {
    return this.guard(() => this.claims.claim(claim));
  }

  purgeClaims(now: Date, limit: number): Promise<number> {
    const statement = this.sql.phrases.purgeClaims(Math.max(0, Math.trunc(limit)));
    return this.guard(() =>
      retryContention(async () => (await this.sql.write(statement, [this.sql.time(now)])).changes),
    );
  }

  ping(): Promise<void> {
    return this.guard(async () => {
      await this.sql.read(PING, []);
    });
  }

  schemaStatus(): Promise<SchemaStatus> {
    return this.guard(() => schemaStatus(this.sql));
  }

  migrate(): Promise<string[]> {
    return this.guard(() => migrate(this.sql, this.migrateOptions));
  }

  connections(): ConnectionCounts {
    const pool = this.sql.knex.client.pool as ConnectionPool | undefined;
    if (this.closing || !pool) return { used: 0, idle: 0, waiting: 0 };
    return { used: pool.numUsed(), idle: pool.numFree(), waiting: pool.numPendingAcquires() };
  }

  close(): Promise<void> {
    this.closing ??= this.sql.close();
    return this.closing;
  }

  /** Nothing but the contract's errors leaves. */
  private async guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.closing) throw new StoreUnavailableError(new Error('The store is closed.'));
    try {
      return await work();
    } catch (error) {
      throw translateError(error);
    }
  }

  /**
   * Inserts first and asks questions only when a unique key says so: a new message for a known box is one statement,
   * which is its own transaction. A duplicate is never guessed from that refusal but read from the row that is there.
   */
  private async insertNew(messages: readonly NewMessage[], alongside: Alongside | undefined): Promise<StoreOutcome[]> {
    const outcomes = messages.map((): StoreOutcome => 'stored');
    let remaining = withoutRepeats(messages, outcomes);
    for (let attempt = 1; remaining.length > 0 || alongside !== undefined; attempt++) {
      const rows = await this.withBoxes(remaining.map(({ message }) => message));
      try {
        await this.insert(rows, alongside);
        break;
      } catch (error) {
        const kind = sqlErrorKind(error);
        if (attempt >= MAX_INSERT_ATTEMPTS || (kind !== 'duplicate' && kind !== 'missing-parent')) throw error;
        if (kind === 'missing-parent')
          for (const { message } of rows) this.boxes.forget(message.recipient, message.messageBox);
        else remaining = await this.withoutExisting(remaining, outcomes);
      }
    }
    return outcomes;
  }

  private async insert(rows: readonly MessageRow[], alongside: Alongside | undefined): Promise<void> {
    const statements = insertStatements(rows);
    const run = async (runner: SqlRunner) => {
      for (const { sql, values } of statements) await runner.write(sql, values);
      await alongside?.(
        runner,
        rows.map(({ message }) => message),
      );
    };
    if (statements.length === 1 && alongside === undefined) await run(this.sql);
    else await this.sql.transaction(run);
  }

  private async withBoxes(messages: readonly NewMessage[]): Promise<MessageRow[]> {
    const rows: MessageRow[] = [];
    for (const message of messages) {
      const { recipient, messageBox } = message;
      const known = this.boxes.recall(recipient, messageBox);
      rows.push({ message, boxId: known ?? (await this.boxes.findOrCreate(recipient, messageBox)) });
    }
    return rows;
  }

  /** Marks those that the database has as duplicates and returns the others. */
  private async withoutExisting(numbered: readonly Numbered[], outcomes: StoreOutcome[]): Promise<Numbered[]> {
    const existing = await findExisting(
      this.sql,
      numbered.map(({ message }) => message),
    );
    return numbered.filter(({ index, message }) => {
      if (!isSame(existing.get(idKey(message)), message)) return true;
      outcomes[index] = 'duplicate';
      return false;
    });
  }

  private async deleteAll(recipient: string, messageIds: readonly string[]): Promise<number> {
    const owner = encodeName(recipient);
    const [only] = messageIds;
    if (only === undefined) return 0;
    if (messageIds.length === 1) return (await this.sql.write(DELETE_ONE, [owner, encodeName(only)])).changes;
    // In one order for everybody, so that two callers with the same ids don't deadlock.
    const ids = [...new Set(messageIds)].sort();
    const run = async (runner: SqlRunner) => {
      let deleted = 0;
      for (let start = 0; start < ids.length; start += IDS_PER_DELETE) {
        const chunk = ids.slice(start, start + IDS_PER_DELETE).map(encodeName);
        const places = chunk.map(() => '?').join(', ');
        const sql = varying(`DELETE FROM messages WHERE recipient = ? AND messageId IN (${places})`);
        deleted += (await runner.write(sql, [owner, ...chunk])).changes;
      }
      return deleted;
    };
    return ids.length <= IDS_PER_DELETE ? run(this.sql) : this.sql.transaction(run);
  }
}

/** The part of Knex's pool that is read here. */
interface ConnectionPool {
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

/** A message and its place in the batch. */
interface Numbered {
  readonly index: number;
  readonly message: NewMessage;
}

/** Settles ids that the batch itself carries twice: the later of two equal messages is the duplicate. */
function withoutRepeats(messages: readonly NewMessage[], outcomes: StoreOutcome[]): Numbered[] {
  const numbered = messages.map((message, index) => ({ index, message }));
  if (messages.length === 1) return numbered;
  const first = new Map<string, NewMessage>();
  return numbered.filter(({ index, message }) => {
    const key = idKey(message);
    const earlier = first.get(key);
    if (!earlier) {
      first.set(key, message);
      return true;
    }
    isSame(earlier, message);
    outcomes[index] = 'duplicate';
    return false;
  });
}

/**
 * Whether what is there under the message's id is the message itself.
 *
 * @throws {MessageIdTakenError} when it is another one
 */
function isSame(existing: ExistingMessage | undefined, message: NewMessage): boolean {
  if (existing === undefined) return false;
  if (existing.sender === message.sender && existing.messageBox === message.messageBox) return true;
  throw new MessageIdTakenError(message.recipient, message.messageId);
}
