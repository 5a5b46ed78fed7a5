import type { Server } from 'socket.io';

const EVENT = 'pushOutbox';
/** A burst of messages is one hint at its beginning and one at its end. */
const AT_MOST_EVERY_MS = 100;

/**
 * Tells all realtime instances that there is something in the outbox, the way room events go. Best effort.
 *
 * @param io a server with an adapter that reaches other processes
 */
export function sendPushHints(io: Pick<Server, 'serverSideEmit'>): () => void {
  let pause: NodeJS.Timeout | undefined;
  let again = false;
  const send = () => {
    io.serverSideEmit(EVENT);
    again = false;
    pause = setTimeout(() => {
      pause = undefined;
      if (again) send();
    }, AT_MOST_EVERY_MS);
    pause.unref();
  };
  return () => {
    if (pause === undefined) send();
    else again = true;
  };
}

/** Hears what {@link sendPushHints} tells in other processes. */
export function hearPushHints(io: Pick<Server, 'on'>, wake: () => void): void {
  io.on(EVENT, wake);
}
