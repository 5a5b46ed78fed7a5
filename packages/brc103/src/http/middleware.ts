import { createHash, type Hash } from 'node:crypto';
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import { type Authenticator, MAX_CLOCK_SKEW_MS, type OpenSession, type Session } from '../authenticator.js';
import {
  AuthError,
  AuthFailedError,
  BodyTooLargeError,
  MalformedAuthError,
  SessionNotFoundError,
  UnauthorizedError,
  UnsupportedEncodingError,
} from '../errors.js';
import { READING_MS_PER_BYTE } from '../portions.js';
import { type AuthHeaders, readAuthHeaders } from './auth-headers.js';
import { type ClientNonceStore, ClientNonces } from './client-nonces.js';
import { hashPayload, hashPayloadInSlices, isLongToHash } from './payload-hash.js';
import { discardBody, readBody } from './request-body.js';
import { requestPayloadHead } from './request-payload.js';
import { signResponse } from './sign-response.js';

/** Who sent a request, proven. */
export interface RequestAuth {
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  readonly session: Session;
  /** The body as sent, every byte of it signed; of length 0 when there was none. Not parsed. */
  readonly rawBody: Buffer;
}

declare global {
  namespace Express {
    interface Request {
      /** Set by the authentication middleware; handlers behind it always find it. */
      auth?: RequestAuth;
    }
  }
}

/** What makes a request unique, so that it can be refused the second time. */
export interface ClaimedRequest {
  /** SHA-256 over session nonce, request nonce and request id. 32 bytes. */
  readonly key: Uint8Array;
  /** When the session's age refuses a replay on any instance, however its clock goes. */
  readonly expiresAt: Date;
}

/** How one request, or one handshake, went. */
export type AuthOutcome =
  /** A request was authenticated. */
  | 'ok'
  /** A handshake was answered. */
  | 'handshake'
  /** It had no auth headers. */
  | 'unauthorized'
  | 'malformed'
  /** Signature or identity was not proven. */
  | 'failed'
  /** The session was foreign, too old or not kept any more; real clients shake hands again. */
  | 'session_not_found'
  | 'replayed'
  | 'too_large'
  | 'unsupported_encoding'
  /** The client went away before it was answered. */
  | 'aborted'
  /** Something else threw, such as `claimRequest`. */
  | 'error';

/** Runs work of a request when it is its client's turn, so that many clients share a process fairly. */
export interface WorkSchedule {
  /**
   * Runs `work`, which does not wait for anything.
   * @param identityKey whom the request claims to come from, where that is known; not proven yet
   * @param alsoMs what will be done elsewhere because of it, milliseconds
   * @throws what `work` throws; when the client asks for too much, the error that answers the request
   */
  run<T>(request: Request, identityKey: string | undefined, work: () => T, alsoMs?: number): Promise<T>;
  /** The identity of this request is proven. */
  noteProven(request: Request, identityKey: string): void;
  /** Accounts for work that was done elsewhere. Milliseconds. */
  charge(request: Request, identityKey: string | undefined, ms: number): void;
}

/**
 * Limits how often requests may fail to prove who they come from. A failure counts against the proven session that it claims
 * to belong to, or else against the request's address, so that nobody can use up another client's failures.
 */
export interface FailureLimit {
  /**
   * @param session the nonce of a proven session; undefined: the request's address counts
   * @throws the error that answers the request, when there were too many
   */
  check(request: Request, session: string | undefined): Promise<void>;
  count(request: Request, session: string | undefined): void;
}

export interface AuthMiddlewareOptions {
  readonly authenticator: Authenticator;
  /** Request bodies above this are answered with 413. Bytes. */
  readonly maxBodyBytes: number;
  /**
   * Remembers a verified request, and answers false when it was here before. Without it, a captured request can be sent
   * again for as long as its session lives. When it throws, the request fails with that error.
   */
  readonly claimRequest?: (request: ClaimedRequest) => boolean | Promise<boolean>;
  /** Where the clients' nonces are kept. Without one, sessions are served by this process only, and end with it. */
  readonly clientNonces?: ClientNonceStore;
  /** The store of client nonces failed in a way that costs nobody more than a handshake. Must not throw. */
  readonly onClientNonceError?: (error: unknown) => void;
  /** When the work of a request runs. Default: at once. */
  readonly schedule?: WorkSchedule;
  /** How often requests may fail. Default: as often as they like. */
  readonly failures?: FailureLimit;
  /** For metrics; called once per request or handshake. Must not throw. */
  readonly onOutcome?: (outcome: AuthOutcome) => void;
}

