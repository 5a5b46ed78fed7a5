import type { MessageUpload, NewMessage } from '@messagebox/store';
import { parseExpiresAt } from './expires-at.js';
import { toBodyText, toStoredBody } from './message-body.js';
import { createNameExcess, isMessageId, isName, MESSAGE_ID_FORMAT } from './names.js';
import { getField, isGiven, type NormaliseKey } from './request-fields.js';
import { RuleError } from './rule-error.js';
import { formatCount, MESSAGE_LIMITS } from './size-limits.js';
import { checkUploadId } from './upload-processor.js';

/** A send that has passed every check that needs no database. */
export interface SendCommand {
  readonly sender: string;
  readonly messageBox: string;
  /** One for each recipient, in the order of the request. */
  readonly messages: readonly NewMessage[];
  /** The body as it was sent, which live recipients get. The stored body may be wrapped. */
  readonly liveBody: string;
  /** The `payment` of the request, unchecked; undefined without one. */
  readonly payment: unknown;
  /** The sender's upload that belongs to the message; undefined without one. */
  readonly uploadId?: string | undefined;
  /** The upload with the payment's transaction; undefined until it was checked, and for other payments. */
  readonly beefUpload?: MessageUpload | undefined;
  /** Whether the request has one recipient, which decides the form of the response. */
  readonly isSingleRecipient: boolean;
}

/** The parts of a send, as a transport has read them from its request. */
export interface SendFields {
  /** Identity key of the verified session. */
  readonly sender: string;
  readonly messageBox: unknown;
  /** The result of {@link toBodyText}. */
  readonly body: string | undefined;
  readonly recipients: readonly unknown[];
  readonly messageId: unknown;
  /** When the message expires, for all recipients; undefined or null: never. */
  readonly expiresAt: unknown;
  /** False: no device is told of the message. Undefined, null or true: devices are told, when its box is pushed. */
  readonly urgent: unknown;
  readonly payment: unknown;
  /** The id of an upload; undefined or null: none. */
  readonly upload?: unknown;
}

/** The options of {@link parseSend} and {@link createSendCommand}. */
export interface ParseSendOptions {
  readonly normaliseKey: NormaliseKey;
  /** Limit of the recipients of one send. */
  readonly maxRecipients: number;
  /** Limit of one message as JSON in a list, in bytes. Default: {@link MESSAGE_LIMITS.listedBytes}. */
  readonly maxListedBytes?: number;
}

/**
 * Checks a `POST /sendMessage` request in the documented order, except for its payment.
 *
 * @param sender identity key of the verified session
 * @param request `{message: {recipient | recipients, messageBox, messageId, body, expiresAt?, urgent?, upload?}, payment?}`,
 *   unchecked
 * @throws {RuleError} with the first code that applies
 */
export function parseSend(options: ParseSendOptions, sender: string, request: unknown): SendCommand {
  const message = checkMessageObject(getField(request, 'message'));
  return createSendCommand(options, {
    sender,
    messageBox: getField(message, 'messageBox'),
    body: toBodyText(getField(message, 'body')),
    recipients: listRecipients(message),
    messageId: getField(message, 'messageId'),
    expiresAt: getField(message, 'expiresAt'),
    urgent: getField(message, 'urgent'),
    payment: getField(request, 'payment'),
    upload: getField(message, 'upload'),
  });
}

/**
 * Checks the parts of a send in the documented order, except for its payment.
 *
 * @throws {RuleError} with the first code that applies
 */
export function createSendCommand(options: ParseSendOptions, fields: SendFields): SendCommand {
  const { sender, messageBox, body, recipients } = fields;
  if (!isName(messageBox)) {
    const description = 'messageBox must be a text of 1 to 255 characters.';
    throw new RuleError('ERR_INVALID_MESSAGEBOX', description, 400, createNameExcess('messageBox', messageBox));
  }
  if (body === undefined) {
    throw new RuleError('ERR_INVALID_MESSAGE_BODY', 'body must be a non-empty string or an object.');
  }
  checkRecipientCount(recipients, options.maxRecipients);
  const messageIds = parseMessageIds(fields.messageId, recipients.length);
  const keys = recipients.map((recipient) => {
    const key = typeof recipient === 'string' ? options.normaliseKey(recipient) : undefined;
    if (key === undefined) throw new RuleError('ERR_INVALID_RECIPIENT_KEY', 'A recipient is not a valid public key.');
    return key;
  });
  const expiresAt = parseExpiresAt(fields.expiresAt, new Date());
  const isSilent = !parseUrgent(fields.urgent);
  const uploadId = parseUpload(fields.upload, keys.length);
  const storedBody = toStoredBody(body);
  checkBodySize(storedBody, keys.length, options.maxListedBytes ?? MESSAGE_LIMITS.listedBytes);
  return {
    sender,
    messageBox,
    messages: keys.map((recipient, i) => ({
      recipient,
      messageBox,
      messageId: messageIds[i] as string,
      sender,
      body: storedBody,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(isSilent ? { isSilent } : {}),
    })),
    liveBody: body,
    payment: fields.payment ?? undefined,
    uploadId,
    isSingleRecipient: keys.length === 1,
  };
}

