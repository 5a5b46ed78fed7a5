import type { Broadcast } from '@messagebox/brc103/socket-io';
import { formatPushEventName, getField } from '@messagebox/messages';
import { type PushMeta, readPushMeta } from '@messagebox/shared';
import type { DeliveredMessage } from './delivered-messages.js';

/** A message in a broadcast to the sockets of its room. */
export interface PushedMessage extends DeliveredMessage {
  readonly sender: string;
}

/**
 * The argument after the data of a broadcast that this instance makes for its own sockets only. Other instances can not
 * make one, because it never crosses a broker.
 */
export class LocalDelivery {
  /**
   * @param audience only sockets that joined before this time of `DeliveredMessages` get the event. Undefined: all
   * @param meta what the publisher has told, as `readPushMeta` takes it; undefined for a recovered message
   */
  constructor(
    readonly audience: number | undefined,
    readonly meta?: unknown,
  ) {}
}

const PUSH_EVENT_PREFIX = formatPushEventName('');

/** Reads the message of a push event; undefined for any other event. */
export function readPushedMessage({ event, data }: Pick<Broadcast, 'event' | 'data'>): PushedMessage | undefined {
  const [messageId, sender, after] = [getField(data, 'messageId'), getField(data, 'sender'), getField(data, 'after')];
  if (!event.startsWith(PUSH_EVENT_PREFIX) || typeof messageId !== 'string' || typeof sender !== 'string')
    return undefined;
  const cursor = typeof after === 'string' ? after : undefined;
  return { room: event.slice(PUSH_EVENT_PREFIX.length), messageId, sender, cursor };
}

/** Reads what the publisher of an event has told, whether the event comes from it or was made here of it. */
export function readMeta({ meta }: Pick<Broadcast, 'meta'>): PushMeta {
  return readPushMeta(meta instanceof LocalDelivery ? meta.meta : meta);
}
