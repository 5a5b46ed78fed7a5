/**
 * What recipients have decided about who may send to them, and at what price. One row for each recipient, box and sender,
 * or none of the senders in particular ("box-wide"). Reading never writes.
 *
 * Keys are 66 lower-case hex characters, checked by the rules; boxes compare byte by byte. Every call ends in a bounded
 * time and throws nothing but {@link StoreUnavailableError}.
 */
export interface PermissionStore {
  /**
   * Sets the one row, whether or not there is one. Of sets that race the last to commit wins, and all succeed.
   *
   * @throws {StoreUnavailableError} nothing was set, unless the connection was lost while committing
   */
  set(permission: PermissionKey & { readonly recipientFee: number }): Promise<void>;

  /** Exactly this row: a box-wide one does not stand in for a sender's. */
  get(key: PermissionKey): Promise<StoredPermission | undefined>;

  list(query: PermissionQuery): Promise<PermissionPage>;

  /**
   * What each of these recipients has said about this sender and box, in one query. Recipients without a row are absent
   * from the answer; most have none.
   */
  decisions(recipients: readonly string[], sender: string, messageBox: string): Promise<ReadonlyMap<string, Decisions>>;
}

/** A recipient's fee that says: not from this sender. */
export const BLOCKED = -1;

export interface PermissionKey {
  readonly recipient: string;
  /** Undefined: box-wide. */
  readonly sender: string | undefined;
  readonly messageBox: string;
}

export interface StoredPermission extends PermissionKey {
  /** -1: blocked; 0: always allowed; else satoshis. */
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
