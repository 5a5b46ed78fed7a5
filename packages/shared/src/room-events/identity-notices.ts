import { errorMessage } from '../logging/error-message.js';
import type { Logger } from '../logging/logger.js';
import type { ControlChannel, ControlMessage } from './control-channel.js';

/** What instances tell each other about identities. */
export type IdentityNotice = Extract<ControlMessage, { type: 'blocks_changed' | 'account_deleted' }>;

/**
 * Tells all instances what has changed about an identity. A notice that is lost must do no harm: who listens looks into the
 * database now and then as well.
 */
export class IdentityNotices {
  readonly #listeners = new Set<(notice: IdentityNotice) => void>();

  /** @param channel to the other instances, which also brings notices of this one. Undefined: there are no others */
  constructor(
    private readonly channel?: Pick<ControlChannel, 'send'>,
    private readonly log?: Pick<Logger, 'warn'>,
  ) {}

  /** Reaches this process at once, and others when Redis answers. Never throws. */
  send(notice: IdentityNotice): void {
    this.deliver(notice);
    this.channel?.send(notice).catch((error: unknown) => {
      this.log?.warn({ notice: notice.type, reason: errorMessage(error) }, 'other instances could not be told at once');
    });
  }

  /** Calls the listeners of this process. */
  deliver(notice: IdentityNotice): void {
    for (const listener of this.#listeners) listener(notice);
  }

  /** @returns removes the listener. It must not throw, and may get a notice twice */
  listen(listener: (notice: IdentityNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
