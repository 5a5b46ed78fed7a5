import type { SqlRunner } from '../client/sql-client.js';

/**
 * The store of messages, as the rules use it, on MySQL, MariaDB or SQLite. One suite tests these promises on each of them
 * (`store-suite.ts` in `tests/store`).
 *
 * Promises:
 * - A call that resolves has committed. A call that rejects has changed nothing, with one unavoidable exception: when the
 *   connection is lost during a commit, the change may have been made. Storing, acknowledging and migrating again are
 *   harmless.
 * - A call ends in a bounded time, even when the database hangs.
 * - Message ids, box names and identity keys compare byte by byte: no case folding, no accents, no padding.
 * - Only errors of `store-errors.ts` are thrown. The database's own error is the `cause`.
 */
export interface MessageStore {
  /** The kind of database, for log lines and health reports. */
  readonly engine: 'mysql' | 'sqlite';

  /**
   * Stores a batch in one transaction, all or nothing, in the order given.
   *
   * A message that is stored already (same recipient, id, sender and box) stays as it is, with its own expiry, and is
   * reported as `'duplicate'`, also when the earlier one is in the same batch. One that has expired counts as not stored. The recipient's box is created when it is missing; concurrent first
   * sends are safe.
   *
   * @param withinTransaction writes more in the same transaction. It gets the new messages (perhaps none), may run several
   *   times, of which one is committed, and rolls everything back by throwing.
   * @returns one result for each message, in the order given
   * @throws {MessageIdTakenError} when the recipient already has that id from another sender or in another box (or in no
   *   box, as the reference server has left some); nothing of the batch is stored. Also when the message is stored already,
   *   and its upload is another one
   * @throws {UploadUnavailableError} when the upload of a message is not its sender's, has expired, or belongs to another
   *   message; nothing of the batch is stored
   * @throws {StoreUnavailableError} when the database can't be reached or stays contended after the built-in retries
   */
  storeMessages(messages: readonly NewMessage[], withinTransaction?: TransactionHook): Promise<StoreResult[]>;

  /**
   * Whether each of these messages is stored already and has not expired, by recipient, id, sender and box.
   *
   * @returns true or false for each message, in the order given
   * @throws {MessageIdTakenError} when a recipient has one of the ids from another sender or in another box
   * @throws {StoreUnavailableError}
   */
  areStored(messages: readonly NewMessage[]): Promise<boolean[]>;

  /**
   * The recipient's messages in one box that have not expired, oldest first, in the order of storing.
   *
   * Stops after `limit` messages, or before the message whose body would take the sum of bodies over `maxBytes` (the first
   * message is always returned), and returns `hasMore: true` then. The list is empty for an unknown box and for an offset
   * beyond the last message. Bodies that don't fit into the page are not read.
   *
   * @throws {TypeError} when `after` is not a decimal integer
   * @throws {StoreUnavailableError}
   */
  listMessages(query: ListQuery): Promise<MessagePage>;

  /**
   * The names of the boxes of an identity, those that were created last first. Boxes are created by messages, and removed some
   * time after the last one.
   *
   * @throws {StoreUnavailableError}
   */
  listBoxNames(owner: string, limit: number): Promise<string[]>;

  /**
   * Messages of all recipients in the order of their row ids, without their bodies: for finding live events that were lost.
   *
   * Row ids are given out before the commit. So a message may appear later with a lower id than one that was returned.
   * Bodies are not read. Messages that have expired are among them.
   *
   * @throws {StoreUnavailableError}
   */
  listHeaders(query: HeaderQuery): Promise<MessageHeader[]>;

  /**
   * The stored bodies by row id. Messages that were acknowledged or have expired meanwhile are missing, and those with an upload.
   *
   * @param ids row ids of {@link MessageHeader.id}. The caller bounds the sum of their `bodyBytes`
   * @param bytes that sum, if the caller knows it. SQLite reads many bytes without blocking the event loop
   * @throws {StoreUnavailableError}
   */
  readBodies(ids: readonly number[], bytes?: number): Promise<Map<number, string>>;

  /**
   * The highest row id of the messages that are stored now; 0 without messages. It falls when the newest are acknowledged.
   *
   * @throws {StoreUnavailableError}
   */
  findNewestId(): Promise<number>;

  /**
   * A row id that was given out at least `ms` before that of another message, and with it all lower ones. So when no send
   * takes longer than `ms` to commit, all messages up to it were committed before that other message was.
   *
   * @param id a row id. Where it has no message, the next lower one that has counts
   * @returns 0 when there is none
   * @throws {StoreUnavailableError}
   */
  findEarlierId(id: number, ms: number): Promise<number>;

  /**
   * Deletes the messages with these ids that are this recipient's, in any box, in one transaction.
   *
   * @returns the number of deleted messages; 0 when none was the recipient's
   * @throws {StoreUnavailableError}
   */
  acknowledgeMessages(recipient: string, messageIds: readonly string[]): Promise<number>;

  /**
   * Marks a signed request as used, durably and for all instances on this database.
   *
   * @returns true the first time; false until `expiresAt` for the same request sent again
   * @throws {StoreUnavailableError}
   */
  claimRequest(claim: RequestClaim): Promise<boolean>;

  /** Deletes at most `limit` claims that expired before `now`. @returns the number of deleted claims */
  purgeClaims(now: Date, limit: number): Promise<number>;

  /** Resolves when the database answers. @throws {StoreUnavailableError} */
  ping(): Promise<void>;

  /** Compares the database's schema with what this code needs. Never changes it. */
  getSchemaStatus(): Promise<SchemaStatus>;

