import type { Hash } from 'node:crypto';
import type { Request } from 'express';
import type { Authenticator, IssuedSession } from '../authenticator.js';
import { SessionNotFoundError } from '../errors.js';
import type { AuthHeaders } from './auth-headers.js';
import { hashPayload, hashPayloadInChunks, needsChunkedHash } from './payload-hash.js';
import { encodeRequestPayloadHead } from './request-payload.js';
import type { WorkSchedule } from './work-schedule.js';

/**
 * Verifies the session nonce of a request, before its body is read.
 *
 * @throws {SessionNotFoundError} when the nonce was not issued to the claimed identity, or is too old
 */
export function requireLiveSession(authenticator: Authenticator, headers: AuthHeaders): IssuedSession {
  const session = authenticator.verifySessionNonce(headers.yourNonce, headers.identityKey);
  if (authenticator.getAgeMs(session) > authenticator.sessionLifetimeMs) throw new SessionNotFoundError();
  return session;
}

/** The argument of {@link verifyRequest}. */
export interface VerifyRequestOptions {
  readonly authenticator: Authenticator;
  readonly schedule: WorkSchedule;
  readonly session: IssuedSession;
  readonly headers: AuthHeaders;
  readonly req: Request;
  readonly body: Buffer;
}

/**
 * Verifies the signature of a request. A large body is hashed in chunks.
 *
 * @throws {AuthError} when it does not verify, and what `schedule.run` throws
 */
export async function verifyRequest({
  authenticator,
  schedule,
  session,
  headers,
  req,
  body,
}: VerifyRequestOptions): Promise<void> {
  const { method, originalUrl: url, rawHeaders } = req;
  const inTurn = <T>(work: () => T) => schedule.run(req, session.identityKey, work);
  const encodeHead = () =>
    encodeRequestPayloadHead({ requestId: headers.requestId, method, url, rawHeaders, bodyBytes: body.length });
  const verify = (payload: Hash) => authenticator.verifyGeneral(session, headers.nonce, payload, headers.signature);
  if (!needsChunkedHash(body.length)) {
    await inTurn(() => verify(hashPayload(encodeHead(), body)));
    return;
  }
  const payload = await hashPayloadInChunks(await inTurn(encodeHead), [body], inTurn);
  await inTurn(() => verify(payload));
}
