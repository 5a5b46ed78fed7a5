import { setTimeout as delay } from 'node:timers/promises';
import { MAX_EVENT_BYTES } from '@messagebox/brc103/socket-io';
import { formatRoomName, toLiveBody } from '@messagebox/messages';
import { createPushEvent, type Metrics } from '@messagebox/shared';
import type { MessageHeader, MessageStore } from '@messagebox/store';
import type { DeliveredMessage, DeliveredMessages } from './delivered-messages.js';
import { LocalDelivery, type PushedMessage } from './push-broadcast.js';
import type { RoomGate } from './room-gate.js';

export interface MissedMessagesOptions {
  readonly store: Pick<MessageStore, 'readBodies'>;
  readonly delivered: DeliveredMessages;
  readonly gate: Pick<RoomGate, 'deliver'>;
  /** The sockets of this instance in a room, by namespace. Namespaces without one are left out. */
  readonly getMembers: (room: string) => ReadonlyMap<string, Iterable<string>>;
  /** Whether so much waits for a socket of this identity that nothing more should be recovered for it now. */
  readonly isCongested: (identityKey: string) => boolean;
  readonly maxBodyBytes: number;
  readonly metrics: Metrics;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** The most messages that wait. Default: 20,000. */
  readonly maxWaiting?: number;
}

/** The default limit; `docs/limits.md` lists it. */
export const MAX_MISSED_MESSAGES = 20_000;

/** What is read and delivered at a time. */
const BATCH = { messages: 64, bytes: 1_048_576 };
/** Between batches, so that a recovery leaves most of the time to live events. */
const BATCH_PAUSE_MS = 5;
/**
 * A larger stored body does not fit into an event: it is either the body itself, or `{"message": …}` with the body in the form
 * in which the event has it.
 */
const MAX_STORED_BYTES = MAX_EVENT_BYTES + 64;

interface MissedMessage {
  readonly header: MessageHeader;
  readonly room: string;
  /** Only sockets that joined before this time of `DeliveredMessages` get it. */
  readonly audience: number;
  /** Until then its live event may still arrive. */
  readonly dueAt: number;
}

/** Stored messages whose live events have not arrived yet. They are delivered from the database once they are due. */
export class MissedMessages {
  readonly #waiting = new Map<number, MissedMessage>();
  /** Row ids of waiting messages by sender and room. */
  readonly #bySender = new Map<string, Set<number>>();
  readonly #maxWaiting: number;

  constructor(private readonly options: MissedMessagesOptions) {
    this.#maxWaiting = options.maxWaiting ?? MAX_MISSED_MESSAGES;
  }

