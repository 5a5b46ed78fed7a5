import type { NewMessage } from '../store/index.js';
import { bodyText, storedBody } from './message-body.js';
import { isMessageId, isName, MESSAGE_ID_FORM } from './names.js';
import { RuleError } from './rule-error.js';

/** Bytes of a body, times its recipients: each gets a copy, so that a small request can be a lot to store. */
const MAX_COPIED_BYTES = 64 * 1024 * 1024;

/** Gives the canonical form of an identity key in any spelling of a valid key, or undefined. */
export type NormaliseKey = (key: string) => string | undefined;

/** A send that passed every check that needs no database. `messages` are aligned with `liveBody`. */
export interface SendCommand {
  readonly sender: string;
  readonly messageBox: string;
  readonly messages: readonly NewMessage[];
  /** What is pushed live: the body as it was sent, where the stored form may be wrapped. */
  readonly liveBody: string;
  /** Whatever came as `payment`, unchecked; undefined when none did. */
  readonly payment: unknown;
  /** Whether the caller addressed one recipient, which decides the shape of the answer. */
  readonly single: boolean;
}

/**
 * Checks a `/sendMessage` request in the documented order, all but its payment.
 *
 * @param request the parsed body: `{message: {recipient | recipients, messageBox, messageId, body}, payment?}`; anything may come
 * @param sender identity key of the session
 * @param maxRecipients of one send
 * @throws {RuleError} with the first code that applies
 */
export function parseSend(
  request: unknown,
  sender: string,
  normaliseKey: NormaliseKey,
  maxRecipients: number,
): SendCommand {
  const message = field(request, 'message');
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw new RuleError('ERR_MESSAGE_REQUIRED', 'Please provide a valid message to send.');
  }
  const messageBox = field(message, 'messageBox');
  if (!isName(messageBox)) {
    throw new RuleError('ERR_INVALID_MESSAGEBOX', 'messageBox must be a text of 1 to 255 characters.');
  }
  const body = bodyText(field(message, 'body'));
  if (body === undefined) {
    throw new RuleError('ERR_INVALID_MESSAGE_BODY', 'body must be a non-empty string or an object.');
  }
  const recipients = listOfRecipients(message, maxRecipients);
  const messageIds = listOfIds(field(message, 'messageId'), recipients.length);
  const keys = recipients.map((recipient) => {
    const key = typeof recipient === 'string' ? normaliseKey(recipient) : undefined;
    if (key === undefined) throw new RuleError('ERR_INVALID_RECIPIENT_KEY', 'A recipient is not a valid public key.');
    return key;
  });
  const stored = storedBody(body);
  if (keys.length > 1 && Buffer.byteLength(stored) * keys.length > MAX_COPIED_BYTES) {
    const description = `This body is too large for ${keys.length} recipients at once. Send it in portions.`;
    throw new RuleError('ERR_MESSAGE_TOO_LARGE', description, 413);
  }
  return {
    sender,
    messageBox,
    messages: keys.map((recipient, i) => ({
      recipient,
      messageBox,
      messageId: messageIds[i] as string,
      sender,
      body: stored,
    })),
    liveBody: body,
    payment: field(request, 'payment') ?? undefined,
    single: keys.length === 1,
  };
}

function listOfRecipients(message: object, maxRecipients: number): unknown[] {
  const several = field(message, 'recipients');
  const one = field(message, 'recipient');
  const list = Array.isArray(several) ? several : Array.isArray(one) ? one : isFilled(one) ? [one] : [];
  if (list.length === 0 || !list.every(isFilled)) {
    throw new RuleError('ERR_RECIPIENT_REQUIRED', 'Please provide at least one recipient.');
  }
  if (list.length > maxRecipients) {
    const description = `A message may have at most ${maxRecipients} recipients. Send it in portions.`;
    throw new RuleError('ERR_TOO_MANY_RECIPIENTS', description);
  }
  return list;
}

function listOfIds(given: unknown, count: number): string[] {
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0)) {
    throw new RuleError('ERR_MESSAGEID_REQUIRED', 'Missing messageId.');
  }
  const ids: unknown[] = Array.isArray(given) ? given : [given];
  if (ids.length !== count) {
    throw new RuleError(
      'ERR_MESSAGEID_COUNT_MISMATCH',
      `${count} recipients need ${count} message ids; ${ids.length} came.`,
    );
  }
  if (!ids.every(isMessageId)) {
    throw new RuleError('ERR_INVALID_MESSAGEID', `Each messageId must be ${MESSAGE_ID_FORM}.`);
  }
  return ids;
}

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

/** An own property of whatever came: a prototype's never counts. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
