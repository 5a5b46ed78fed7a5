import type { RequestHandler } from 'express';
import type { Authenticator, Session } from '../authenticator.js';
import { AuthError, AuthFailedError, SessionNotFoundError } from '../errors.js';
import { type AuthHeaders, parseAuthHeaders } from './auth-headers.js';
import type { AuthOutcome } from './auth-outcome.js';
import { type ClaimPlaces, claimInPlace } from './claim-in-place.js';
import { toClaimedRequest } from './claimed-request.js';
import type { ClientNonceStore } from './client-nonce-store.js';
import { ClientNonces, type FoundSession } from './client-nonces.js';
import { type FailureLimit, NO_FAILURE_LIMIT } from './failure-limit.js';
import { createHandshakeHandler } from './handshake-handler.js';
import { createRefuseRequest } from './refuse-request.js';
import { readBody } from './request-body.js';
import { type SignResponseOptions, signResponse } from './sign-response.js';
import type { StandInClaim } from './stand-in-sessions.js';
import { requireLiveSession, verifyRequest } from './verify-request.js';
import { IMMEDIATE_SCHEDULE, type WorkSchedule, waitForReadTurn } from './work-schedule.js';

/** The verified sender of a request: `req.auth`. */
export interface RequestAuth {
  /** The sender's identity key: 66 lower-case hex characters. */
  readonly identityKey: string;
  /** The BRC-103 session that the request was signed in. */
  readonly session: Session;
  /** The body as sent, not parsed. The signature covers all of it. Length 0 when the request has no body. */
  readonly rawBody: Buffer;
}

declare global {
  namespace Express {
    interface Request {
      /** Set by the authentication middleware, so it is never undefined in a handler behind it. */
      auth?: RequestAuth;
    }
  }
}

/** The argument of {@link createAuthMiddleware}. */
export interface AuthMiddlewareOptions extends ClaimPlaces {
  /** The server's authenticator. Share it with the socket.io transport, if there is one. */
  readonly authenticator: Authenticator;
  /** The largest request body, in bytes. A larger one is answered with 413. */
  readonly maxBodyBytes: number;
  /** The name of the setting that this limit comes from. A refusal names it to the client. Default: none. */
  readonly maxBodySetting?: string;
  /** Stores client nonces for all instances. Without it, only this process can serve a session, and sessions end with it. */
  readonly clientNonces?: ClientNonceStore;
  /** Called when the store of client nonces fails and the client only has to repeat the handshake. Must not throw. */
  readonly onClientNonceError?: (error: unknown) => void;
  /** Decides when the work of a request runs. Default: immediately. */
  readonly schedule?: WorkSchedule;
  /** Limits failed requests. Default: no limit. */
  readonly failureLimit?: FailureLimit;
  /** Called once per request or handshake, for metrics. Must not throw. */
  readonly onOutcome?: (outcome: AuthOutcome) => void;
}

/** The request handlers of {@link createAuthMiddleware}. */
export interface AuthMiddleware {
  /** The handler of `POST /.well-known/auth` (BRC-104). Mount it at the root of the origin. */
  readonly handshake: RequestHandler;
  /**
   * Authenticates requests and signs every response to them. Sets `req.auth`. Mount it before any body parser. Passes an
   * {@link AuthError} to `next` for a request that is not authenticated; that response is not signed.
   */
  readonly authenticate: RequestHandler;
  /** Like {@link authenticate}, for routes of another kind. */
  createAuthenticate(route: RouteKind): RequestHandler;
}

/** The properties of a route that authentication uses. */
export interface RouteKind {
  /** The largest request body, in bytes. Default: that of all routes. */
  readonly maxBodyBytes?: number;
  /** Whether the route changes nothing, so that its requests go on while the store takes no writes. Default: false. */
  readonly isReadOnly?: boolean;
}

/** Request headers that change a response, but that the signature does not cover. */
const CONDITIONAL_HEADERS = [
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
] as const;

/** Creates the request handlers that authenticate Express 5 requests by BRC-103 and BRC-104. */
export function createAuthMiddleware(options: AuthMiddlewareOptions): AuthMiddleware {
  const { authenticator, maxBodyBytes, schedule = IMMEDIATE_SCHEDULE, failureLimit = NO_FAILURE_LIMIT } = options;
  const report = options.onOutcome ?? (() => {});
  const refuse = createRefuseRequest(schedule, report);
  const clientNonces = new ClientNonces({
    authenticator,
    store: options.clientNonces,
    standIns: options.standIns,
    onStoreError: options.onClientNonceError,
  });

  const createAuthenticate =
    ({ maxBodyBytes: maxBytes = maxBodyBytes, isReadOnly = false }: RouteKind): RequestHandler =>
    async (req, res, next) => {
      const setting = maxBytes === maxBodyBytes ? options.maxBodySetting : undefined;
      let headers: AuthHeaders;
      let found: FoundSession;
      let rawBody: Buffer | undefined;
      let provenSession: string | undefined;
      try {
        headers = parseAuthHeaders(req.rawHeaders);
        // A nonce is valid for one identity only, so a request that claims another one is refused before its body is read.
        const open = requireLiveSession(authenticator, headers);
        if (clientNonces.isProven(open)) provenSession = open.nonce;
        await failureLimit.checkLimit(req, provenSession);
        const waitForTurn = (bytes: number) => waitForReadTurn(schedule, req, open.identityKey, bytes);
        rawBody = await readBody(req, maxBytes, waitForTurn, setting);
        if (!rawBody) {
          report('aborted');
          return;
        }
        await verifyRequest({ authenticator, schedule, session: open, headers, req, body: rawBody });
        // The request had no effect yet, so a client whose nonce is not stored any more can repeat it in a new session.
        const known = await clientNonces.find(open);
        if (known === undefined) throw new SessionNotFoundError();
        found = known;
      } catch (error) {
        if (error instanceof AuthError) failureLimit.recordFailure(req, provenSession);
        await refuse(req, res, next, error);
        return;
      }

      const session: Session = found.session;
      const context: SignResponseOptions = {
        authenticator,
        session,
        requestId: headers.requestId,
        runInTurn: (work) => schedule.run(req, session.identityKey, work),
        onSigned: (ms) => schedule.charge(req, session.identityKey, ms),
      };
      req.auth = { identityKey: session.identityKey, session, rawBody };
      const proving = clientNonces.markProven(found);
      let claim: StandInClaim;
      try {
        claim = await claimInPlace(options, found, toClaimedRequest(authenticator, session, headers, isReadOnly));
      } catch (error) {
        report('error');
        signResponse(req, res, context);
        next(error);
        return;
      }
      if (claim !== 'first') {
        delete req.auth;
        const isRepeated = claim === 'repeated';
        report(isRepeated ? 'replayed' : 'session_not_found');
        // Not signed, so that AuthFetch repeats the request with a new nonce if a proxy has sent it twice.
        next(isRepeated ? new AuthFailedError('This request was already used') : new SessionNotFoundError());
        return;
      }
      await proving;
      schedule.noteProven(req, session.identityKey);
      for (const name of CONDITIONAL_HEADERS) delete req.headers[name];
      signResponse(req, res, context);
      report('ok');
      try {
        await schedule.run(req, session.identityKey, () => next());
      } catch (error) {
        next(error);
      }
    };

  return {
    handshake: createHandshakeHandler({ authenticator, clientNonces, schedule, report, refuse }),
    authenticate: createAuthenticate({}),
    createAuthenticate,
  };
}
