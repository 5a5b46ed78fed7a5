import { type AuthSocket, isAcceptedEventName } from '@messagebox/brc103/socket-io';
import {
  checkMessageObject,
  createSendCommand,
  formatAckEventName,
  formatCount,
  getField,
  parseRoomName,
  paymentErrorCodes,
  RuleError,
  type SendCommand,
  sendMessages,
  toBodyText,
} from '@messagebox/messages';
import { getRateLimitedLog, TooManyRequestsError } from '@messagebox/shared';
import { StoreUnavailableError } from '@messagebox/store';
import { echoText } from './echo-text.js';
import type { EventContext, EventHandler } from './event-context.js';

/**
 * `sendMessage {roomId, message: {messageId, recipient, body, expiresAt?, urgent?}}` is answered with `sendMessageAck-ROOMID
 * {status: 'success', messageId}` when the message is stored. A failure is answered with `messageFailed {reason}` (`paymentFailed {reason}` when
 * the payment is the reason) and an ack with `status: 'error'`, after which the real client falls back to HTTP at once. The
 * rule is that of `POST /sendMessage`.
 *
 * A room whose ack event clients don't accept (its name is too long, or has control characters) is refused with
 * `messageFailed` alone: no client listens to an ack with another name.
 */
export const sendMessage: EventHandler = async (context, socket, data) => {
  const roomId = getField(data, 'roomId');
  const messageId = getField(getField(data, 'message'), 'messageId');
  const ackEvent = getAckEvent(roomId);
  try {
    const answer = await sendMessages(context, parseLiveSend(context, socket.identityKey as string, data));
    if (ackEvent !== undefined) socket.emit(ackEvent, { status: 'success', messageId: answer.messageId });
  } catch (error) {
    const { description, isPayment, ...told } = {
      ...toSendFailure(context, socket, error),
      messageId: echoText(messageId),
    };
    context.tracer.current.fail(told.code, told.code === 'ERR_STORE_UNAVAILABLE' || told.code === 'ERR_INTERNAL');
    socket.emit(isPayment ? 'paymentFailed' : 'messageFailed', { reason: description, ...told });
    if (ackEvent !== undefined) socket.emit(ackEvent, { status: 'error', description, ...told });
  }
};

/** Answers a send that is not tried, because the client has sent too many. */
export function refuseSend(context: EventContext, socket: AuthSocket, data: unknown, reason: string): void {
  const roomId = getField(data, 'roomId');
  const messageId = echoText(getField(getField(data, 'message'), 'messageId'));
  const refusal = { code: 'ERR_TOO_MANY_REQUESTS', messageId };
  getRateLimitedLog(context.log).write(
    'info',
    { socket: socket.id, event: 'sendMessage', code: refusal.code },
    'event refused',
  );
  socket.emit('messageFailed', { reason, ...refusal });
  const ackEvent = getAckEvent(roomId);
  if (ackEvent !== undefined) socket.emit(ackEvent, { status: 'error', description: reason, ...refusal });
}

/** The event that answers a send into this room; undefined when clients don't accept an event of this name. */
function getAckEvent(roomId: unknown): string | undefined {
  if (typeof roomId !== 'string') return undefined;
  const name = formatAckEventName(roomId);
  return isAcceptedEventName(name) ? name : undefined;
}

/**
 * Checks a live send. The room names the recipient and the box; the message must not name another recipient.
 *
 * @throws {RuleError} with the first code that applies
 */
function parseLiveSend(context: EventContext, sender: string, data: unknown): SendCommand {
  const roomId = getField(data, 'roomId');
  const message = checkMessageObject(getField(data, 'message'));
  const room = parseRoomName(roomId);
  if (room === undefined) throw new RuleError('ERR_INVALID_MESSAGEBOX', 'roomId must be RECIPIENTKEY-messageBox.');
  if (getAckEvent(roomId) === undefined && context.normaliseKey(room.identityKey) !== undefined) {
    const description = 'A live send into a box of this name can not be acknowledged. Send it over HTTP.';
    throw new RuleError('ERR_INVALID_MESSAGEBOX', description);
  }
  const recipient = getField(message, 'recipient');
  if (
    recipient !== undefined &&
    recipient !== null &&
    (typeof recipient !== 'string' || !isSameKey(context, recipient, room.identityKey))
  ) {
    throw new RuleError('ERR_INVALID_RECIPIENT_KEY', 'The recipient must be the one of the room.');
  }
  const body = toBodyText(getField(message, 'body'));
  const size = Buffer.byteLength(body ?? '');
  const limit = context.maxBodyBytes;
  if (size > limit) {
    const description =
      `The body has ${formatCount(size)} bytes; the limit of a live message is ${formatCount(limit)} (LIVE_MAX_BODY). ` +
      'Send it over HTTP.';
    throw new RuleError('ERR_MESSAGE_TOO_LARGE', description, 413, { field: 'message.body', limit, size });
  }
  return createSendCommand(context, {
    sender,
    messageBox: room.messageBox,
    body,
    recipients: [room.identityKey],
    messageId: getField(message, 'messageId'),
    expiresAt: getField(message, 'expiresAt'),
    urgent: getField(message, 'urgent'),
    payment: getField(data, 'payment') ?? getField(message, 'payment'),
    upload: getField(message, 'upload'),
  });
}

function isSameKey(context: EventContext, a: string, b: string): boolean {
  const key = context.normaliseKey(a);
  return key !== undefined && key === context.normaliseKey(b);
}

interface SendFailure {
  readonly code: string;
  readonly description: string;
  readonly isPayment: boolean;
  /** Details of the rule's error, for programs. */
  readonly [detail: string]: unknown;
}

function toSendFailure(context: EventContext, socket: AuthSocket, error: unknown): SendFailure {
  if (error instanceof RuleError || error instanceof TooManyRequestsError) {
    const refusal =
      error instanceof RuleError
        ? {
            ...error.details,
            code: error.code,
            description: error.description,
            isPayment: paymentErrorCodes.has(error.code),
          }
        : { code: 'ERR_TOO_MANY_REQUESTS', description: error.message, isPayment: false };
    const limit = error instanceof RuleError ? error.limit : undefined;
    if (limit !== undefined) context.limitsHit.count(limit);
    getRateLimitedLog(context.log).write(
      'info',
      { socket: socket.id, event: 'sendMessage', code: refusal.code, limit },
      'event refused',
    );
    return refusal;
  }
  if (error instanceof StoreUnavailableError) {
    getRateLimitedLog(context.log).write('error', { err: error.cause }, 'a live send could not be stored');
    return {
      code: 'ERR_STORE_UNAVAILABLE',
      description: 'The message could not be stored. Try again later.',
      isPayment: false,
    };
  }
  getRateLimitedLog(context.log).write('error', { err: error }, 'a live send failed');
  return { code: 'ERR_INTERNAL', description: 'The message could not be sent. Try again later.', isPayment: false };
}
