import type { ConnectionRooms } from '../replay/connection-rooms.js';

const ROOM_REFRESH_INTERVAL_MS = 3_600_000;

/**
 * Marks the rooms of open sockets as in use once an hour. Room memory forgets unused rooms after a day, also those of a
 * socket that stays open for days.
 *
 * @returns stops the refresh
 */
export function startRoomRefresh(rooms: ConnectionRooms): () => void {
  const timer = setInterval(() => void rooms.refreshAll(), ROOM_REFRESH_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