export interface AuthMiddleware {
  /** For `POST /.well-known/auth`, at the root of the origin. */
  readonly handshake: RequestHandler;
  /**
   * For everything behind it, and before any body parser. Sets `req.auth`, and signs whatever answers the request.
   * Passes an {@link AuthError} to `next`, unsigned, for a request that isn't authenticated.
   */
  readonly authenticate: RequestHandler;
  /** The same for routes whose requests are smaller: bodies above `maxBodyBytes` are answered with 413, unread. */
  authenticateUpTo(maxBodyBytes: number): RequestHandler;
}

/** A handshake has about 250 bytes. */
const MAX_HANDSHAKE_BYTES = 16 * 1024;

/** A failed request costs its client so many milliseconds beside the work itself: guessing and probing must not pay. */
const FAILURE_PENALTY_MS = 5;

const AT_ONCE: WorkSchedule = {
  run: async (_request, _identityKey, work) => work(),
  noteProven: () => {},
  charge: () => {},
};

const UNLIMITED: FailureLimit = { check: async () => {}, count: () => {} };

/** Request headers that change an answer, but are outside the signature. */
const CONDITIONAL_HEADERS = [
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
] as const;

/** BRC-103 and BRC-104 for Express 5. */
export function createAuthMiddleware(options: AuthMiddlewareOptions): AuthMiddleware {
  const { authenticator, maxBodyBytes, claimRequest, schedule = AT_ONCE, failures = UNLIMITED } = options;
  const report = options.onOutcome ?? (() => {});
  const clientNonces = new ClientNonces({
    authenticator,
    store: options.clientNonces,
    onStoreError: options.onClientNonceError,
  });

  const readInTurn = (req: Request, identityKey: string | undefined, bytes: number) =>
    schedule.run(req, identityKey, () => undefined, bytes * READING_MS_PER_BYTE);

  /** Passes the refusal on once the rest of the request is out of the way. */
  async function refuse(req: Request, res: Response, next: NextFunction, error: unknown): Promise<void> {
    report(outcomeOf(error));
    const rest = await discardBody(req, (bytes) => readInTurn(req, undefined, bytes));
    if (rest === 'aborted') return;
    if (rest === 'unfinished') res.set('Connection', 'close');
    schedule.charge(req, undefined, FAILURE_PENALTY_MS);
    try {
      await schedule.run(req, undefined, () => next(error));
    } catch (refusal) {
      next(refusal);
    }
  }

  const handshake: RequestHandler = async (req, res, next) => {
    try {
      const body = await readBody(req, MAX_HANDSHAKE_BYTES);
      if (!body) {
        report('aborted');
        return;
      }
      const { response, session } = await schedule.run(req, undefined, () =>
        authenticator.answerHandshake(parseJson(body)),
      );
      // Before the answer: the client's next request may reach any instance.
      await clientNonces.add(session);
      report('handshake');
      res.set({
        'Cache-Control': 'no-store',
        'x-bsv-auth-version': response.version,
        'x-bsv-auth-message-type': response.messageType,
        'x-bsv-auth-identity-key': response.identityKey,
        'x-bsv-auth-your-nonce': response.yourNonce,
        'x-bsv-auth-signature': Buffer.from(response.signature).toString('hex'),
      });
      res.status(200).json(response);
    } catch (error) {
      await refuse(req, res, next, error);
    }
  };

  const authenticateUpTo =
    (bodyBytes: number): RequestHandler =>
    async (req, res, next) => {
      let headers: AuthHeaders;
      let session: Session;
      let rawBody: Buffer | undefined;
      let provenSession: string | undefined;
      try {
        headers = readAuthHeaders(req.rawHeaders);
        // The nonce is authentic for one identity only, so whoever claims another is refused before the body costs anything.
        const open = openLiveSession(authenticator, headers);
        if (clientNonces.isProven(open)) provenSession = open.nonce;
        await failures.check(req, provenSession);
        rawBody = await readBody(req, bodyBytes, (bytes) => readInTurn(req, open.identityKey, bytes));
        if (!rawBody) {
          report('aborted');
          return;
        }
        await verifyRequest({ authenticator, schedule, session: open, headers, req, body: rawBody });
        // Nothing has happened yet, so a client whose nonce was not kept may safely repeat the request in a new session.
        const found = await clientNonces.find(open);
        if (found === undefined) throw new SessionNotFoundError();
        session = found;
      } catch (error) {
        if (error instanceof AuthError) failures.count(req, provenSession);
        await refuse(req, res, next, error);
        return;
      }

      const context = {
        authenticator,
        session,
        requestId: headers.requestId,
        runPiece: (work: () => void) => schedule.run(req, session.identityKey, work),
        onSigned: (ms: number) => schedule.charge(req, session.identityKey, ms),
      };
      req.auth = { identityKey: session.identityKey, session, rawBody };
      let isFirst: boolean;
      try {
        [isFirst] = await Promise.all([
          !claimRequest || claimRequest(claimOf(authenticator, session, headers)),
          clientNonces.markProven(session),
        ]);
      } catch (error) {
        report('error');
        signResponse(req, res, context);
        next(error);
        return;
      }
      if (!isFirst) {
        delete req.auth;
        report('replayed');
        // Unsigned, so that AuthFetch, should a proxy have sent its request twice, tries again under a new nonce.
        next(new AuthFailedError('This request was already used'));
        return;
      }
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

  return { handshake, authenticate: authenticateUpTo(maxBodyBytes), authenticateUpTo };
}

/**
 * Answers {@link AuthError} as JSON, `{status: 'error', code, description}`, and passes on everything else. Where there
 * were no auth headers at all, exactly `{status: 'error', code: 'UNAUTHORIZED', message: 'Mutual-authentication failed!'}`.
 */
export const authErrorHandler: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (!(error instanceof AuthError) || res.headersSent) {
    next(error);
    return;
  }
  const { code, message, status } = error;
  res.set('Cache-Control', 'no-store').status(status);
  res.json({ status: 'error', code, [error instanceof UnauthorizedError ? 'message' : 'description']: message });
};

