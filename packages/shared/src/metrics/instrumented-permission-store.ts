import type {
  PermissionDecisions,
  PermissionKey,
  PermissionPage,
  PermissionQuery,
  PermissionStore,
  StoredPermission,
} from '@messagebox/store';
import type { Tracer } from '../tracing/tracer.js';
import type { Metrics } from './metrics.js';
import { StoreCalls } from './store-calls.js';

/** Wraps a permission store and times and traces its calls. */
export class InstrumentedPermissionStore implements PermissionStore {
  readonly #calls: StoreCalls;

  constructor(
    private readonly store: PermissionStore,
    metrics: Metrics,
    tracer?: Tracer,
  ) {
    this.#calls = new StoreCalls(metrics, tracer);
  }

  set(permission: PermissionKey & { readonly recipientFee: number }): Promise<void> {
    return this.#calls.run('setPermission', () => this.store.set(permission));
  }

  get(key: PermissionKey): Promise<StoredPermission | undefined> {
    return this.#calls.run('getPermission', () => this.store.get(key));
  }

  list(query: PermissionQuery): Promise<PermissionPage> {
    return this.#calls.run('listPermissions', () => this.store.list(query));
  }

  decisions(
    recipients: readonly string[],
    sender: string,
    messageBox: string,
  ): Promise<ReadonlyMap<string, PermissionDecisions>> {
    return this.#calls.run('readPermissions', () => this.store.decisions(recipients, sender, messageBox));
  }
}
