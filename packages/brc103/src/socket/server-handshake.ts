import { type Authenticator, addClientNonce, type IssuedSession, type Session } from '../authenticator.js';
import { AuthFailedError } from '../errors.js';
import type { InitialResponseFrame } from './client-frames.js';
import type { Clock } from './clock.js';
import type { InitialRequestKind } from './paced-send-queue.js';
import { createInitialRequest, type ServerInitialRequest } from './server-frames.js';
import type { SocketOwner } from './socket-owner.js';

/** How long a client may take to answer an initialRequest. Its wallet may have to ask a person. */
const ANSWER_TIMEOUT_MS = 5 * 60_000;

interface PendingRequest {
  readonly kind: InitialRequestKind;
  readonly session: IssuedSession;
  readonly sentAt: number;
  readonly cancelTimeout: () => void;
}

/** An initialRequest of the server that its client has answered. */
export interface AnsweredRequest {
  readonly kind: InitialRequestKind;
  /** The new session, with the nonce that the client has made for it. */
  readonly session: Session;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
}

/** The initialRequests that the server sends to one client, one at a time, and their answers. */
export class ServerHandshake {
  #pending: PendingRequest | undefined;

  /** @param owner is closed when an initialRequest was not answered within 5 minutes */
  constructor(
    private readonly authenticator: Authenticator,
    private readonly clock: Clock,
    private readonly owner: Pick<SocketOwner, 'closeUndelivered'>,
  ) {}

  /** Creates an initialRequest with a new session nonce for this client, and starts to wait for the answer. */
  begin(kind: InitialRequestKind, identityKey: string): ServerInitialRequest {
    const session = this.authenticator.mintSession(identityKey);
    const cancelTimeout = this.clock.startTimer(ANSWER_TIMEOUT_MS, () => this.owner.closeUndelivered('no_answer'));
    this.#pending = { kind, session, sentAt: this.clock.now(), cancelTimeout };
    return createInitialRequest(this.authenticator.identityKey, session.nonce);
  }

  /**
   * Verifies a client's answer, which proves that the client holds the identity's private key now.
   *
   * @returns undefined when the frame answers no pending request
   * @throws {AuthError} when the frame names another identity or its signature does not verify
   */
  complete(frame: InitialResponseFrame): AnsweredRequest | undefined {
    const pending = this.#pending;
    if (pending === undefined || frame.yourNonce !== pending.session.nonce) return undefined;
    const { kind, session, sentAt } = pending;
    if (frame.identityKey !== session.identityKey) throw new AuthFailedError("The identity key is not the session's");
    this.authenticator.verifyInitialResponse(session, frame.initialNonce, frame.signature);
    this.cancel();
    return { kind, session: addClientNonce(session, frame.initialNonce), sentAt };
  }

  /** Stops waiting for the answer. */
  cancel(): void {
    this.#pending?.cancelTimeout();
    this.#pending = undefined;
  }
}
