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
} from '@messagebox/store';
import type { Tracer } from '../tracing/tracer.js';
import type { Metrics } from './metrics.js';
import { StoreCalls } from './store-calls.js';

/** Wraps a message store, and counts, times and traces its calls. */
export class InstrumentedMessageStore implements MessageStore {
  readonly #calls: StoreCalls;

  constructor(
    private readonly store: MessageStore,
    private readonly metrics: Metrics,
    tracer?: Tracer,
  ) {
    this.#calls = new StoreCalls(metrics, tracer);
    metrics.addLabelledGauge(
      'messagebox_database_connections',
      'Database connections by state, and calls that wait for one.',
      'state',
      () => ({
        ...store.connections(),
      }),
    );
  }

  get engine(): 'mysql' | 'sqlite' {
    return this.store.engine;
  }

  async storeMessages(messages: readonly NewMessage[], withinTransaction?: TransactionHook): Promise<StoreResult[]> {
    const results = await this.#calls.run('storeMessages', async (span) => {
      span.set({ 'messagebox.messages': messages.length });
      const outcomes = await this.store.storeMessages(messages, withinTransaction);
      span.set({ 'messagebox.stored': outcomes.filter(({ outcome }) => outcome === 'stored').length });
      return outcomes;
    });
    for (const { outcome } of results) this.metrics.messages.inc({ outcome });
    return results;
  }

  areStored(messages: readonly NewMessage[]): Promise<boolean[]> {
    return this.#calls.run('areStored', () => this.store.areStored(messages));
  }

  async listMessages(query: ListQuery): Promise<MessagePage> {
    const page = await this.#calls.run('listMessages', () => this.store.listMessages(query));
    this.metrics.messages.inc({ outcome: 'listed' }, page.messages.length);
    return page;
  }

  listBoxNames(owner: string, limit: number): Promise<string[]> {
    return this.metrics.timeStoreCall('listBoxNames', () => this.store.listBoxNames(owner, limit));
  }

  listHeaders(query: HeaderQuery): Promise<MessageHeader[]> {
    return this.#calls.run('listHeaders', () => this.store.listHeaders(query));
  }

  readBodies(ids: readonly number[], bytes?: number): Promise<Map<number, string>> {
    return this.#calls.run('readBodies', () => this.store.readBodies(ids, bytes));
  }

  findNewestId(): Promise<number> {
    return this.#calls.run('findNewestId', () => this.store.findNewestId());
  }

  findEarlierId(id: number, ms: number): Promise<number> {
    return this.#calls.run('findEarlierId', () => this.store.findEarlierId(id, ms));
  }

  async acknowledgeMessages(recipient: string, messageIds: readonly string[]): Promise<number> {
    const deleted = await this.#calls.run('acknowledgeMessages', () =>
      this.store.acknowledgeMessages(recipient, messageIds),
    );
    this.metrics.messages.inc({ outcome: 'acknowledged' }, deleted);
    return deleted;
  }

  claimRequest(claim: RequestClaim): Promise<boolean> {
    return this.#calls.run('claimRequest', () => this.store.claimRequest(claim));
  }

  purgeClaims(now: Date, limit: number): Promise<number> {
    return this.store.purgeClaims(now, limit);
  }

  ping(): Promise<void> {
    return this.#calls.run('ping', () => this.store.ping());
  }

  getSchemaStatus(): Promise<SchemaStatus> {
    return this.store.getSchemaStatus();
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
