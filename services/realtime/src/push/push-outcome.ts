/** What a device is told: that there is a message, not what it says. */
export interface Push {
  readonly token: string;
  readonly messageId: string;
  /** Identity key of the message's sender. */
  readonly originator: string;
}

/** How a push has ended. Reasons hold no secret and no token. */
export type PushOutcome =
  | { readonly kind: 'sent' }
  /** The token is nobody's any more. */
  | { readonly kind: 'dead_token'; readonly reason: string }
  /** Not tried: the service wants no pushes at all for so long. */
  | { readonly kind: 'held'; readonly afterMs: number }
  /** Try again, not before `afterMs`. Of `device` when it may be that one device is pushed to too often. */
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs: number; readonly fault: Fault }
  /** Google does not accept our credentials; try again, when they may have been mended. */
  | { readonly kind: 'credentials'; readonly reason: string; readonly afterMs: number }
  /** Trying again is of no use. Of `device` when that is its owner's doing, else of `server`: somebody must mend it. */
  | { readonly kind: 'refused'; readonly reason: string; readonly fault: Fault };

/** `device`: its owner's doing, which anybody can repeat at will. `server`: ours or Google's. */
export type Fault = 'device' | 'server';

/** Sends pushes. `signal` gives a push up, which rejects. */
export interface PushSender {
  send(push: Push, signal: AbortSignal): Promise<PushOutcome>;
}