  /**
   * Runs pending migrations. Several instances may call it at the same time: one migrates, the others wait for it.
   *
   * @returns the names of the migrations that this call has run
   * @throws {MigrationError} when a newer version has migrated the database, when the lock stays held (the message says how
   *   to release it), or when a migration fails; the next call continues an interrupted one
   * @throws {StoreUnavailableError}
   */
  migrate(): Promise<string[]>;

  /** Connections to the database now, and calls that wait for one. */
  connections(): ConnectionCounts;

  /** Closes connections. Further calls throw {@link StoreUnavailableError}. Safe to call twice. */
  close(): Promise<void>;
}

/** A message to be stored. The rules have checked all fields: form, length, and normalised keys. */
export interface NewMessage {
  /** 66 lower-case hex characters. */
  readonly recipient: string;
  readonly messageBox: string;
  readonly messageId: string;
  /** 66 lower-case hex characters. */
  readonly sender: string;
  readonly body: string;
  /** When the message expires, in whole seconds. Undefined: when it is acknowledged. See `message-expiry.ts`. */
  readonly expiresAt?: Date | undefined;
  /** Whether a payment for the recipient is stored with it. Then it never expires. Default: false. */
  readonly carriesPayment?: boolean | undefined;
  /** Whether no device is told of it. Not stored with the message. Default: false. */
  readonly isSilent?: boolean | undefined;
  /** The sender's upload that belongs to it. A batch with one has no other message. */
  readonly upload?: MessageUpload | undefined;
}

/** The upload of a message that is to be stored. */
export interface MessageUpload {
  readonly uploadId: string;
  readonly bytes: number;
}

/** The upload of a stored message. */
export interface StoredUpload extends MessageUpload {
  /** 64 lower-case hex characters. */
  readonly sha256: string;
}

/** Writes in the transaction that stores messages; see {@link MessageStore.storeMessages}. */
export type TransactionHook = (runner: SqlRunner, stored: readonly NewMessage[]) => Promise<void>;

/** The outcome for each message that was to be stored. */
export type StoreOutcome = 'stored' | 'duplicate';

/** The outcome for a message that was to be stored. */
export interface StoreResult {
  readonly outcome: StoreOutcome;
  /**
   * The row id as in {@link StoredMessage.cursor}, of the earlier row for a duplicate. Undefined when the row was
   * acknowledged at once, or could not be read after the commit.
   */
  readonly cursor: string | undefined;
}

/** A page of a box to be listed. */
export interface ListQuery {
  readonly recipient: string;
  readonly messageBox: string;
  /**
   * Only messages after the one with this cursor (`StoredMessage.cursor`), in order to read a box page by page. When two
   * sends are concurrent, the one with the smaller cursor may commit last, so a reader that has passed it misses it. A
   * reader that must see everything lists from the start again, which shows every message that isn't acknowledged.
   */
  readonly after?: string;
  /**
   * Leaves out this many of the oldest messages (after `after`). Positions move when messages are acknowledged between two
   * pages.
   */
  readonly offset?: number;
  /** Only the message with this id. The page is empty when the box doesn't have it. */
  readonly messageId?: string;
  readonly limit?: number;
  /** Limit of the sum of the bodies, in UTF-8 bytes. */
  readonly maxBytes: number;
  /** Leaves large bodies to `readBodies`, so that the caller can choose the time: see {@link StoredMessage.unreadBytes}. */
  readonly leavesOutLargeBodies?: boolean;
}

/** A message as it is stored. */
export interface StoredMessage {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
  /** The size of a body that was left out, in UTF-8 bytes; `body` is empty then. Only on request. */
  readonly unreadBytes?: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The expiry that its sender has set; undefined for one that has none, or that carries a payment. */
  readonly expiresAt?: Date | undefined;
  /** The upload that belongs to it. */
  readonly upload?: StoredUpload | undefined;
  /** Position in the order of storing: a decimal integer, opaque to clients. */
  readonly cursor: string;
}

/** Which headers to list. */
export interface HeaderQuery {
  /** Only messages with a higher row id. */
  readonly after: number;
  /** Only messages with this row id or a lower one. Default: no end. */
  readonly upTo?: number;
  /** At least 1. */
  readonly limit: number;
}

/** A stored message without its body. */
export interface MessageHeader {
  /** The row id, whose decimal text is {@link StoredMessage.cursor}. */
  readonly id: number;
  readonly recipient: string;
  /** Undefined for a message whose box was deleted, which the reference server allowed. */
  readonly messageBox: string | undefined;
  readonly messageId: string;
  readonly sender: string;
  /** Bytes of the stored body, in UTF-8, and of the upload. */
  readonly bodyBytes: number;
}

/** A page of a box. */
export interface MessagePage {
  readonly messages: StoredMessage[];
  readonly hasMore: boolean;
}

/** The use of a signed request. */
export interface RequestClaim {
  /** SHA-256 over the parts that make the request unique. 32 bytes. */
  readonly key: Uint8Array;
  /** From then on a replay is refused because of its age. */
  readonly expiresAt: Date;
}

/** Connections of the pool, and calls that wait for one. */
export interface ConnectionCounts {
  readonly used: number;
  readonly idle: number;
  readonly waiting: number;
}

/** The database's schema, compared with the migrations of this code. */
export interface SchemaStatus {
  /** Whether no migration is pending. */
  readonly current: boolean;
  readonly pending: string[];
  /** Migrations of the database that this code doesn't know, because a newer version has run them. */
  readonly unknown: string[];
}
