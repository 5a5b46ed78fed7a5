import type { AuthSocket } from '@messagebox/brc103';
import { limitedLines } from '@messagebox/shared';
import { echo } from './echo.js';
import type { EventParts } from './event-parts.js';
import { refuseSend } from './send-message.js';

/** How an event is answered that is not even tried, because there are too many. */
export function refuseEvent(
  parts: EventParts,
  socket: AuthSocket,
  eventName: string,
  data: unknown,
  reason: string,
): void {
  if (eventName === 'sendMessage') {
    refuseSend(parts, socket, data, reason);
    return;
  }
  limitedLines(parts.log).write(
    'info',
    { socket: socket.id, event: eventName, code: 'ERR_TOO_MANY_REQUESTS' },
    'event refused',
  );
  const failure = FAILURES.get(eventName);
  if (failure === undefined) return;
  const told = { reason, code: 'ERR_TOO_MANY_REQUESTS' };
  // A client can only tell by the room which of its joins was refused.
  socket.emit(failure, eventName === 'authenticated' ? told : { ...told, roomId: echo(data) });
}

const FAILURES: ReadonlyMap<string, string> = new Map([
  ['authenticated', 'authenticationFailed'],
  ['joinRoom', 'joinFailed'],
  ['leaveRoom', 'leaveFailed'],
]);
