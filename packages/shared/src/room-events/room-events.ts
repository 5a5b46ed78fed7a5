/** A stored message, on its way to the recipient's live sockets. */
export interface RoomEvent {
  readonly recipient: string;
  readonly messageBox: string;
  readonly sender: string;
  readonly messageId: string;
  /** The body as it was sent. */
  readonly body: string;
}

/**
 * Tells realtime instances that a message was stored.
 *
 * Promises: `publish` returns at once and never throws; each instance that has the room gets the event at most once;
 * events of one publisher in one room arrive in the order of publishing; what is published while the broker is away is
 * lost, which costs nothing but time, since the row is the truth. What clients can't take live is not published: events
 * that are too large, and boxes whose names can't be part of an event's name.
 */
export interface RoomEventPublisher {
  publish(event: RoomEvent): void;
}

/**
 * The receiving half, for instances that hold sockets.
 *
 * Promise: what is published anywhere after `ready(namespace, room)` resolved reaches this instance's sockets in that room.
 */
export interface RoomSubscriptions {
  /**
   * Resolves when this instance hears of the room, which it joined before. Waits for as long as the broker is away.
   *
   * @param namespace the socket.io namespace of the room, such as `/`
   */
  ready(namespace: string, room: string): Promise<void>;
}

/**
 * The socket.io namespaces that take clients: the main one, and with a routing prefix two more, since a client that was
 * given `https://host/prefix` connects to the namespace `/prefix`, and with `https://host/prefix/` to `/prefix/`.
 */
export function liveNamespaces(routingPrefix: string): readonly string[] {
  return routingPrefix === '' ? ['/'] : ['/', routingPrefix, `${routingPrefix}/`];
}
