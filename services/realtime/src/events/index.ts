import { authenticated } from './authenticated.js';
import type { EventHandler } from './event-parts.js';
import { joinRoom, leaveRoom } from './join-room.js';
import { sendMessage } from './send-message.js';

/** An event that a client may send. */
interface ClientEvent {
  readonly handle: EventHandler;
  /** What it takes of its identity's rate. Those that go to the room memory and the broker cost more. */
  readonly cost: number;
}

/** What an event of an unknown name takes of its identity's rate: it is verified like any other. */
export const UNKNOWN_EVENT_COST = 1;

/** Every event that a client may send. Others are ignored. */
export const clientEvents: ReadonlyMap<string, ClientEvent> = new Map([
  ['authenticated', { handle: authenticated, cost: 4 }],
  ['joinRoom', { handle: joinRoom, cost: 4 }],
  ['leaveRoom', { handle: leaveRoom, cost: 4 }],
  ['sendMessage', { handle: sendMessage, cost: 1 }],
]);

export type { EventParts } from './event-parts.js';
export { refuseEvent } from './refuse-event.js';
