import type { UsageReader } from '@messagebox/messages';
import type { StorageAmount } from '@messagebox/store';
import type { Tracer } from '../tracing/tracer.js';
import type { Metrics } from './metrics.js';
import { StoreCalls } from './store-calls.js';

/** Wraps a usage reader and times and traces its calls. */
export class InstrumentedUsageReader implements UsageReader {
  readonly #calls: StoreCalls;

  constructor(
    private readonly usage: UsageReader,
    metrics: Metrics,
    tracer?: Tracer,
  ) {
    this.#calls = new StoreCalls(metrics, tracer);
  }

  readInboxUsage(recipient: string, limit: number): Promise<StorageAmount> {
    return this.#calls.run('readInboxUsage', () => this.usage.readInboxUsage(recipient, limit));
  }

  readSenderUsage(sender: string, limit: number): Promise<StorageAmount> {
    return this.#calls.run('readSenderUsage', () => this.usage.readSenderUsage(sender, limit));
  }

  readPairUsage(recipient: string, sender: string, limit: number): Promise<StorageAmount> {
    return this.#calls.run('readPairUsage', () => this.usage.readPairUsage(recipient, sender, limit));
  }
}
