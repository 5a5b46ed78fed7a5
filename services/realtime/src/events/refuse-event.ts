import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { getRateLimitedLog } from '@messagebox/shared';
import { echoText } from './echo-text.js';
import type { EventContext } from './event-context.js';
import { getRequestedRoom } from './own-room.js';
import { refuseSend } from './send-message.js';

/** Answers an event that is not handled because there are too many. Its sender gets `ERR_TOO_MANY_REQUESTS`. */
export function refuseEvent(
  context: EventContext,
  socket: AuthSocket,
  eventName: string,
  data: unknown,
  reason: string,
): void {
  if (eventName === 'sendMessage') {
    refuseSend(context, socket, data, reason);
    return;
  }
  getRateLimitedLog(context.log).write(
    'info',
    { socket: socket.id, event: eventName, code: 'ERR_TOO_MANY_REQUESTS' },
    'event refused',
  );
  const failure = FAILURE_EVENTS.get(eventName);
  if (failure === undefined) return;
  const refusal = { reason, code: 'ERR_TOO_MANY_REQUESTS' };
  // Only the roomId tells a client which of its joins was refused.
  socket.emit(
    failure,
    eventName === 'authenticated' ? refusal : { ...refusal, roomId: echoText(getRequestedRoom(data)) },
  );
}

const FAILURE_EVENTS: ReadonlyMap<string, string> = new Map([
  ['authenticated', 'authenticationFailed'],
  ['joinRoom', 'joinFailed'],
  ['leaveRoom', 'leaveFailed'],
]);