/** @throws {RuleError} `ERR_MESSAGE_TOO_LARGE`, with the limit */
function checkBodySize(storedBody: string, recipients: number, maxListedBytes: number): void {
  const size = Buffer.byteLength(storedBody);
  const limit = MESSAGE_LIMITS.copiedBytes;
  if (recipients > 1 && size * recipients > limit) {
    const description =
      `The body has ${formatCount(size)} bytes, which is ${formatCount(size * recipients)} for ${recipients} recipients; ` +
      `the limit is ${formatCount(limit)}. Send it in portions.`;
    const details = { field: 'message.body', limit, size: size * recipients };
    throw new RuleError('ERR_MESSAGE_TOO_LARGE', description, 413, details);
  }
  const listedBytes = countListedBytes(storedBody, maxListedBytes);
  if (listedBytes > maxListedBytes) {
    const description =
      `The body has ${formatCount(listedBytes)} bytes in a list, where quotes take two; the limit is ` +
      `${formatCount(maxListedBytes)}, because clients refuse larger answers. Send it in portions.`;
    const details = { field: 'message.body', limit: maxListedBytes, size: listedBytes };
    throw new RuleError('ERR_MESSAGE_TOO_LARGE', description, 413, details);
  }
}

/**
 * The bytes of a stored body as JSON in a list. A body that can't reach `limit` is not encoded to find out: a character takes
 * at most six bytes.
 */
export function countListedBytes(storedBody: string, limit: number): number {
  const most = storedBody.length * 6 + 2;
  return most <= limit ? most : Buffer.byteLength(JSON.stringify(storedBody));
}

/** @throws {RuleError} `ERR_MESSAGE_REQUIRED` unless the `message` of a send is an object, and not an array */
export function checkMessageObject(message: unknown): object {
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) return message;
  throw new RuleError('ERR_MESSAGE_REQUIRED', 'Please provide a valid message to send.');
}

function listRecipients(message: object): readonly unknown[] {
  const several = getField(message, 'recipients');
  if (Array.isArray(several)) return several;
  const one = getField(message, 'recipient');
  if (Array.isArray(one)) return one;
  return isFilled(one) ? [one] : [];
}

function checkRecipientCount(recipients: readonly unknown[], maxRecipients: number): void {
  if (recipients.length === 0 || !recipients.every(isFilled)) {
    throw new RuleError('ERR_RECIPIENT_REQUIRED', 'Please provide at least one recipient.');
  }
  if (recipients.length > maxRecipients) {
    throw tooManyRecipientsError('message.recipients', recipients.length, maxRecipients);
  }
}

/** @param field the field of the request that names the recipients */
export function tooManyRecipientsError(field: string, size: number, limit: number): RuleError {
  const description =
    `The request has ${formatCount(size)} recipients; the limit is ${formatCount(limit)} (MAX_RECIPIENTS). ` +
    'Send it in portions.';
  return new RuleError('ERR_TOO_MANY_RECIPIENTS', description, 400, { field, limit, size });
}

function parseUpload(given: unknown, recipients: number): string | undefined {
  if (!isGiven(given)) return undefined;
  const uploadId = checkUploadId(given, 'upload');
  if (recipients === 1) return uploadId;
  // It is deleted with its message, so each recipient needs one.
  throw new RuleError('ERR_INVALID_UPLOAD', 'A message with an upload has one recipient. Make an upload for each.');
}

function parseMessageIds(given: unknown, count: number): string[] {
  if (!isGiven(given) || (Array.isArray(given) && given.length === 0)) {
    throw new RuleError('ERR_MESSAGEID_REQUIRED', 'Missing messageId.');
  }
  const ids: unknown[] = Array.isArray(given) ? given : [given];
  if (ids.length !== count) {
    throw new RuleError(
      'ERR_MESSAGEID_COUNT_MISMATCH',
      `${count} recipients need ${count} message ids, but ${ids.length} were given.`,
    );
  }
  if (!ids.every(isMessageId)) {
    const long = ids.find((id) => createNameExcess('message.messageId', id).limit !== undefined);
    const details = createNameExcess('message.messageId', long);
    throw new RuleError('ERR_INVALID_MESSAGEID', `Each messageId must be ${MESSAGE_ID_FORMAT}.`, 400, details);
  }
  return ids;
}

/** @throws {RuleError} `ERR_INVALID_URGENT` */
function parseUrgent(given: unknown): boolean {
  if (!isGiven(given)) return true;
  if (typeof given === 'boolean') return given;
  throw new RuleError('ERR_INVALID_URGENT', 'urgent must be true or false.');
}

function isFilled(value: unknown): boolean {
  return isGiven(value) && value !== '';
}
