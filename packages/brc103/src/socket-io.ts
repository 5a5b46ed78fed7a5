/** BRC-103 (mutual authentication) over the sockets of a socket.io 4.8 server. Needs `socket.io`. */
export { type AuthSocket, SESSION_REFRESHED } from './socket/auth-socket.js';
export type { AuthSocketLimits } from './socket/auth-socket-limits.js';
export {
  type AdmitSocket,
  type AuthSocketHandlers,
  AuthSocketServer,
  type AuthSocketServerOptions,
} from './socket/auth-socket-server.js';
export type { SocketEvent } from './socket/client-frames.js';
export type { Clock } from './socket/clock.js';
export type { DeliveryProblem } from './socket/delivery-problem.js';
export { fitsInEvent, isAcceptedEventName, MAX_EVENT_BYTES, MAX_EVENT_NAME_BYTES } from './socket/event-limits.js';
export type { Broadcast } from './socket/signed-broadcast.js';
export type { SendBufferLimits } from './socket/slow-client-detector.js';
export { MIN_FRAME_BYTES_PER_SECOND } from './socket/slow-frame-detector.js';
export type { MemoryReservation } from './socket/unproven-memory-budget.js';
export type { AdmitUnproven } from './socket/unproven-slots.js';
