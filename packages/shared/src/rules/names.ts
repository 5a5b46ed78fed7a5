/** Box names and message ids hold 1 to 255 Unicode code points, and are compared byte by byte. */
export const MAX_NAME_CODE_POINTS = 255;
/** Message ids may also have this many bytes of UTF-8, in however many code points: clients bound them by bytes. */
export const MAX_MESSAGE_ID_BYTES = 256;

/**
 * Whether a text can be a box name as it stands: not blank, not too long, no lone surrogate (it has no UTF-8 form, so two
 * such names would become one) and no NUL (which tools around the database cut at).
 */
export function isName(text: unknown): text is string {
  return isPlainText(text) && !isTooLong(text);
}

/** Whether a text can be a message id: like a name, but its length is enough by bytes or by code points. */
export function isMessageId(text: unknown): text is string {
  return isPlainText(text) && (!isTooLong(text) || Buffer.byteLength(text) <= MAX_MESSAGE_ID_BYTES);
}

/** Said of a message id that is none, in every refusal. */
export const MESSAGE_ID_FORM = `a text of 1 to ${MAX_NAME_CODE_POINTS} characters or ${MAX_MESSAGE_ID_BYTES} bytes`;

function isPlainText(text: unknown): text is string {
  return typeof text === 'string' && text.trim() !== '' && text.isWellFormed() && !text.includes('\0');
}

function isTooLong(text: string): boolean {
  // A code point is one or two UTF-16 units: most texts are decided without counting.
  if (text.length <= MAX_NAME_CODE_POINTS) return false;
  if (text.length > MAX_NAME_CODE_POINTS * 2) return true;
  return [...text].length > MAX_NAME_CODE_POINTS;
}

/** A live room is `KEY-box`. Keys are hex and hold no hyphen, so the box is everything after the first one. */
export function roomName(identityKey: string, messageBox: string): string {
  return `${identityKey}-${messageBox}`;
}

/** The event by which a room's members are pushed a message. */
export function pushEventName(room: string): string {
  return `sendMessage-${room}`;
}

/** The event that answers a live send. @param roomId as the sender named it */
export function ackEventName(roomId: string): string {
  return `sendMessageAck-${roomId}`;
}

/** The two parts of a room name, unchecked; undefined when it is none. */
export function splitRoomName(room: unknown): { identityKey: string; messageBox: string } | undefined {
  if (typeof room !== 'string') return undefined;
  const hyphen = room.indexOf('-');
  if (hyphen < 1) return undefined;
  return { identityKey: room.slice(0, hyphen), messageBox: room.slice(hyphen + 1) };
}
