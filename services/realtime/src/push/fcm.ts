import { field } from '@messagebox/shared';
import { AccessTokens, CredentialsError } from './access-tokens.js';
import type { FirebaseProject } from './service-account.js';

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
  /** Try again, not before `afterMs`. */
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs: number }
  /** Google does not accept our credentials; try again, when they may have been mended. */
  | { readonly kind: 'credentials'; readonly reason: string; readonly afterMs: number }
  /** Trying again is of no use. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Sends pushes. `signal` gives a push up, which rejects. */
export interface PushSender {
  send(push: Push, signal: AbortSignal): Promise<PushOutcome>;
}

const ENDPOINT = 'https://fcm.googleapis.com';
const TITLE = 'New Message';
const TIMEOUT_MS = 10_000;
/** What FCM asks for after a 429 that does not say when. */
const QUOTA_PAUSE_MS = 60_000;
const CREDENTIALS_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;
const LARGEST_ANSWER = 65_536;

/**
 * Firebase Cloud Messaging, HTTP v1: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
 *
 * After an answer with Retry-After no push is tried before that time: the quota is the project's, not the device's.
 */
export class Fcm implements PushSender {
  readonly #tokens: AccessTokens;
  readonly #url: string;
  #quietUntil = 0;

  /** @param endpoint origin of the service, for tests */
  constructor(project: FirebaseProject, endpoint = ENDPOINT) {
    this.#tokens = new AccessTokens(project.account);
    this.#url = `${endpoint}/v1/projects/${encodeURIComponent(project.projectId)}/messages:send`;
  }

  async send(push: Push, signal: AbortSignal): Promise<PushOutcome> {
    const quietMs = this.#quietUntil - Date.now();
    if (quietMs > 0) return { kind: 'later', reason: 'FCM has asked for a pause', afterMs: quietMs };
    try {
      const accessToken = await this.#tokens.get();
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ message: messageOf(push) }),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      if (response.ok) {
        await response.body?.cancel();
        return { kind: 'sent' };
      }
      if (response.status === 401) this.#tokens.forget(accessToken);
      return this.#outcomeOf(response, await jsonOf(response));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CredentialsError) return credentials(error.message);
      return { kind: 'later', reason: `FCM can't be reached: ${reasonOf(error)}`, afterMs: 0 };
    }
  }

  #outcomeOf(response: Response, answer: unknown): PushOutcome {
    const { status } = response;
    const error = field(answer, 'error');
    const code = fcmCode(error) ?? String(field(error, 'status') ?? '');
    const reason = `FCM answered ${status} ${code}`.trim();
    if (status === 429 || status >= 500) return this.#later(response, reason);
    if (code === 'UNREGISTERED' || (status === 404 && code === 'NOT_FOUND')) return { kind: 'dead_token', reason };
    if (status === 400 && isAboutToken(error)) return { kind: 'dead_token', reason };
    if (code === 'SENDER_ID_MISMATCH') return { kind: 'refused', reason };
    if (status === 401 || status === 403) return credentials(reason);
    return { kind: 'refused', reason };
  }

  #later(response: Response, reason: string): PushOutcome {
    const asked = retryAfterMs(response.headers.get('retry-after'));
    const afterMs = asked ?? (response.status === 429 ? QUOTA_PAUSE_MS : 0);
    this.#quietUntil = Math.max(this.#quietUntil, Date.now() + afterMs);
    return { kind: 'later', reason, afterMs };
  }
}

function credentials(reason: string): PushOutcome {
  return { kind: 'credentials', reason, afterMs: CREDENTIALS_PAUSE_MS };
}

function messageOf({ token, messageId, originator }: Push): object {
  return {
    token,
    notification: { title: TITLE, body: messageId },
    data: { messageId, originator },
    android: { priority: 'high' },
    apns: {
      headers: { 'apns-push-type': 'alert', 'apns-priority': '10' },
      // Lets the app's extension replace the text before it is shown.
      payload: { aps: { 'mutable-content': 1 } },
    },
  };
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = (await response.text()).slice(0, LARGEST_ANSWER);
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's page
  }
}

function detailsOf(error: unknown): unknown[] {
  const details = field(error, 'details');
  return Array.isArray(details) ? details : [];
}

function fcmCode(error: unknown): string | undefined {
  const codes = detailsOf(error).map((detail) => field(detail, 'errorCode'));
  return codes.find((code) => typeof code === 'string');
}

/** INVALID_ARGUMENT may be any part of the message's fault; only when it is the token's, the token is dead. */
function isAboutToken(error: unknown): boolean {
  const violations = detailsOf(error).flatMap((detail) => {
    const list = field(detail, 'fieldViolations');
    return Array.isArray(list) ? list.map((violation) => field(violation, 'field')) : [];
  });
  if (violations.length > 0) return violations.every((name) => name === 'message.token');
  return fcmCode(error) === 'INVALID_ARGUMENT' && /registration token/i.test(String(field(error, 'message')));
}

/** Seconds, or a date (RFC 9110, 10.2.3). @returns undefined for neither; an hour at most */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}

/** `fetch` says little more than that it failed; why is its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
