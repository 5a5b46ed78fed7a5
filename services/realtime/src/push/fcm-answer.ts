import { field } from '@messagebox/shared';
import type { PushOutcome } from './push-outcome.js';

/** What FCM said to a push. */
export interface FcmAnswer {
  readonly status: number;
  /** When it says so. */
  readonly retryAfterMs: number | undefined;
  /** `error` of the body; undefined for what is no error of FCM, such as a proxy's page. */
  readonly error: unknown;
}

const CREDENTIALS_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;
const LARGEST_ANSWER = 65_536;

export async function readAnswer(response: Response): Promise<FcmAnswer> {
  const { status, headers } = response;
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'));
  if (response.ok) {
    await response.body?.cancel();
    return { status, retryAfterMs, error: undefined };
  }
  const text = (await response.text()).slice(0, LARGEST_ANSWER);
  try {
    return { status, retryAfterMs, error: field(JSON.parse(text), 'error') };
  } catch {
    return { status, retryAfterMs, error: undefined };
  }
}

/**
 * Decides by FCM's own code before the status, which says too little: 401 and 403 may be about the device.
 *
 * @param quotaPauseMs what a 429 means that does not say when
 */
export function outcomeOf({ status, retryAfterMs, error }: FcmAnswer, quotaPauseMs: number): PushOutcome {
  if (status >= 200 && status < 300) return { kind: 'sent' };
  const code = fcmCode(error);
  const reason = `FCM answered ${status} ${code ?? String(field(error, 'status') ?? '')}`.trim();
  if (code === 'UNREGISTERED') return { kind: 'dead_token', reason };
  // Whoever registers a token of an app of their own gets this.
  if (code === 'SENDER_ID_MISMATCH') return { kind: 'refused', reason, fault: 'device' };
  if (code === THIRD_PARTY) return ours(`${reason}: see to the APNs key and the web push key in the Firebase console`);
  if (status === 429) return { kind: 'later', reason, afterMs: retryAfterMs ?? quotaPauseMs, fault: 'device' };
  if (status >= 500) return { kind: 'later', reason, afterMs: retryAfterMs ?? 0, fault: 'server' };
  if (status === 401 || status === 403) return credentials(reason);
  if (status === 400 && isAboutToken(error)) return { kind: 'dead_token', reason };
  // Without a code this may be about the project, and so about every device.
  if (status === 404) return ours(`${reason}: is FIREBASE_PROJECT_ID right?`);
  return ours(reason);
}

export function credentials(reason: string): PushOutcome {
  return { kind: 'credentials', reason, afterMs: CREDENTIALS_PAUSE_MS };
}

/** Whether the access token is no longer taken. */
export function isAboutAccessToken({ status, error }: FcmAnswer): boolean {
  return status === 401 && fcmCode(error) !== THIRD_PARTY;
}

/** Whether it is the device's own limit that was reached: google.rpc.QuotaFailure names it. */
export function namesDevice({ error }: FcmAnswer): boolean {
  const violations = listsOf(error, 'violations');
  return violations.some((one) => ['subject', 'description'].some((name) => /device/i.test(String(field(one, name)))));
}

/** Apple, or a browser's push service, does not accept what Firebase shows them. */
const THIRD_PARTY = 'THIRD_PARTY_AUTH_ERROR';

function ours(reason: string): PushOutcome {
  return { kind: 'refused', reason, fault: 'server' };
}

function detailsOf(error: unknown): unknown[] {
  const details = field(error, 'details');
  return Array.isArray(details) ? details : [];
}

/** What all details have under this name, if it is a list. */
function listsOf(error: unknown, name: string): unknown[] {
  return detailsOf(error).flatMap((detail) => {
    const list = field(detail, name);
    return Array.isArray(list) ? list : [];
  });
}

function fcmCode(error: unknown): string | undefined {
  const codes = detailsOf(error).map((detail) => field(detail, 'errorCode'));
  return codes.find((code) => typeof code === 'string');
}

/** INVALID_ARGUMENT may be any part of the message's fault; only when it is the token's, the token is dead. */
function isAboutToken(error: unknown): boolean {
  const violations = listsOf(error, 'fieldViolations').map((violation) => field(violation, 'field'));
  if (violations.length > 0) return violations.every((name) => name === 'message.token');
  return fcmCode(error) === 'INVALID_ARGUMENT' && /registration token/i.test(String(field(error, 'message')));
}

/** Seconds, or a date (RFC 9110, 10.2.3). @returns undefined for neither; an hour at most */
function parseRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}
