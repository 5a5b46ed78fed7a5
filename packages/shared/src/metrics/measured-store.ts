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
} from '../store/index.js';
import type { Metrics } from './metrics.js';

/** A store that counts and times what goes through it, and is otherwise the one it wraps. */
export class MeasuredStore implements MessageStore {
  constructor(
    private readonly store: MessageStore,
    private readonly metrics: Metrics,
  ) {
    metrics.gauges(
      'messagebox_database_connections',
      'Connections to the database, and calls that wait for one.',
      'state',
      () => ({
        ...store.connections(),
      }),
    );
  }

  get dialect(): 'mysql' | 'sqlite' {
    return this.store.dialect;
  }

  async storeMessages(messages: readonly NewMessage[], alongside?: Alongside): Promise<StoreOutcome[]> {
    const outcomes = await this.metrics.timeStore('storeMessages', () => this.store.storeMessages(messages, alongside));
    for (const outcome of outcomes) this.metrics.messages.inc({ outcome });
    return outcomes;
  }

  areStored(messages: readonly NewMessage[]): Promise<boolean[]> {
    return this.metrics.timeStore('areStored', () => this.store.areStored(messages));
  }

  async listMessages(query: ListQuery): Promise<MessagePage> {
    const page = await this.metrics.timeStore('listMessages', () => this.store.listMessages(query));
    this.metrics.messages.inc({ outcome: 'listed' }, page.messages.length);
    return page;
  }

  async acknowledgeMessages(recipient: string, messageIds: readonly string[]): Promise<number> {
    const deleted = await this.metrics.timeStore('acknowledgeMessages', () =>
      this.store.acknowledgeMessages(recipient, messageIds),
    );
    this.metrics.messages.inc({ outcome: 'acknowledged' }, deleted);
    return deleted;
  }

  claimRequest(claim: RequestClaim): Promise<boolean> {
    return this.metrics.timeStore('claimRequest', () => this.store.claimRequest(claim));
  }

  purgeClaims(now: Date, limit: number): Promise<number> {
    return this.store.purgeClaims(now, limit);
  }

  ping(): Promise<void> {
    return this.metrics.timeStore('ping', () => this.store.ping());
  }

  schemaStatus(): Promise<SchemaStatus> {
    return this.store.schemaStatus();
  }

  migrate(): Promise<string[]> {
    return this.store.migrate();
  }

  connections(): ConnectionCounts {
    return this.store.connections();
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
