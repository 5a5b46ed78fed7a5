import type { WebPushKeys } from '@messagebox/store';

/** A notification for a device. It says that there is a message, and does not contain the body. */
export interface Push {
  /** The token of FCM, or the endpoint of a Web Push subscription. */
  readonly token: string;
  /** The keys of a Web Push subscription. Undefined for a token of FCM. */
  readonly webPushKeys: WebPushKeys | undefined;
  /** What the notification shows. */
  readonly title: string;
  readonly text: string;
  readonly messageId: string;
  readonly messageBox: string;
  /** The identity that the device is told for: one device may have several. */
  readonly recipient: string;
  /** Identity key of the message's sender. */
  readonly originator: string;
  /** When the message was stored: milliseconds since 1970. */
  readonly createdAt: number;
  /** When the message expires: milliseconds since 1970. Undefined: never. */
  readonly expiresAt: number | undefined;
}

/** How a push has ended. Reasons hold no secret and no token. */
export type PushOutcome =
  | { readonly kind: 'sent' }
  /** The token is no longer valid. */
  | { readonly kind: 'dead_token'; readonly reason: string }
  /** Not tried, because the service wants no pushes at all for `afterMs`. */
  | { readonly kind: 'deferred'; readonly afterMs: number }
  /** Try again after `afterMs` or later. The fault is `device` when there may be too many pushes to one device. */
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs: number; readonly fault: Fault }
  /** Google does not accept the credentials. Try again after `afterMs`, when they may have been corrected. */
  | { readonly kind: 'credentials'; readonly reason: string; readonly afterMs: number }
  /** Trying again is useless. With `server`, an operator must act. */
  | { readonly kind: 'refused'; readonly reason: string; readonly fault: Fault };

/** `device`: caused by the owner of the device, which anybody can repeat. `server`: caused by this server or Google. */
export type Fault = 'device' | 'server';

/** Sends pushes. When `signal` aborts, `send` rejects. */
export interface PushSender {
  send(push: Push, signal: AbortSignal): Promise<PushOutcome>;
  /** How long the service wants no pushes at all, in milliseconds; 0 or less when pushes may be sent. */
  getPauseMs(): number;
}
