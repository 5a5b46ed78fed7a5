import { AccessTokens, CredentialsError } from './access-tokens.js';
import { credentials, type FcmAnswer, isAboutAccessToken, namesDevice, outcomeOf, readAnswer } from './fcm-answer.js';
import { ProjectPause } from './project-pause.js';
import type { Push, PushOutcome, PushSender } from './push-outcome.js';
import type { FirebaseProject } from './service-account.js';

/** Other than usual, for tests. */
export interface FcmOptions {
  /** Origin of the service. */
  readonly endpoint?: string | undefined;
  readonly quotaPauseMs?: number | undefined;
}

const ENDPOINT = 'https://fcm.googleapis.com';
const TITLE = 'New Message';
const TIMEOUT_MS = 10_000;
/** What FCM asks for after a 429 that does not say when. */
const QUOTA_PAUSE_MS = 60_000;

/** Firebase Cloud Messaging, HTTP v1: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send */
export class Fcm implements PushSender {
  readonly #tokens: AccessTokens;
  readonly #pause = new ProjectPause();
  readonly #url: string;
  readonly #quotaPauseMs: number;

  constructor(project: FirebaseProject, { endpoint = ENDPOINT, quotaPauseMs = QUOTA_PAUSE_MS }: FcmOptions = {}) {
    this.#tokens = new AccessTokens(project.account);
    this.#url = `${endpoint}/v1/projects/${encodeURIComponent(project.projectId)}/messages:send`;
    this.#quotaPauseMs = quotaPauseMs;
  }

  async send(push: Push, signal: AbortSignal): Promise<PushOutcome> {
    const afterMs = this.#pause.remainingMs();
    if (afterMs > 0) return { kind: 'held', afterMs };
    try {
      const answer = await this.#ask(push, signal);
      const outcome = outcomeOf(answer, this.#quotaPauseMs);
      this.#notePause(push, answer, outcome);
      return outcome;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CredentialsError) return credentials(error.message);
      return { kind: 'later', reason: `FCM can't be reached: ${reasonOf(error)}`, afterMs: 0, fault: 'server' };
    }
  }

  /** An access token may end before its time: one that is not taken is replaced once, at once. */
  async #ask(push: Push, signal: AbortSignal): Promise<FcmAnswer> {
    const accessToken = await this.#tokens.get();
    const answer = await this.#post(push, accessToken, signal);
    if (!isAboutAccessToken(answer)) return answer;
    this.#tokens.forget(accessToken);
    return await this.#post(push, await this.#tokens.get(), signal);
  }

  async #post(push: Push, accessToken: string, signal: AbortSignal): Promise<FcmAnswer> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ message: messageOf(push) }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return await readAnswer(response);
  }

  #notePause({ token }: Push, answer: FcmAnswer, outcome: PushOutcome): void {
    if (outcome.kind === 'sent') this.#pause.succeeded();
    if (outcome.kind !== 'later') return;
    if (answer.status !== 429) this.#pause.begin(outcome.afterMs);
    else if (!namesDevice(answer)) this.#pause.throttled(token, outcome.afterMs);
  }
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

/** `fetch` says little more than that it failed; why is its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
