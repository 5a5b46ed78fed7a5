import type { RequestHandler } from 'express';
import type { Authenticator } from '../authenticator.js';
import { MalformedAuthError } from '../errors.js';
import type { AuthOutcome } from './auth-outcome.js';
import type { ClientNonces } from './client-nonces.js';
import type { RefuseRequest } from './refuse-request.js';
import { readBody } from './request-body.js';
import type { WorkSchedule } from './work-schedule.js';

/** The limit for the body of a handshake. Current clients send about 250 bytes. */
const MAX_HANDSHAKE_BYTES = 16 * 1024;

/** The argument of {@link createHandshakeHandler}. */
export interface HandshakeHandlerOptions {
  readonly authenticator: Authenticator;
  readonly clientNonces: ClientNonces;
  readonly schedule: WorkSchedule;
  readonly report: (outcome: AuthOutcome) => void;
  readonly refuse: RefuseRequest;
}

/** Creates the handler of `POST /.well-known/auth` (BRC-104), which answers in JSON and in headers. */
export function createHandshakeHandler(options: HandshakeHandlerOptions): RequestHandler {
  const { authenticator, clientNonces, schedule, report, refuse } = options;
  return async (req, res, next) => {
    try {
      const body = await readBody(req, MAX_HANDSHAKE_BYTES);
      if (!body) {
        report('aborted');
        return;
      }
      // Stored before the response is sent, because the client's next request may reach any instance.
      const { response } = await clientNonces.begin(() =>
        schedule.run(req, undefined, () => authenticator.answerHandshake(parseHandshakeJson(body))),
      );
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
}

function parseHandshakeJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new MalformedAuthError('The handshake is not JSON');
  }
}
