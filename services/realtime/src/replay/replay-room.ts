import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { parseRoomName, toLiveBody } from '@messagebox/messages';
import { createPushEvent } from '@messagebox/shared';
import type { ListQuery, MessagePage, MessageStore, StoredMessage } from '@messagebox/store';
import type { DeliveredMessages } from '../recovery/delivered-messages.js';
import { type ReplayHolds, toEventKey } from './replay-holds.js';
import { PAGE_LIMITS, type ReplayBudget } from './replay-limits.js';

export interface ReplayRoomOptions {
  readonly store: Pick<MessageStore, 'listMessages'>;
  readonly delivered: Pick<DeliveredMessages, 'recordReplay'>;
  readonly holds: ReplayHolds;
  /** Larger bodies are not sent live. */
  readonly maxBodyBytes: number;
  /** Whether this message may be sent to this socket once more. */
  readonly admit: (socket: AuthSocket, message: StoredMessage) => boolean;
  /** Runs the reading of a page when it is the turn of the identity. */
  readonly takeTurn: <T>(socket: AuthSocket, read: () => Promise<T>) => Promise<T>;
  /** Runs work on the event loop when it is the turn of the socket. */
  readonly schedule: <T>(socket: AuthSocket, work: () => T) => Promise<T>;
}

/** How far a replay has come. */
export interface ReplayProgress {
  /** The cursor of the last message that was read. */
  after: string;
  /** Messages that were sent. */
  sent: number;
  /** Messages that clients get by listing only: they carry a payment, or clients cannot take their events. */
  skipped: number;
}

/** How often to check whether a client has gone that does not take what was sent. */
const CLOSE_CHECK_INTERVAL_MS = 500;

/**
 * Sends the messages of a room's box after a cursor to one socket, which is in the room: page by page, in the order of their
 * row ids. A page is read when the one before was handed to the transport. Messages that the socket has received on this
 * connection are left out.
 *
 * @param progress is updated with each page, also when the replay fails
 * @param budget is reduced by what is read
 * @returns whether the end of the box was reached. False when the budget is used up, and when the socket has closed or has
 *   left the room
 * @throws {StoreUnavailableError}
 */
export async function replayRoom(
  options: ReplayRoomOptions,
  socket: AuthSocket,
  room: string,
  progress: ReplayProgress,
  budget: ReplayBudget,
): Promise<boolean> {
  const named = parseRoomName(room);
  if (named === undefined) return false;
  const { identityKey: recipient, messageBox } = named;
  while (socket.connected && socket.isIn(room) && budget.messages > 0 && budget.bytes > 0) {
    const query: ListQuery = {
      recipient,
      messageBox,
      after: progress.after,
      limit: Math.min(PAGE_LIMITS.messages, budget.messages),
      maxBytes: Math.min(PAGE_LIMITS.bytes, budget.bytes),
    };
    const page = await options.takeTurn(socket, () => options.store.listMessages(query));
    const { lastSent } = await options.schedule(socket, () => sendPage(options, socket, room, page, progress));
    if (lastSent !== undefined) await waitUnlessClosed(socket, lastSent);
    budget.messages -= page.messages.length;
    for (const { body } of page.messages) budget.bytes -= Buffer.byteLength(body);
    if (!page.hasMore) return socket.connected && socket.isIn(room);
  }
  return false;
}

/** @returns a promise that resolves when the last event was handed to the transport; undefined when none is sent */
function sendPage(
  { delivered, holds, maxBodyBytes, admit }: ReplayRoomOptions,
  socket: AuthSocket,
  room: string,
  { messages }: MessagePage,
  progress: ReplayProgress,
): { readonly lastSent: Promise<void> | undefined } {
  let lastSent: Promise<void> | undefined;
  for (const message of messages) {
    if (!socket.connected || !socket.isIn(room)) break;
    const event = toPushEvent(room, message, maxBodyBytes);
    if (event?.outcome !== 'published' || !admit(socket, message)) progress.skipped += 1;
    // An event that is held back counts as delivered. It is sent here, in its place.
    else if (delivered.recordReplay(socket, { room, ...message }) || holds.take(socket, room, toEventKey(message))) {
      lastSent = new Promise((resolve) => {
        if (!socket.emit(event.name, event.data, resolve)) resolve();
      });
      progress.sent += 1;
    }
    progress.after = message.cursor;
  }
  return { lastSent };
}

/** @returns undefined for a message with a payment or an upload */
function toPushEvent(room: string, message: StoredMessage, maxBodyBytes: number) {
  const body = toLiveBody(message.body);
  const { identityKey: recipient = '', messageBox = '' } = parseRoomName(room) ?? {};
  const { sender, messageId, cursor } = message;
  return body === undefined || message.upload !== undefined
    ? undefined
    : createPushEvent({ recipient, messageBox, sender, messageId, body, cursor }, maxBodyBytes);
}

async function waitUnlessClosed(socket: AuthSocket, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const closed = new Promise<void>((resolve) => {
    timer = setInterval(() => {
      if (!socket.connected) resolve();
    }, CLOSE_CHECK_INTERVAL_MS);
    timer.unref();
  });
  await Promise.race([work, closed]);
  clearInterval(timer);
}
