/** Most Unicode code points of a box name or a message id. Both are compared byte by byte. */
export const MAX_NAME_CODE_POINTS = 255;
/** A message id of at most this many UTF-8 bytes is valid with any number of code points: clients limit it by bytes. */
export const MAX_MESSAGE_ID_BYTES = 256;

/**
 * Whether a value is a valid box name: a text that is not blank and not too long, without a lone surrogate (which has no UTF-8
 * form, so two such names would become one) and without NUL (at which some database tools cut a text).
 */
export function isName(text: unknown): text is string {
  return isPlainText(text) && !isTooLong(text);
}

/** Whether a value is a valid message id: like a box name, but it suffices that its bytes or its code points are few enough. */
export function isMessageId(text: unknown): text is string {
  return isPlainText(text) && (!isTooLong(text) || Buffer.byteLength(text) <= MAX_MESSAGE_ID_BYTES);
}

/** The form of a message id, for error messages. */
export const MESSAGE_ID_FORMAT = `a text of 1 to ${MAX_NAME_CODE_POINTS} characters or ${MAX_MESSAGE_ID_BYTES} bytes`;

/**
 * The details of a refusal for a name or an id that is too long: its field and the limit in code points. Empty for a value that
 * is refused for another reason.
 */
export function createNameExcess(field: string, name: unknown): { readonly field?: string; readonly limit?: number } {
  return typeof name === 'string' && isTooLong(name) ? { field, limit: MAX_NAME_CODE_POINTS } : {};
}

function isPlainText(text: unknown): text is string {
  return typeof text === 'string' && text.trim() !== '' && text.isWellFormed() && !text.includes('\0');
}

function isTooLong(text: string): boolean {
  // A code point has one or two UTF-16 units, so most texts need no counting.
  if (text.length <= MAX_NAME_CODE_POINTS) return false;
  if (text.length > MAX_NAME_CODE_POINTS * 2) return true;
  return [...text].length > MAX_NAME_CODE_POINTS;
}

/** The name of a live room, `KEY-box`. A key is hex and has no hyphen, so the box is everything after the first hyphen. */
export function formatRoomName(identityKey: string, messageBox: string): string {
  return `${identityKey}-${messageBox}`;
}

/** The event that brings a message to the sockets of a room. */
export function formatPushEventName(room: string): string {
  return `sendMessage-${room}`;
}

/** The event that answers a live send. @param roomId the room in the sender's spelling */
export function formatAckEventName(roomId: string): string {
  return `sendMessageAck-${roomId}`;
}

/** The two parts of a room name, unchecked; undefined for any other value. */
export function parseRoomName(room: unknown): { identityKey: string; messageBox: string } | undefined {
  if (typeof room !== 'string') return undefined;
  const hyphen = room.indexOf('-');
  if (hyphen < 1) return undefined;
  return { identityKey: room.slice(0, hyphen), messageBox: room.slice(hyphen + 1) };
}