  /** The number of messages that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Adds a stored message, unless nobody waits for it here.
   *
   * @param audience only sockets that joined before this time of `DeliveredMessages` get it
   * @param graceMs how long its live event may still arrive
   * @returns false when too many messages wait
   */
  add(header: MessageHeader, audience: number, graceMs: number): boolean {
    if (header.messageBox === undefined || this.#waiting.has(header.id)) return true;
    const room = formatRoomName(header.recipient, header.messageBox);
    const message = { header, room, audience, dueAt: this.options.now() + graceMs };
    if (this.#findNamespaces(message).length === 0) return true;
    if (this.#waiting.size >= this.#maxWaiting) return false;
    this.#waiting.set(header.id, message);
    const key = toSenderKey(header.sender, room);
    const ids = this.#bySender.get(key) ?? new Set();
    this.#bySender.set(key, ids.add(header.id));
    return true;
  }

  /** Whether an older message of the same sender in the same room waits. */
  hasOlder({ room, sender, cursor }: PushedMessage): boolean {
    const ids = this.#bySender.get(toSenderKey(sender, room));
    if (ids === undefined || cursor === undefined) return false;
    for (const id of ids) {
      const message = this.#waiting.get(id);
      if (message !== undefined && id < Number(cursor) && this.#findNamespaces(message).length > 0) return true;
    }
    return false;
  }

  /** The recipients of waiting messages. */
  get recipients(): ReadonlySet<string> {
    return new Set([...this.#waiting.values()].map(({ header }) => header.recipient));
  }

  /** Forgets all messages. */
  clear(): void {
    this.#waiting.clear();
    this.#bySender.clear();
  }

  /**
   * Delivers the messages that are due, in the order of their row ids. Those of congested rooms wait for the next call.
   *
   * @param isDue selects more messages, whose live events are not waited for
   * @returns the number of messages that were delivered
   * @throws {StoreUnavailableError} the rest waits for the next call
   */
  async deliverDue(isDue: (message: PushedMessage) => boolean = () => false): Promise<number> {
    const now = this.options.now();
    const due = [...this.#waiting.values()]
      .filter((message) => message.dueAt <= now || isDue(toPushedMessage(message)))
      .sort((a, b) => a.header.id - b.header.id);
    /** Once a room waits it does so until the next call, so that its messages stay in order. */
    const congested = new Set<string>();
    const mustWait = (recipient: string) => {
      if (!congested.has(recipient) && this.options.isCongested(recipient)) congested.add(recipient);
      return congested.has(recipient);
    };
    let delivered = 0;
    for (let next = 0; next < due.length; ) {
      const batch: MissedMessage[] = [];
      for (let bytes = 0; next < due.length && batch.length < BATCH.messages; next++) {
        const message = due[next] as MissedMessage;
        if (this.#settle(message) || mustWait(message.header.recipient)) continue;
        bytes += message.header.bodyBytes;
        if (batch.length > 0 && bytes > BATCH.bytes) break;
        batch.push(message);
      }
      if (batch.length === 0) continue;
      delivered += await this.#deliverBatch(batch);
      if (next < due.length) await delay(BATCH_PAUSE_MS);
    }
    return delivered;
  }

  /** Forgets a message that needs no delivery. @returns whether that is so */
  #settle(message: MissedMessage): boolean {
    const isMissed = this.#findNamespaces(message).length > 0;
    const isTooLarge = message.header.bodyBytes > MAX_STORED_BYTES;
    if (isMissed && !isTooLarge) return false;
    if (isMissed) this.options.metrics.recovered.inc({ outcome: 'too_large' });
    this.#forget(message);
    return true;
  }

  async #deliverBatch(batch: readonly MissedMessage[]): Promise<number> {
    const bodies = await this.options.store.readBodies(batch.map(({ header }) => header.id));
    let delivered = 0;
    for (const message of batch) {
      const outcome = this.#deliver(message, bodies.get(message.header.id));
      this.options.metrics.recovered.inc({ outcome });
      if (outcome === 'delivered') delivered += 1;
      this.#forget(message);
    }
    return delivered;
  }

  /** @returns the outcome in the metric */
  #deliver(message: MissedMessage, stored: string | undefined): string {
    const namespaces = this.#findNamespaces(message);
    if (namespaces.length === 0) return 'arrived';
    if (stored === undefined) return 'acknowledged';
    const body = toLiveBody(stored);
    if (body === undefined) return 'paid';
    const { header, room, audience } = message;
    const { recipient, messageBox = '', sender, messageId, id } = header;
    const event = createPushEvent(
      { recipient, messageBox, sender, messageId, body, cursor: String(id) },
      this.options.maxBodyBytes,
    );
    if (event.outcome !== 'published') return event.outcome;
    for (const namespace of namespaces) {
      const broadcast = { event: event.name, data: event.data };
      this.options.gate.deliver(namespace, room, broadcast, new LocalDelivery(audience));
    }
    return 'delivered';
  }

  #forget({ header, room }: MissedMessage): void {
    this.#waiting.delete(header.id);
    const key = toSenderKey(header.sender, room);
    const ids = this.#bySender.get(key);
    ids?.delete(header.id);
    if (ids?.size === 0) this.#bySender.delete(key);
  }

  /** The namespaces with a socket that should have got the message, and where it was not delivered. */
  #findNamespaces(message: MissedMessage): string[] {
    const { delivered } = this.options;
    const { room, audience } = message;
    const known = toDeliveredMessage(message);
    const isWaiting = (socketId: string) => {
      const joined = delivered.getJoinTime(socketId, room);
      return joined !== undefined && joined < audience;
    };
    return [...this.options.getMembers(room)].flatMap(([namespace, members]) =>
      !delivered.hasDelivered(namespace, known) && [...members].some(isWaiting) ? [namespace] : [],
    );
  }
}

function toDeliveredMessage({ header, room }: MissedMessage): DeliveredMessage {
  return { room, messageId: header.messageId, cursor: String(header.id) };
}

function toPushedMessage(message: MissedMessage): PushedMessage {
  return { ...toDeliveredMessage(message), sender: message.header.sender };
}

function toSenderKey(sender: string, room: string): string {
  return `${sender} ${room}`;
}
