import type { AuthSocket, SocketEvent } from '@messagebox/brc103/socket-io';
import { getRateLimitedLog, type Metrics, type RateLimit, TooManyRequestsError, type Tracer } from '@messagebox/shared';
import { clientEvents, UNKNOWN_EVENT_COST } from './client-events.js';
import type { EventContext } from './event-context.js';
import { KeyedQueue } from './keyed-queue.js';
import { getRequestedRoom } from './own-room.js';
import { refuseEvent } from './refuse-event.js';

export interface EventDispatcherOptions {
  readonly context: EventContext;
  /** The rate of events per identity. */
  readonly rate: RateLimit;
  /** Unfinished events that one connection may have. */
  readonly maxEventsUnderWay: number;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
}

/** Limits the wait for a client that keeps sending. */
const MAX_IDLE_ROUNDS = 5;

/**
 * Passes verified events to their handlers. The events of one lane of a socket are handled one after the other, in the
 * order of sending; lanes and sockets do not wait for each other. {@link getLane} defines the lanes.
 */
export class EventDispatcher {
  readonly #lanes = new WeakMap<AuthSocket, KeyedQueue>();

  constructor(private readonly options: EventDispatcherOptions) {}

  /** Accepts events of a socket from now on. Events of other sockets are ignored. */
  open(socket: AuthSocket): void {
    this.#lanes.set(socket, new KeyedQueue());
  }

  /** Starts to handle an event, or refuses it with an answer. Events with unknown names are counted and ignored. */
  dispatch(socket: AuthSocket, { eventName, data }: SocketEvent): void {
    const { context, maxEventsUnderWay, metrics, tracer } = this.options;
    const lanes = this.#lanes.get(socket);
    const { identityKey } = socket;
    if (lanes === undefined || identityKey === undefined) return;
    const event = clientEvents.get(eventName);
    if (event === undefined) {
      void this.#isWithinRate(identityKey, UNKNOWN_EVENT_COST);
      return;
    }
    metrics.socketEvents.inc({ event: eventName });
    const refuse = (reason: string) => refuseEvent(context, socket, eventName, data, reason);
    if (lanes.unfinished >= maxEventsUnderWay) {
      context.limitsHit.report('events_under_way');
      refuse('This connection has too many unfinished events. Try again later.');
      return;
    }
    const span = tracer.begin(`socket ${eventName}`, { kind: 'server' });
    const handle = async () => {
      try {
        if (await this.#isWithinRate(identityKey, event.getCost(data))) {
          await event.handle(context, socket, data);
        } else {
          span.fail('ERR_TOO_MANY_REQUESTS');
          refuse('This identity sends too many events. Try again later.');
        }
      } catch (error) {
        span.fail('ERR_INTERNAL', true);
        getRateLimitedLog(context.log).write('error', { err: error, event: eventName }, 'event handler failed');
      } finally {
        span.end();
      }
    };
    lanes.run(getLane(eventName, data), () => span.run(handle));
  }

  /** Resolves when the events of a socket are handled, including most of those that arrive in the meantime. */
  async waitUntilIdle(socket: AuthSocket): Promise<void> {
    const lanes = this.#lanes.get(socket);
    for (let i = 0; i < MAX_IDLE_ROUNDS && lanes !== undefined && lanes.unfinished > 0; i++) {
      await lanes.waitUntilIdle();
    }
  }

  /** Counts an event against the rate of its identity. */
  async #isWithinRate(identityKey: string, cost: number): Promise<boolean> {
    const { rate } = this.options;
    try {
      await rate.admit(identityKey);
      await rate.charge(identityKey, cost - 1);
      return true;
    } catch (error) {
      if (!(error instanceof TooManyRequestsError)) throw error;
      return false;
    }
  }
}

/**
 * Sends into one room share a lane, and so do joins and leaves of one room. The two lanes of a room are separate, so
 * that a join that waits for the broker does not delay a send.
 */
function getLane(eventName: string, data: unknown): string {
  const roomId = getRequestedRoom(data);
  return `${eventName === 'sendMessage' ? 'send' : 'room'} ${typeof roomId === 'string' ? roomId : ''}`;
}
