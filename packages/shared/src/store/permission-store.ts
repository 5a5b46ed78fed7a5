/**
 * What recipients have decided about who may send to them, and at what price. One row for each recipient, box and sender,
 * or none of the senders in particular ("box-wide"). Reading never writes.
 *
 * Keys are 66 lower-case hex characters, checked by the rules; boxes compare byte by byte. Every call ends in a bounded
 * time and throws, unless it says otherwise, nothing but {@link StoreUnavailableError}.
 */
export interface PermissionStore {
  /**
   * Sets the one row, whether or not there is one. Of sets that race the last to commit wins, and all succeed.
   *
   * @throws {TooManyPermissionsError} when it would be one more of this recipient's than may be; nothing was set
   * @throws {StoreUnavailableError} nothing was set, unless the connection was lost while committing
   */
  set(permission: PermissionKey & { readonly recipientFee: number }): Promise<void>;

  /** Exactly this row: a box-wide one does not stand in for a sender's. */
  get(key: PermissionKey): Promise<StoredPermission | undefined>;

  /**
   * A recipient's rows, of one box or of all. Of all, without those whose box has a name that clients refuse to read: more
   * than {@link MAX_LISTED_BOX_BYTES}, control characters (U+0000 to U+001F, U+007F to U+009F), or whitespace at an end.
   * Rows whose sender is no identity key, as another server may have left them, are never listed. `total` counts what
   * can be listed.
   */
  list(query: PermissionQuery): Promise<PermissionPage>;

  /**
   * What each of these recipients has said about this sender and box, in one query. Recipients without a row are absent
   * from the answer; most have none.
   */
  decisions(recipients: readonly string[], sender: string, messageBox: string): Promise<ReadonlyMap<string, Decisions>>;
}

/** Permissions that are kept of one recipient. Those that are there can always be changed. */
export const MAX_PERMISSIONS = 10_000;

/** A recipient's fee that says: not from this sender. */
export const BLOCKED = -1;
/** Satoshis of the largest fee, of a recipient or of the server: clients take no answer that holds a larger one. */
export const MAX_FEE = 2_147_483_647;

/** A fee as it is read, whatever another version has stored. @param least what the kind of fee begins with */
export function clampFee(stored: unknown, least: number): number {
  return Math.min(MAX_FEE, Math.max(least, Number(stored)));
}

/** Bytes of UTF-8 of a box's name that clients read in a list of permissions. */
export const MAX_LISTED_BOX_BYTES = 128;

export interface PermissionKey {
  readonly recipient: string;
  /** Undefined: box-wide. */
  readonly sender: string | undefined;
  readonly messageBox: string;
}

export interface StoredPermission extends PermissionKey {
  /** -1: blocked; 0: always allowed; else satoshis, up to {@link MAX_FEE}. */
  readonly recipientFee: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface PermissionQuery {
  readonly recipient: string;
  /** Undefined: all boxes. */
  readonly messageBox: string | undefined;
  readonly limit: number;
  readonly offset: number;
  /** By the time of creation. */
  readonly order: 'asc' | 'desc';
}

export interface PermissionPage {
  readonly permissions: StoredPermission[];
  /** Of all pages. */
  readonly total: number;
}

/** Fees as in {@link StoredPermission}; undefined where there is no such row. */
export interface Decisions {
  readonly forSender: number | undefined;
  readonly boxWide: number | undefined;
}
