import type { AuthSocket } from '@messagebox/brc103/socket-io';
import type { Server } from 'socket.io';

export interface DrainOptions {
  readonly io: Server;
  /** The sockets that are open at the time of iteration. */
  readonly sockets: Iterable<AuthSocket>;
  /** Resolves when the events of a socket are handled. */
  readonly waitUntilHandled: (socket: AuthSocket) => Promise<void>;
}

const DRAIN_BATCH = 200;
const DRAIN_PAUSE_MS = 100;
/** A client over long polling learns with its next poll that the connection is closed. One that sends none is gone. */
const LAST_POLLS_TIMEOUT_MS = 2_000;
const LAST_POLLS_INTERVAL_MS = 25;

/**
 * Lets unfinished events end and be answered, and then closes the connections. They are closed in batches of 200, so
 * that the clients do not all reconnect to the other instances at once. Resolves when no connection is left, or 2 s
 * after the last batch.
 */
export async function drainSockets(options: DrainOptions): Promise<void> {
  const { io, sockets } = options;
  const open = [...sockets];
  for (let i = 0; i < open.length; i += DRAIN_BATCH) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_PAUSE_MS));
    await Promise.all(open.slice(i, i + DRAIN_BATCH).map((socket) => closeWhenIdle(options, socket)));
  }
  const deadline = Date.now() + LAST_POLLS_TIMEOUT_MS;
  while ((io.engine?.clientsCount ?? 0) > 0 && Date.now() < deadline) {
    // Includes sockets whose handshake had begun before the drain.
    await Promise.all([...sockets].map((socket) => closeWhenIdle(options, socket)));
    await new Promise((resolve) => setTimeout(resolve, LAST_POLLS_INTERVAL_MS));
  }
}

async function closeWhenIdle({ io, waitUntilHandled }: DrainOptions, socket: AuthSocket): Promise<void> {
  await socket.waitUntilIdle();
  // Events that arrived in the meantime have begun, too, and must be answered.
  await waitUntilHandled(socket);
  await socket.waitUntilIdle();
  // A client that has not received the answers by now finds the messages by listing its boxes.
  if (isWritable(io, socket)) socket.closeConnection();
}

/** Between two long polls a client cannot be told that its connection closes, and would send in vain until the next one. */
function isWritable(io: Server, socket: AuthSocket): boolean {
  return io.of(socket.namespace).sockets.get(socket.id)?.conn.transport.writable === true;
}
