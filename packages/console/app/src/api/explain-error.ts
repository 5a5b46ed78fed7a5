import { ApiError } from './api-error.js';

/** What went wrong, and what to do about it, for people. */
export interface Explanation {
  readonly title: string;
  readonly advice: string;
}

/** By the codes of docs/errors.md. What is not here is told in the server's own words. */
const ADVICE: Readonly<Record<string, string>> = {
  ERR_DELIVERY_BLOCKED:
    'The recipient does not take messages of this identity in this box. Ask them for a permission, or choose another box.',
  ERR_MISSING_PAYMENT_TX:
    'This box charges for messages. Connect a wallet with some money on the page Identity, or choose a box that is free.',
  ERR_INBOX_QUOTA_EXCEEDED: 'The recipient has too many messages that are not acknowledged yet. Try again later.',
  ERR_SENDER_QUOTA_EXCEEDED: 'Too many messages of this identity are not acknowledged yet. Try again when they are.',
  ERR_MESSAGE_TOO_LARGE: 'Send a shorter text, or send it in parts.',
  ERR_BODY_TOO_LARGE: 'Send a shorter text, or send it in parts.',
  ERR_TOO_MANY_REQUESTS: 'Wait a few seconds, and try again.',
  ERR_STORE_UNAVAILABLE: 'The database does not answer the server. Try again in a moment; nothing was lost.',
  ERR_INVALID_RECIPIENT_KEY: 'Check the recipient’s key: it has 66 characters, and begins with 02 or 03.',
  ERR_IDENTITY_BLOCKED: 'An operator of this server has blocked this identity. Ask them, or use another one.',
  ERR_INVALID_ACKNOWLEDGMENT: 'The messages are gone already: acknowledged in another tab or by another program.',
  ERR_AUTH_FAILED: 'The session with the server has ended. Try again: a new one is made by itself.',
  ERR_NOT_JSON: 'A proxy between this browser and the server may be wrong. Try again, and ask who runs the server.',
};

/** Explains an error of a client or of the server. */
export function explainError(error: unknown): Explanation {
  const refusal = findRefusal(error);
  if (refusal?.code === 'ERR_NO_ANSWER') {
    return navigator.onLine
      ? {
          title: 'The server did not answer.',
          advice: 'It may be restarting. Nothing was lost here: try again in a moment.',
        }
      : { title: 'This device is offline.', advice: 'Nothing was lost here. Try again when the connection is back.' };
  }
  if (refusal !== undefined) {
    return { title: refusal.message, advice: ADVICE[refusal.code] ?? `The server's code for this is ${refusal.code}.` };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { title: 'This did not work.', advice: text };
}

/** The server's refusal among the causes of an error. */
function findRefusal(error: unknown): ApiError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApiError) return cause;
  }
  return undefined;
}
