/**
 * The decisions of recipients about who may send to them, and at what price. There is one row for each recipient, box and
 * sender, or for all senders ("box-wide"). Reading never writes.
 *
 * Keys are 66 lower-case hex characters, checked by the rules. Boxes compare byte by byte. Every call ends in a bounded time
 * and, unless documented otherwise, throws nothing but {@link StoreUnavailableError}.
 */
export interface PermissionStore {
  /**
   * Inserts or updates the row of this key. Concurrent calls all succeed, and the last one to commit wins. Without `receipts`,
   * what is set about receipts stays.
   *
   * @throws {TooManyPermissionsError} when a new row would exceed the recipient's limit; nothing was set
   * @throws {StoreUnavailableError} nothing was set, unless the connection was lost during the commit
   */
  set(permission: NewPermission): Promise<void>;

  /** Reads the row of exactly this key: a box-wide row does not count for a sender. */
  get(key: PermissionKey): Promise<StoredPermission | undefined>;

  /**
   * Lists a recipient's rows, of one box or of all boxes. A list of all boxes leaves out box names that clients refuse to
   * read: longer than {@link MAX_LISTED_BOX_BYTES}, with control characters (U+0000 to U+001F, U+007F to U+009F), or with
   * whitespace at an end. Rows whose sender is not an identity key, which another server may have left, are never listed.
   * `total` counts the rows that can be listed.
   */
  list(query: PermissionQuery): Promise<PermissionPage>;

  /**
   * Reads the recipients' decisions about this sender and box, in one query. Recipients without a row, which is most of
   * them, are not in the result.
   */
  decisions(
    recipients: readonly string[],
    sender: string,
    messageBox: string,
  ): Promise<ReadonlyMap<string, PermissionDecisions>>;
}

/** Most permissions of one recipient. Existing ones can always be changed. */
export const MAX_PERMISSIONS = 10_000;

/** The recipient's fee that blocks a sender. */
export const BLOCKED = -1;
/** The largest fee of a recipient or of the server, in satoshis: clients refuse an answer with a larger one. */
export const MAX_FEE = 2_147_483_647;

/** Brings a stored fee, which another version may have written, into the valid range. @param min the smallest valid fee */
export function clampFee(stored: unknown, min: number): number {
  return Math.min(MAX_FEE, Math.max(min, Number(stored)));
}

/** Most UTF-8 bytes of a box name that clients read in a list of permissions. */
export const MAX_LISTED_BOX_BYTES = 128;

/** The key of a permission. */
export interface PermissionKey {
  readonly recipient: string;
  /** Undefined: box-wide. */
  readonly sender: string | undefined;
  readonly messageBox: string;
}

/** A permission to be stored. */
export interface NewPermission extends PermissionKey {
  readonly recipientFee: number;
  /** See {@link StoredPermission.receipts}. Null: not decided. Undefined: as it is. */
  readonly receipts?: boolean | null | undefined;
}

/** A permission as it is stored. */
export interface StoredPermission extends PermissionKey {
  /** -1: blocked; 0: always allowed; else satoshis, up to {@link MAX_FEE}. */
  readonly recipientFee: number;
  /** Whether senders may be told what becomes of their messages. Undefined: not decided here. */
  readonly receipts: boolean | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A page of a recipient's permissions to be listed. */
export interface PermissionQuery {
  readonly recipient: string;
  /** Undefined: all boxes. */
  readonly messageBox: string | undefined;
  readonly limit: number;
  readonly offset: number;
  /** The order by time of creation. */
  readonly order: 'asc' | 'desc';
}

/** A page of a recipient's permissions. */
export interface PermissionPage {
  readonly permissions: StoredPermission[];
  /** The number of permissions on all pages. */
  readonly total: number;
}

/** A recipient's fees as in {@link StoredPermission}; undefined where there is no row. */
export interface PermissionDecisions {
  readonly forSender: number | undefined;
  readonly boxWide: number | undefined;
}
