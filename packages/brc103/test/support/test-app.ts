import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { type Authenticator, createAuthenticator } from '../../src/authenticator.js';
import { loadCurve } from '../../src/curve/load-curve.js';
import { authErrorHandler } from '../../src/http/auth-error-handler.js';
import { type AuthMiddlewareOptions, createAuthMiddleware, type RouteKind } from '../../src/http/auth-middleware.js';
import type { AuthOutcome } from '../../src/http/auth-outcome.js';

export const SERVER_KEY = Buffer.alloc(32, 7);

export interface TestApp {
  readonly url: string;
  readonly server: Server;
  readonly authenticator: Authenticator;
  /** All outcomes in order, including handshakes. */
  readonly outcomes: AuthOutcome[];
  /** Resolves when this outcome is reported next. */
  nextOutcome(outcome: AuthOutcome): Promise<void>;
  /** The requests that have reached a handler. */
  readonly handled: string[];
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

/** Starts an Express app on its own port. `routes` are mounted after the authentication. */
export async function startApp(
  routes: (app: Express, handled: string[]) => void,
  options: Partial<AuthMiddlewareOptions> = {},
  kind: RouteKind = {},
): Promise<TestApp> {
  const authenticator = options.authenticator ?? createAuthenticator({ privateKey: SERVER_KEY, curve: loadCurve() });
  const outcomes: AuthOutcome[] = [];
  const waiting = new Map<AuthOutcome, () => void>();
  const handled: string[] = [];
  const auth = createAuthMiddleware({
    authenticator,
    maxBodyBytes: 1024 * 1024,
    onOutcome(outcome) {
      outcomes.push(outcome);
      waiting.get(outcome)?.();
      waiting.delete(outcome);
    },
    ...options,
  });

  const app = express();
  app.post('/.well-known/auth', auth.handshake);
  app.use(auth.createAuthenticate(kind));
  app.use((req, _res, next) => {
    handled.push(`${req.method} ${req.originalUrl}`);
    next();
  });
  routes(app, handled);
  app.use((_req, res) => {
    res.status(404).json({ status: 'error', code: 'ERR_NOT_FOUND' });
  });
  app.use(authErrorHandler);
  const lastResort: ErrorRequestHandler = (error: unknown, _req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    res.status(500).json({ status: 'error', code: 'ERR_INTERNAL' });
  };
  app.use(lastResort);

  const server = createServer(app);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    server,
    authenticator,
    outcomes,
    nextOutcome: (outcome) => new Promise((resolve) => waiting.set(outcome, resolve)),
    handled,
    sockets,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}
