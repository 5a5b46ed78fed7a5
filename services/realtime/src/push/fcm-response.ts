import { getField } from '@messagebox/messages';
import type { PushOutcome } from './push-outcome.js';
import { parseRetryAfter } from './retry-after.js';

/** An answer of FCM to a push. */
export interface FcmResponse {
  readonly status: number;
  /** Undefined without a valid `Retry-After`. */
  readonly retryAfterMs: number | undefined;
  /** `error` of the body; undefined for other bodies, such as the page of a proxy. */
  readonly error: unknown;
}

const CREDENTIALS_RETRY_AFTER_MS = 60_000;
const MAX_RESPONSE_LENGTH = 65_536;

export async function readFcmResponse(response: Response): Promise<FcmResponse> {
  const { status, headers } = response;
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'));
  if (response.ok) {
    await response.body?.cancel();
    return { status, retryAfterMs, error: undefined };
  }
  const text = (await response.text()).slice(0, MAX_RESPONSE_LENGTH);
  try {
    return { status, retryAfterMs, error: getField(JSON.parse(text), 'error') };
  } catch {
    return { status, retryAfterMs, error: undefined };
  }
}

/**
 * FCM's own code decides before the status, which is ambiguous: 401 and 403 may be about the device.
 *
 * @param quotaPauseMs pause after a 429 without `Retry-After`
 */
export function toPushOutcome({ status, retryAfterMs, error }: FcmResponse, quotaPauseMs: number): PushOutcome {
  if (status >= 200 && status < 300) return { kind: 'sent' };
  const code = findFcmCode(error);
  const reason = `FCM answered ${status} ${code ?? String(getField(error, 'status') ?? '')}`.trim();
  if (code === 'UNREGISTERED') return { kind: 'dead_token', reason };
  // Anybody can register a token of an app of their own, which causes this.
  if (code === 'SENDER_ID_MISMATCH') return { kind: 'refused', reason, fault: 'device' };
  if (code === THIRD_PARTY_ERROR_CODE)
    return serverFaultOutcome(`${reason}: see to the APNs key and the web push key in the Firebase console`);
  if (status === 429) return { kind: 'later', reason, afterMs: retryAfterMs ?? quotaPauseMs, fault: 'device' };
  if (status >= 500) return { kind: 'later', reason, afterMs: retryAfterMs ?? 0, fault: 'server' };
  if (status === 401 || status === 403) return credentialsOutcome(reason);
  if (status === 400 && isDeviceTokenInvalid(error)) return { kind: 'dead_token', reason };
  // Without a code, this may be about the project and not about the device.
  if (status === 404) return serverFaultOutcome(`${reason}: is FIREBASE_PROJECT_ID right?`);
  return serverFaultOutcome(reason);
}

export function credentialsOutcome(reason: string): PushOutcome {
  return { kind: 'credentials', reason, afterMs: CREDENTIALS_RETRY_AFTER_MS };
}

/** Whether the access token was refused. */
export function isAccessTokenRejected({ status, error }: FcmResponse): boolean {
  return status === 401 && findFcmCode(error) !== THIRD_PARTY_ERROR_CODE;
}

/** Whether the device's own limit was reached: google.rpc.QuotaFailure names it. */
export function isDeviceQuota({ error }: FcmResponse): boolean {
  const violations = collectLists(error, 'violations');
  return violations.some((one) =>
    ['subject', 'description'].some((name) => /device/i.test(String(getField(one, name)))),
  );
}

/** Apple, or the push service of a browser, does not accept the key of the Firebase project. */
const THIRD_PARTY_ERROR_CODE = 'THIRD_PARTY_AUTH_ERROR';

function serverFaultOutcome(reason: string): PushOutcome {
  return { kind: 'refused', reason, fault: 'server' };
}

function getDetails(error: unknown): unknown[] {
  const details = getField(error, 'details');
  return Array.isArray(details) ? details : [];
}

/** The elements of all lists that the details have under this name. */
function collectLists(error: unknown, name: string): unknown[] {
  return getDetails(error).flatMap((detail) => {
    const list = getField(detail, name);
    return Array.isArray(list) ? list : [];
  });
}

function findFcmCode(error: unknown): string | undefined {
  const codes = getDetails(error).map((detail) => getField(detail, 'errorCode'));
  return codes.find((code) => typeof code === 'string');
}

/** INVALID_ARGUMENT may be about any part of the message. The token is dead only when it is about the token. */
function isDeviceTokenInvalid(error: unknown): boolean {
  const violations = collectLists(error, 'fieldViolations').map((violation) => getField(violation, 'field'));
  if (violations.length > 0) return violations.every((name) => name === 'message.token');
  return findFcmCode(error) === 'INVALID_ARGUMENT' && /registration token/i.test(String(getField(error, 'message')));
}
