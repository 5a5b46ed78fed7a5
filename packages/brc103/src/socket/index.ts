export { AuthSocket, type AuthSocketLimits } from './auth-socket.js';
export { type AuthSocketHandlers, AuthSocketServer, type AuthSocketServerOptions } from './auth-socket-server.js';
export type { SocketEvent } from './frames.js';
