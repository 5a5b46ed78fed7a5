import { AccessTokens, CredentialsError } from './access-tokens.js';
import {
  credentialsOutcome,
  type FcmResponse,
  isAccessTokenRejected,
  isDeviceQuota,
  readFcmResponse,
  toPushOutcome,
} from './fcm-response.js';
import type { Push, PushOutcome, PushSender } from './push-outcome.js';
import type { FirebaseProject } from './service-account.js';
import { ThrottleGate } from './throttle-gate.js';

/** Tests override these. */
export interface FcmOptions {
  /** Origin of the service. */
  readonly endpoint?: string | undefined;
  readonly quotaPauseMs?: number | undefined;
}

const DEFAULT_ENDPOINT = 'https://fcm.googleapis.com';
const SEND_TIMEOUT_MS = 10_000;
/** FCM asks for this pause after a 429 without `Retry-After`. */
const DEFAULT_QUOTA_PAUSE_MS = 60_000;

/** Firebase Cloud Messaging, HTTP v1: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send */
export class Fcm implements PushSender {
  readonly #tokens: AccessTokens;
  readonly #gate = new ThrottleGate();
  readonly #url: string;
  readonly #quotaPauseMs: number;

  constructor(
    project: FirebaseProject,
    { endpoint = DEFAULT_ENDPOINT, quotaPauseMs = DEFAULT_QUOTA_PAUSE_MS }: FcmOptions = {},
  ) {
    this.#tokens = new AccessTokens(project.account);
    this.#url = `${endpoint}/v1/projects/${encodeURIComponent(project.projectId)}/messages:send`;
    this.#quotaPauseMs = quotaPauseMs;
  }

  getPauseMs(): number {
    return this.#gate.getRemainingMs();
  }

  async send(push: Push, signal: AbortSignal): Promise<PushOutcome> {
    const afterMs = this.getPauseMs();
    if (afterMs > 0) return { kind: 'deferred', afterMs };
    try {
      const answer = await this.#sendWithToken(push, signal);
      const outcome = toPushOutcome(answer, this.#quotaPauseMs);
      this.#updateGate(push, answer, outcome);
      return outcome;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CredentialsError) return credentialsOutcome(error.message);
      return {
        kind: 'later',
        reason: `FCM can't be reached: ${describeFetchError(error)}`,
        afterMs: 0,
        fault: 'server',
      };
    }
  }

  /** An access token may end early. A token that is refused is replaced once, at once. */
  async #sendWithToken(push: Push, signal: AbortSignal): Promise<FcmResponse> {
    const accessToken = await this.#tokens.get();
    const answer = await this.#post(push, accessToken, signal);
    if (!isAccessTokenRejected(answer)) return answer;
    this.#tokens.invalidate(accessToken);
    return await this.#post(push, await this.#tokens.get(), signal);
  }

  async #post(push: Push, accessToken: string, signal: AbortSignal): Promise<FcmResponse> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ message: toFcmMessage(push) }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]),
    });
    return await readFcmResponse(response);
  }

  #updateGate({ token }: Push, answer: FcmResponse, outcome: PushOutcome): void {
    if (outcome.kind === 'sent') this.#gate.recordSuccess();
    if (outcome.kind !== 'later') return;
    if (answer.status !== 429) this.#gate.block(outcome.afterMs);
    else if (!isDeviceQuota(answer)) this.#gate.recordThrottled(token, outcome.afterMs);
  }
}

/** FCM refuses data that are not strings. `originator` is the reference server's name for the sender. */
function toFcmMessage({ token, title, text, messageId, messageBox, recipient, originator }: Push): object {
  return {
    token,
    notification: { title, body: text },
    data: { messageId, messageBox, recipient, sender: originator, originator },
    android: { priority: 'high' },
    apns: {
      headers: { 'apns-push-type': 'alert', 'apns-priority': '10' },
      // Lets the app's extension replace the text before it is shown.
      payload: { aps: { 'mutable-content': 1 } },
    },
  };
}

/** The reason of a failed `fetch` is its cause. */
function describeFetchError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
