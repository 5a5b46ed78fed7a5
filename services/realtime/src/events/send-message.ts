import { type AuthSocket, isSpeakableEventName } from '@messagebox/brc103';
import {
  ackEventName,
  bodyText,
  field,
  limitedLines,
  paymentErrorCodes,
  RuleError,
  StoreUnavailableError,
  send,
  splitRoomName,
  TooManyRequestsError,
} from '@messagebox/shared';
import { echo } from './echo.js';
import type { EventHandler, EventParts } from './event-parts.js';

/**
 * `sendMessage {roomId, message: {messageId, recipient, body}}` → `sendMessageAck-ROOMID {status: 'success', messageId}`
 * once it is stored. On failure `messageFailed {reason}` (`paymentFailed {reason}` when it is about the payment) and an
 * ack with `status: 'error'`, on which the real client falls back to HTTP at once. The same rule as `POST /sendMessage`.
 *
 * A room whose ack clients would not take (its name is too long, or holds control characters) is refused with
 * `messageFailed` alone: an ack under another name would be heard by nobody.
 */
export const sendMessage: EventHandler = async (parts, socket, data) => {
  const roomId = field(data, 'roomId');
  const message = field(data, 'message');
  const messageId = field(message, 'messageId');
  const ackEvent = ackEventOf(roomId);
  try {
    const answer = await send(
      parts,
      socket.identityKey as string,
      requestOf(parts, roomId, message, field(data, 'payment')),
    );
    if (ackEvent !== undefined) socket.emit(ackEvent, { status: 'success', messageId: answer.messageId });
  } catch (error) {
    const { description, isPayment, ...told } = { ...failure(parts, socket, error), messageId: echo(messageId) };
    socket.emit(isPayment ? 'paymentFailed' : 'messageFailed', { reason: description, ...told });
    if (ackEvent !== undefined) socket.emit(ackEvent, { status: 'error', description, ...told });
  }
};

/** Answers a send that is not even tried, because there are too many. */
export function refuseSend(parts: EventParts, socket: AuthSocket, data: unknown, reason: string): void {
  const roomId = field(data, 'roomId');
  const messageId = echo(field(field(data, 'message'), 'messageId'));
  const refusal = { code: 'ERR_TOO_MANY_REQUESTS', messageId };
  limitedLines(parts.log).write(
    'info',
    { socket: socket.id, event: 'sendMessage', code: refusal.code },
    'event refused',
  );
  socket.emit('messageFailed', { reason, ...refusal });
  const ackEvent = ackEventOf(roomId);
  if (ackEvent !== undefined) socket.emit(ackEvent, { status: 'error', description: reason, ...refusal });
}

/** Undefined when there is no event by which a send into this room could be answered. */
function ackEventOf(roomId: unknown): string | undefined {
  if (typeof roomId !== 'string') return undefined;
  const name = ackEventName(roomId);
  return isSpeakableEventName(name) ? name : undefined;
}

/** The same request as over HTTP: the room says recipient and box, and the message must not say another recipient. */
function requestOf(parts: EventParts, roomId: unknown, message: unknown, payment: unknown): unknown {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return { message };
  const room = splitRoomName(roomId);
  if (room === undefined) throw new RuleError('ERR_INVALID_MESSAGEBOX', 'roomId must be RECIPIENTKEY-messageBox.');
  if (ackEventOf(roomId) === undefined && parts.normaliseKey(room.identityKey) !== undefined) {
    const description = 'A live send into a box of this name can not be acknowledged. Send it over HTTP.';
    throw new RuleError('ERR_INVALID_MESSAGEBOX', description);
  }
  const recipient = field(message, 'recipient');
  if (
    recipient !== undefined &&
    recipient !== null &&
    (typeof recipient !== 'string' || !sameKey(parts, recipient, room.identityKey))
  ) {
    throw new RuleError('ERR_INVALID_RECIPIENT_KEY', 'The recipient must be the one of the room.');
  }
  const body = field(message, 'body');
  if (Buffer.byteLength(bodyText(body) ?? '') > parts.maxBodyBytes) {
    throw new RuleError(
      'ERR_MESSAGE_TOO_LARGE',
      `A live message may have ${parts.maxBodyBytes} bytes. Send it over HTTP.`,
      413,
    );
  }
  return {
    message: { recipient: room.identityKey, messageBox: room.messageBox, messageId: field(message, 'messageId'), body },
    payment: payment ?? field(message, 'payment'),
  };
}

function sameKey(parts: EventParts, a: string, b: string): boolean {
  const key = parts.normaliseKey(a);
  return key !== undefined && key === parts.normaliseKey(b);
}

interface Failure {
  readonly code: string;
  readonly description: string;
  readonly isPayment: boolean;
  /** Beside them, what a rule tells programs. */
  readonly [detail: string]: unknown;
}

function failure(parts: EventParts, socket: AuthSocket, error: unknown): Failure {
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
    if (limit !== undefined) parts.limitsHit.count(limit);
    limitedLines(parts.log).write(
      'info',
      { socket: socket.id, event: 'sendMessage', code: refusal.code, limit },
      'event refused',
    );
    return refusal;
  }
  if (error instanceof StoreUnavailableError) {
    limitedLines(parts.log).write('error', { err: error.cause }, 'a live send could not be stored');
    return {
      code: 'ERR_STORE_UNAVAILABLE',
      description: 'The message could not be stored. Try again later.',
      isPayment: false,
    };
  }
  limitedLines(parts.log).write('error', { err: error }, 'a live send failed');
  return { code: 'ERR_INTERNAL', description: 'The message could not be sent. Try again later.', isPayment: false };
}
