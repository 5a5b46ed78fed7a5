/** A message as events name it. */
export interface DeliveredMessage {
  /** The room, `KEY-box`. */
  readonly room: string;
  readonly messageId: string;
  /** The decimal row id. Undefined in events of versions that did not send it. */
  readonly cursor: string | undefined;
}

/** The parts of a socket that {@link DeliveredMessages} uses. */
export interface RoomMember {
  /** The id in socket.io. */
  readonly id: string;
  /** The namespace, such as `/`. */
  readonly namespace: string;
}

/** The argument of `new DeliveredMessages()`. */
export interface DeliveredMessagesOptions {
  /** Messages that are remembered as delivered to a room. The oldest are forgotten first. Default: 50,000. */
  readonly maxMessages?: number;
  /** Messages that are remembered as replayed, to all sockets together. Default: 50,000. */
  readonly maxReplayed?: number;
}

/** The default limits; `docs/limits.md` lists them. */
export const DELIVERED_LIMITS = { messages: 50_000, replayed: 50_000 } as const;

/**
 * Remembers which messages this instance has delivered, so that none is sent twice on one connection.
 *
 * Joins, deliveries and scans of the database are numbered by one clock, which only counts ({@link tick}). A delivery reaches
 * the sockets that had joined the room before its `audience`. So it is known for each socket of a room whether it got a
 * message, without a list of sockets for each message.
 *
 * A message is known by its row id and its message id: an id that is stored again after it was acknowledged is another message.
 */
export class DeliveredMessages {
  readonly #maxMessages: number;
  readonly #maxReplayed: number;
  #clock = 0;
  /** By namespace and message: the audience of the delivery. In the order of delivery. */
  readonly #delivered = new Map<string, number>();
  /** By socket and room: the time of joining. */
  readonly #joined = new Map<string, Map<string, number>>();
  /** By socket: the messages that were replayed to it, in their order. */
  readonly #replayed = new Map<string, Set<string>>();
  #replayedCount = 0;

  constructor({ maxMessages, maxReplayed }: DeliveredMessagesOptions = {}) {
    this.#maxMessages = maxMessages ?? DELIVERED_LIMITS.messages;
    this.#maxReplayed = maxReplayed ?? DELIVERED_LIMITS.replayed;
  }

  /** Advances the clock. @returns the time now, which is later than that of all earlier calls */
  tick(): number {
    this.#clock += 1;
    return this.#clock;
  }

  /** The number of messages that are remembered as delivered. */
  get size(): number {
    return this.#delivered.size;
  }

  /** Whether any socket is in a room. */
  get hasMembers(): boolean {
    return this.#joined.size > 0;
  }

  /** Records that a socket has joined a room. A second call does not change the time. */
  recordJoin(socketId: string, room: string): void {
    const rooms = this.#joined.get(socketId) ?? new Map<string, number>();
    this.#joined.set(socketId, rooms);
    if (!rooms.has(room)) rooms.set(room, this.tick());
  }

  /** Records that a socket has left a room. */
  recordLeave(socketId: string, room: string): void {
    const rooms = this.#joined.get(socketId);
    rooms?.delete(room);
    if (rooms?.size === 0) this.#joined.delete(socketId);
  }

  /** Forgets a socket that has closed. */
  forgetSocket(socketId: string): void {
    this.#joined.delete(socketId);
    this.#replayedCount -= this.#replayed.get(socketId)?.size ?? 0;
    this.#replayed.delete(socketId);
  }

  /** When the socket joined the room, by the clock; undefined when it is not in the room. */
  getJoinTime(socketId: string, room: string): number | undefined {
    return this.#joined.get(socketId)?.get(room);
  }

  /**
   * Records that a message is delivered to the sockets of a room in one namespace.
   *
   * @param audience the sockets that had joined before this time get it. Default: all that are in the room now
   * @returns false when it was delivered there before, and must not be delivered again. Always true without a cursor: another
   *   message may have had the same id
   */
  recordDelivery(namespace: string, message: DeliveredMessage, audience = this.tick()): boolean {
    if (message.cursor !== undefined && this.hasDelivered(namespace, message)) return false;
    this.#delivered.set(toKey(namespace, message), audience);
    for (const oldest of this.#delivered.keys()) {
      if (this.#delivered.size <= this.#maxMessages) break;
      this.#delivered.delete(oldest);
    }
    return true;
  }

  /** Whether a message was delivered to a room in one namespace, to whoever was in it. */
  hasDelivered(namespace: string, message: DeliveredMessage): boolean {
    return this.#getAudience(namespace, message) !== undefined;
  }

  /** Whether this socket got the message, with the others of its room or in a replay. False when that is forgotten. */
  hasReceived(socket: RoomMember, message: DeliveredMessage): boolean {
    if (this.wasReplayed(socket.id, message)) return true;
    const joined = this.getJoinTime(socket.id, message.room);
    const audience = this.#getAudience(socket.namespace, message);
    return joined !== undefined && audience !== undefined && joined < audience;
  }

  /**
   * Records that a message is sent to one socket alone. A later delivery to its room leaves the socket out.
   *
   * @returns false when the socket got it before, and must not get it again
   */
  recordReplay(socket: RoomMember, message: DeliveredMessage): boolean {
    if (this.hasReceived(socket, message)) return false;
    const replayed = this.#replayed.get(socket.id) ?? new Set<string>();
    this.#replayed.set(socket.id, replayed.add(toMessageKey(message)));
    this.#replayedCount += 1;
    if (this.#replayedCount > this.#maxReplayed) this.#forgetOldestReplay();
    return true;
  }

  /** Whether the message was sent to this socket alone. */
  wasReplayed(socketId: string, message: DeliveredMessage): boolean {
    return this.#replayed.get(socketId)?.has(toMessageKey(message)) === true;
  }

  #forgetOldestReplay(): void {
    for (const [socketId, messages] of this.#replayed) {
      for (const oldest of messages) {
        messages.delete(oldest);
        this.#replayedCount -= 1;
        if (messages.size === 0) this.#replayed.delete(socketId);
        return;
      }
    }
  }

  #getAudience(namespace: string, message: DeliveredMessage): number | undefined {
    const audience = this.#delivered.get(toKey(namespace, message));
    if (audience !== undefined || message.cursor === undefined) return audience;
    // An instance of an older version may have published the event, without the row id.
    return this.#delivered.get(toKey(namespace, { ...message, cursor: undefined }));
  }
}

function toKey(namespace: string, message: DeliveredMessage): string {
  return `${namespace} ${toMessageKey(message)}`;
}

/** Row ids are never used twice, except after a database was restored from a backup: then the message id tells them apart. */
function toMessageKey({ room, messageId, cursor }: DeliveredMessage): string {
  return cursor === undefined ? `${room} ${messageId}` : `${cursor} ${messageId}`;
}
