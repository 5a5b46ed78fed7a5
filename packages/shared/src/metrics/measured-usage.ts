import type { Amount, UsageReader } from '../quotas/index.js';
import type { Metrics } from './metrics.js';

/** A reader of what is stored that times its reads, and is otherwise the one it wraps. */
export class MeasuredUsage implements UsageReader {
  constructor(
    private readonly usage: UsageReader,
    private readonly metrics: Metrics,
  ) {}

  inbox(recipient: string, limit: number): Promise<Amount> {
    return this.metrics.timeStore('readInboxUsage', () => this.usage.inbox(recipient, limit));
  }

  sender(sender: string, limit: number): Promise<Amount> {
    return this.metrics.timeStore('readSenderUsage', () => this.usage.sender(sender, limit));
  }

  pair(recipient: string, sender: string, limit: number): Promise<Amount> {
    return this.metrics.timeStore('readPairUsage', () => this.usage.pair(recipient, sender, limit));
  }
}
