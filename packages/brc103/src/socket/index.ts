export { AuthSocket, type AuthSocketLimits, type DeliveryProblem, SESSION_REFRESHED } from './auth-socket.js';
export { type AuthSocketHandlers, AuthSocketServer, type AuthSocketServerOptions } from './auth-socket-server.js';
export type { Clock } from './clock.js';
export { isPushable, isSpeakableEventName, MAX_EVENT_BYTES, MAX_EVENT_NAME_BYTES } from './event-limits.js';
export { MIN_FRAME_BYTES_PER_SECOND } from './frame-pace.js';
export type { SocketEvent } from './frames.js';
export type { MemoryAccount } from './unproven-memory.js';
export type { AdmitUnproven } from './unproven-places.js';
