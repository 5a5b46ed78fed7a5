import type { SqlRunner } from './sql-client.js';

/**
 * What the rules may ask of a store. Two implementations of SQL dialect stand behind it (MySQL/MariaDB and SQLite);
 * one suite holds both to these promises (`store-suite.ts` in `tests/`).
 *
 * Promises:
 * - A call that resolves has committed. A call that rejects has changed nothing, with one exception that no network
 *   allows to avoid: when the connection is lost while the database commits, the change may have been made. Storing,
 *   acknowledging and migrating again are harmless.
 * - A call ends in a bounded time, also when the database hangs.
 * - Message ids, box names and identity keys compare byte by byte: no case folding, no accents, no padding.
 * - Errors are those of `store-errors.ts` only, whatever the database said; its own error is the `cause`.
 */
export interface MessageStore {
  /** Which database this is, for start-up lines and health reports. */
  readonly dialect: 'mysql' | 'sqlite';

  /**
   * Stores a batch in one transaction, all or nothing, in the order given.
   *
   * A message that is already there (same recipient, id, sender and box) is left as it is and reported as
   * `'duplicate'`, also when the earlier one is in this same batch. The recipient's box is created when it is missing;
   * many first sends at once are safe.
   *
   * @param alongside writes more in the same transaction. It is told which messages are new (perhaps none), may run
   *   several times of which one is committed, and undoes everything by throwing.
   * @returns one outcome for each message, in the order given
   * @throws {MessageIdTakenError} when the recipient already has that id from another sender or in another box (or in
   *   none, as the reference server has left some); nothing of the batch is stored
   * @throws {StoreUnavailableError} when the database can't be reached or stays contended after the built-in retries
   */
  storeMessages(messages: readonly NewMessage[], alongside?: Alongside): Promise<StoreOutcome[]>;

  /**
   * Which of these messages are there already, by recipient, id, sender and box.
   *
   * @returns true or false for each message, in the order given
   * @throws {MessageIdTakenError} when a recipient has such an id from another sender or in another box
   * @throws {StoreUnavailableError}
   */
  areStored(messages: readonly NewMessage[]): Promise<boolean[]>;

  /**
   * The recipient's messages in one box, oldest first, in the order of storing.
   *
   * Stops after `limit` messages or before the message whose body would take the sum of bodies over `maxBytes` (the
   * first message is always returned), and then says `hasMore: true`. An unknown box is an empty list, and so is an
   * offset beyond the last message. Bodies that the page has no room for are not read.
   *
   * @throws {TypeError} when `after` is not a decimal integer
   * @throws {StoreUnavailableError}
   */
  listMessages(query: ListQuery): Promise<MessagePage>;

  /**
   * Deletes those of `messageIds` that are this recipient's, in whichever box, in one transaction.
   *
   * @returns how many were deleted; 0 when none was the recipient's
   * @throws {StoreUnavailableError}
   */
  acknowledgeMessages(recipient: string, messageIds: readonly string[]): Promise<number>;

  /**
   * Marks a signed request as used, durably and for all instances on this database.
   *
   * @returns true the first time, false ever after until `expiresAt` (a captured request that is sent again)
   * @throws {StoreUnavailableError}
   */
  claimRequest(claim: RequestClaim): Promise<boolean>;

  /** Deletes claims that expired before `now`, at most `limit`. Returns how many. */
  purgeClaims(now: Date, limit: number): Promise<number>;

  /** Whether the database answers: resolves, or throws {@link StoreUnavailableError}. */
  ping(): Promise<void>;

  /** Compares the database's schema with what this code needs. Never changes it. */
  schemaStatus(): Promise<SchemaStatus>;

  /**
   * Runs pending migrations. Safe when several instances call it at once: one works, the others wait for it.
   *
   * @returns the names that this call has run
   * @throws {MigrationError} when a newer version has migrated the database, when a lock stays held (its message says
   *   how to release it), or when a migration fails; running again takes up what an interrupted one has left
   * @throws {StoreUnavailableError}
   */
  migrate(): Promise<string[]>;

  /** Connections to the database at this moment, and calls that wait for one. */
  connections(): ConnectionCounts;

  /** Closes connections. Further calls throw {@link StoreUnavailableError}. Safe to call twice. */
  close(): Promise<void>;
}

/** All fields already checked by the rules: well-formed, within length, keys normalised. */
export interface NewMessage {
  /** 66 lower-case hex characters. */
  readonly recipient: string;
  readonly messageBox: string;
  readonly messageId: string;
  /** 66 lower-case hex characters. */
  readonly sender: string;
  readonly body: string;
}

/** Writes that belong to the storing of messages; see {@link MessageStore.storeMessages}. */
export type Alongside = (runner: SqlRunner, stored: readonly NewMessage[]) => Promise<void>;

export type StoreOutcome = 'stored' | 'duplicate';

export interface ListQuery {
  readonly recipient: string;
  readonly messageBox: string;
  /**
   * Only messages after the one with this cursor (`StoredMessage.cursor`). Meant for walking through one listing, page
   * by page. Of two sends at the same moment the one with the smaller cursor may commit later, behind a reader who has
   * passed it: who must see everything lists from the start again, which shows all that isn't acknowledged yet.
   */
  readonly after?: string;
  /**
   * Leaves out so many of the oldest messages (of those after `after`). Positions move when messages are acknowledged
   * between two pages.
   */
  readonly offset?: number;
  /** Only the message with this id: it is in the box, or the page is empty. */
  readonly messageId?: string;
  readonly limit?: number;
  /** Bound on the sum of the UTF-8 bytes of the bodies. */
  readonly maxBytes: number;
}

export interface StoredMessage {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Position in the order of storing: a decimal integer, opaque to clients. */
  readonly cursor: string;
}

export interface MessagePage {
  readonly messages: StoredMessage[];
  readonly hasMore: boolean;
}

export interface RequestClaim {
  /** SHA-256 over what makes the request unique. 32 bytes. */
  readonly key: Uint8Array;
  /** When a replay would be refused for its age anyway. */
  readonly expiresAt: Date;
}

export interface ConnectionCounts {
  readonly used: number;
  readonly idle: number;
  readonly waiting: number;
}

export interface SchemaStatus {
  /** No pending migration. */
  readonly current: boolean;
  readonly pending: string[];
  /** Migrations that the database has and this code doesn't know: a newer version has been here. */
  readonly unknown: string[];
}
