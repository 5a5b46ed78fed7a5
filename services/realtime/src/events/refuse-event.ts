import type { AuthSocket } from '@messagebox/brc103';
import type { EventParts } from './event-parts.js';
import { refuseSend } from './send-message.js';

/** How an event is answered that is not even tried, because too many of its socket are under way. */
export function refuseEvent(parts: EventParts, socket: AuthSocket, eventName: string, data: unknown): void {
  if (eventName === 'sendMessage') {
    refuseSend(parts, socket, data);
    return;
  }
  parts.log.info({ socket: socket.id, event: eventName, code: 'ERR_TOO_MANY_REQUESTS' }, 'event refused');
  const failure = FAILURES.get(eventName);
  const reason = 'Too many events of this connection are under way. Try again later.';
  if (failure !== undefined) socket.emit(failure, { reason });
}

const FAILURES: ReadonlyMap<string, string> = new Map([
  ['authenticated', 'authenticationFailed'],
  ['joinRoom', 'joinFailed'],
  ['leaveRoom', 'leaveFailed'],
]);
