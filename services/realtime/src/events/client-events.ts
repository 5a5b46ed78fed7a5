import { authenticated } from './authenticated.js';
import type { EventHandler } from './event-context.js';
import { joinRoom, leaveRoom } from './join-room.js';
import { sendMessage } from './send-message.js';

/** An event that a client may send. */
interface ClientEvent {
  readonly handle: EventHandler;
  /**
   * How many events it counts as in the rate of its identity. Events that use room memory and broker cost more, and a replay
   * reads a box.
   */
  readonly getCost: (data: unknown) => number;
}

/** The cost of an event with an unknown name. It has been verified like any other. */
export const UNKNOWN_EVENT_COST = 1;

/** All events that a client may send. */
export const clientEvents: ReadonlyMap<string, ClientEvent> = new Map([
  ['authenticated', { handle: authenticated, getCost: () => 4 }],
  ['joinRoom', { handle: joinRoom, getCost: (data: unknown) => (typeof data === 'string' ? 4 : 40) }],
  ['leaveRoom', { handle: leaveRoom, getCost: () => 4 }],
  ['sendMessage', { handle: sendMessage, getCost: () => 1 }],
]);
