import { authenticated } from './authenticated.js';
import type { EventHandler } from './event-parts.js';
import { joinRoom, leaveRoom } from './join-room.js';
import { sendMessage } from './send-message.js';

/** Every event that a client may send. Others are ignored. */
export const eventHandlers: ReadonlyMap<string, EventHandler> = new Map([
  ['authenticated', authenticated],
  ['joinRoom', joinRoom],
  ['leaveRoom', leaveRoom],
  ['sendMessage', sendMessage],
]);

export type { EventParts } from './event-parts.js';
export { refuseEvent } from './refuse-event.js';
