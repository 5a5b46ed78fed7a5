import type { Redis } from 'ioredis';

/**
 * The messages by which instances tell each other about missed room events, and about identities that must not be connected
 * any more. Times are ages, so that the clocks of hosts do not matter.
 */
export type ControlMessage =
  /** A publisher failed to publish since so long ago. `to`: only this instance has not been told yet. */
  | { readonly type: 'unpublished'; readonly agoMs: number; readonly to?: string }
  /** An instance has its subscriptions back, which it had lost so long ago. It may have missed messages on this channel too. */
  | { readonly type: 'renewed'; readonly agoMs: number; readonly from: string }
  /** The list of blocked identities has changed. */
  | { readonly type: 'blocks_changed' }
  /** An identity has deleted its account. */
  | { readonly type: 'account_deleted'; readonly identityKey: string };

/** The calls of Redis for one kind of pub/sub. */
export interface PubSubCalls {
  readonly publish: 'publish' | 'spublish';
  readonly subscribe: 'subscribe' | 'ssubscribe';
  readonly messageEvent: 'messageBuffer' | 'smessageBuffer';
}

const MAX_MESSAGE_BYTES = 1_000;

/** A channel that every process with room events listens to. */
export class ControlChannel {
  readonly #channel: string;

  /** @param channel must not be a channel of the adapter, and not match its patterns */
  constructor(
    private readonly clients: { readonly commands: Redis; readonly subscriber: Redis },
    private readonly calls: PubSubCalls,
    channel: string,
  ) {
    this.#channel = channel;
  }

  /** Calls the listener with each message, also with those of this process. Other messages are ignored. */
  async listen(listener: (message: ControlMessage) => void): Promise<void> {
    const { subscriber } = this.clients;
    const own = Buffer.from(this.#channel);
    // The event with strings would make ioredis convert every room event as well.
    subscriber.on(this.calls.messageEvent, (channel: Buffer, bytes: Buffer) => {
      if (!own.equals(channel) || bytes.length > MAX_MESSAGE_BYTES) return;
      const message = parseMessage(bytes.toString());
      if (message !== undefined) listener(message);
    });
    await subscriber[this.calls.subscribe](this.#channel);
  }

  /** @throws {Error} when Redis did not confirm it */
  async send(message: ControlMessage): Promise<void> {
    await this.clients.commands[this.calls.publish](this.#channel, JSON.stringify(message));
  }
}

/** @returns undefined for a text that is no message of this version */
function parseMessage(text: string): ControlMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, agoMs, to, from, identityKey } = value as Readonly<Record<string, unknown>>;
  if (type === 'blocks_changed') return { type };
  if (type === 'account_deleted' && typeof identityKey === 'string') return { type, identityKey };
  if (typeof agoMs !== 'number' || !(agoMs >= 0)) return undefined;
  if (type === 'unpublished' && to === undefined) return { type, agoMs };
  if (type === 'unpublished' && typeof to === 'string') return { type, agoMs, to };
  if (type === 'renewed' && typeof from === 'string') return { type, agoMs, from };
  return undefined;
}
