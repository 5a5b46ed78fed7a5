/** A stored message, on its way to the recipient's live sockets. */
export interface RoomEvent {
  readonly recipient: string;
  readonly messageBox: string;
  readonly sender: string;
  readonly messageId: string;
  /** The body as it was sent. */
  readonly body: string;
  /** The position in the order of storing, as `StoredMessage.cursor`. Undefined when it is not known. */
  readonly cursor?: string | undefined;
}

/**
 * Publishes stored messages to the realtime instances.
 *
 * Promises: `publish` returns at once and never throws. Each instance with the room gets an event at most once. Events of one
 * publisher in one room arrive in their order. Events that are published while the broker is away are lost; realtime
 * instances find the messages in the database. Events that clients can't receive are not published: those that are too
 * large, and those of boxes whose names can't be part of an event's name.
 */
export interface RoomEventPublisher {
  publish(event: RoomEvent): void;
}

/**
 * The subscriptions of an instance that has sockets.
 *
 * Promise: an event that any instance publishes after `waitUntilReady(namespace, room)` has resolved reaches this instance's
 * sockets in that room.
 */
export interface RoomSubscriptions {
  /**
   * Resolves when this instance receives the events of the room, which it has joined before. Waits while the broker is away.
   *
   * @param namespace the socket.io namespace of the room, such as `/`
   */
  waitUntilReady(namespace: string, room: string): Promise<void>;
}

/**
 * The socket.io namespaces that accept clients: the main one, and with a routing prefix two more. A client of
 * `https://host/prefix` connects to the namespace `/prefix`, and a client of `https://host/prefix/` to `/prefix/`.
 */
export function listLiveNamespaces(routingPrefix: string): readonly string[] {
  return routingPrefix === '' ? ['/'] : ['/', routingPrefix, `${routingPrefix}/`];
}
