import type {
  Decisions,
  PermissionKey,
  PermissionPage,
  PermissionQuery,
  PermissionStore,
  StoredPermission,
} from '../store/index.js';
import type { Metrics } from './metrics.js';

/** A permission store that times what goes through it, and is otherwise the one it wraps. */
export class MeasuredPermissions implements PermissionStore {
  constructor(
    private readonly store: PermissionStore,
    private readonly metrics: Metrics,
  ) {}

  set(permission: PermissionKey & { readonly recipientFee: number }): Promise<void> {
    return this.metrics.timeStore('setPermission', () => this.store.set(permission));
  }

  get(key: PermissionKey): Promise<StoredPermission | undefined> {
    return this.metrics.timeStore('getPermission', () => this.store.get(key));
  }

  list(query: PermissionQuery): Promise<PermissionPage> {
    return this.metrics.timeStore('listPermissions', () => this.store.list(query));
  }

  decisions(
    recipients: readonly string[],
    sender: string,
    messageBox: string,
  ): Promise<ReadonlyMap<string, Decisions>> {
    return this.metrics.timeStore('readPermissions', () => this.store.decisions(recipients, sender, messageBox));
  }
}
