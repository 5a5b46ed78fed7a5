import type { AdmitSocket, AuthSocket, Broadcast } from '@messagebox/brc103/socket-io';
import type { Span, Tracer } from '@messagebox/shared';
import { readMeta } from '../recovery/push-broadcast.js';

/** Events that wait for one socket. Further ones have no span for this socket. */
const MAX_PUSHES = 1_000;

/**
 * Traces the delivery of room events: a span for each event that reaches sockets of this instance, and within it one for each
 * of these sockets, until its event is signed and given to its transport. Both belong to the trace of the send, which may
 * have been on another instance.
 */
export class DeliveryTraces {
  /** The spans of the events that wait for a socket, by the `meta` of the event. */
  readonly #pushes = new WeakMap<AuthSocket, Map<unknown, Span>>();

  constructor(private readonly tracer: Tracer) {}

  /** Traces the sockets that `admits` lets through. Returns `admits` itself for an event without a trace. */
  follow(broadcast: Omit<Broadcast, 'encoded'>, admits: AdmitSocket): AdmitSocket {
    const { trace: parent } = this.tracer.isOn ? readMeta(broadcast) : { trace: undefined };
    if (parent === undefined) return admits;
    let delivery: Span | undefined;
    let sockets = 0;
    return (socket) => {
      if (!admits(socket)) return false;
      delivery ??= this.#beginDelivery(parent, () => sockets);
      sockets += 1;
      this.#beginPush(socket, broadcast.meta, delivery);
      return true;
    };
  }

  /** An event was given to the transport of a socket. */
  endPush(socket: AuthSocket, meta: unknown): void {
    const pushes = this.#pushes.get(socket);
    pushes?.get(meta)?.end();
    pushes?.delete(meta);
  }

  /** A socket has closed. What it waits for is not delivered to it. */
  endSocket(socket: AuthSocket): void {
    for (const push of this.#pushes.get(socket)?.values() ?? []) {
      push.fail('closed');
      push.end();
    }
    this.#pushes.delete(socket);
  }

  #beginPush(socket: AuthSocket, meta: unknown, delivery: Span): void {
    const pushes = this.#pushes.get(socket) ?? new Map<unknown, Span>();
    if (pushes.size >= MAX_PUSHES) return;
    const push = this.tracer.begin('push to socket', { parent: delivery.context });
    this.#pushes.set(socket, pushes.set(meta, push));
  }

  #beginDelivery(parent: Span['context'], countSockets: () => number): Span {
    const span = this.tracer.begin('deliver room event', { kind: 'consumer', parent });
    // The sockets of a room are visited in one go.
    setImmediate(() => {
      span.set({ 'messagebox.sockets': countSockets() });
      span.end();
    });
    return span;
  }
}
