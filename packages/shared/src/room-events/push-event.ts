import { fitsInEvent, isAcceptedEventName } from '@messagebox/brc103/socket-io';
import { formatPushEventName, formatRoomName, type RoomEvent } from '@messagebox/messages';

/**
 * Whether a message is pushed to live sockets: `published`, or why clients could not take its event: `too_large`,
 * `unspeakable`. Known clients would close their connections for good.
 */
export type PushOutcome = 'published' | 'too_large' | 'unspeakable';

/** The event that brings a message to the sockets of its room. */
export interface PushEvent {
  /** The room, `KEY-box`. */
  readonly room: string;
  /** `sendMessage-KEY-box` */
  readonly name: string;
  /** The data that clients receive. `after` is the message's cursor, as `POST /listMessages` and `joinRoom` take it. */
  readonly data: Readonly<Record<'sender' | 'messageId' | 'body' | 'messageBox', string>> & { readonly after?: string };
  readonly outcome: PushOutcome;
}

/**
 * Makes the push event of a message, and decides whether it is sent. Live delivery and recovery share this decision.
 *
 * @param maxBodyBytes larger bodies are not pushed; the recipient receives them by listing
 */
export function createPushEvent(event: RoomEvent, maxBodyBytes: number): PushEvent {
  const { sender, messageId, body, messageBox, cursor } = event;
  const room = formatRoomName(event.recipient, messageBox);
  const name = formatPushEventName(room);
  const data = { sender, messageId, body, messageBox, ...(cursor === undefined ? {} : { after: cursor }) };
  return { room, name, data, outcome: classifyEvent(name, data, maxBodyBytes) };
}

function classifyEvent(
  name: string,
  data: { readonly body: string } & Readonly<Record<string, string>>,
  maxBodyBytes: number,
): PushOutcome {
  if (!isAcceptedEventName(name)) return 'unspeakable';
  return Buffer.byteLength(data.body) <= maxBodyBytes && fitsInEvent(name, data) ? 'published' : 'too_large';
}