function openLiveSession(authenticator: Authenticator, headers: AuthHeaders): OpenSession {
  const session = authenticator.openSession(headers.yourNonce, headers.identityKey);
  if (authenticator.age(session) > authenticator.sessionLifeMs) throw new SessionNotFoundError();
  return session;
}

interface RequestToProve {
  readonly authenticator: Authenticator;
  readonly schedule: WorkSchedule;
  readonly session: OpenSession;
  readonly headers: AuthHeaders;
  readonly req: Request;
  readonly body: Buffer;
}

async function verifyRequest({ authenticator, schedule, session, headers, req, body }: RequestToProve): Promise<void> {
  const { method, originalUrl: url, rawHeaders } = req;
  const inTurn = <T>(work: () => T) => schedule.run(req, session.identityKey, work);
  const headOf = () =>
    requestPayloadHead({ requestId: headers.requestId, method, url, rawHeaders, bodyBytes: body.length });
  const verify = (payload: Hash) => authenticator.verifyGeneral(session, headers.nonce, payload, headers.signature);
  if (!isLongToHash(body.length)) {
    await inTurn(() => verify(hashPayload(headOf(), body)));
    return;
  }
  const payload = await hashPayloadInSlices(await inTurn(headOf), body, inTurn);
  await inTurn(() => verify(payload));
}

function claimOf(authenticator: Authenticator, session: Session, { nonce, requestId }: AuthHeaders): ClaimedRequest {
  // Base64 holds no spaces, so the three can't be divided in any other way.
  const key = createHash('sha256')
    .update(`${session.nonce} ${nonce} ${requestId.toString('base64')}`)
    .digest();
  return { key, expiresAt: new Date(session.issuedAt + authenticator.sessionLifeMs + MAX_CLOCK_SKEW_MS) };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new MalformedAuthError('The handshake is not JSON');
  }
}

function outcomeOf(error: unknown): AuthOutcome {
  if (error instanceof UnauthorizedError) return 'unauthorized';
  if (error instanceof MalformedAuthError) return 'malformed';
  if (error instanceof SessionNotFoundError) return 'session_not_found';
  if (error instanceof AuthFailedError) return 'failed';
  if (error instanceof BodyTooLargeError) return 'too_large';
  if (error instanceof UnsupportedEncodingError) return 'unsupported_encoding';
  return 'error';
}
