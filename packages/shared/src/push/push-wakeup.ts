import type { Server } from 'socket.io';

const WAKEUP_EVENT = 'pushOutbox';
/** A burst of messages causes one hint at its beginning and one at its end. */
const MIN_WAKEUP_INTERVAL_MS = 100;

/**
 * Tells all realtime instances that there is something in the outbox, over the same broker as room events. Best effort.
 *
 * @param io a server with an adapter that reaches other processes
 */
export function createPushWakeupSender(io: Pick<Server, 'serverSideEmit'>): () => void {
  let pause: NodeJS.Timeout | undefined;
  let isPending = false;
  const send = () => {
    io.serverSideEmit(WAKEUP_EVENT);
    isPending = false;
    pause = setTimeout(() => {
      pause = undefined;
      if (isPending) send();
    }, MIN_WAKEUP_INTERVAL_MS);
    pause.unref();
  };
  return () => {
    if (pause === undefined) send();
    else isPending = true;
  };
}

/** Calls `notify` when {@link createPushWakeupSender} is called in another process. */
export function onPushWakeup(io: Pick<Server, 'on'>, notify: () => void): void {
  io.on(WAKEUP_EVENT, notify);
}
