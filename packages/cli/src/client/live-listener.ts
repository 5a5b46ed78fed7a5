import { AuthSocketClient } from '@bsv/authsocket-client';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import type { Identity } from '../identity/identity.js';
import { toInert } from '../output/inert-text.js';
import { getText } from './fields.js';
import { RecentIds } from './recent-ids.js';

/** A message as it comes over the socket. */
export interface LiveMessage {
  readonly messageBox: string;
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
}

export interface LiveListenerOptions {
  /** The server's URL with its prefix and without a slash at the end. */
  readonly url: string;
  readonly identity: Identity;
  readonly boxes: readonly string[];
  /** Whether messages that are stored already come first. */
  readonly fromStart: boolean;
  /** How long the first connection may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Called for each message once, in order of arrival. */
  onMessage(message: LiveMessage): void;
  /** Called each time when all boxes are joined, and when the connection is lost. */
  onState(state: 'listening' | 'lost'): void;
  /** Called at most once: the server refuses this identity or box, or the first connection did not come about. */
  onFailure(error: CliError): void;
}

/** Ids of messages that are remembered, because a server may send a message again after a reconnect. */
const REMEMBERED_IDS = 50_000;

/**
 * Listens to boxes over a socket, and goes on after the connection was lost: it joins each box from the last message that it
 * has received.
 *
 * @returns ends the connection
 */
export function listenLive(options: LiveListenerOptions): () => void {
  const { url, identity, boxes } = options;
  const { origin, pathname } = new URL(url);
  const socket = AuthSocketClient(origin, {
    wallet: identity.wallet,
    managerOptions: { path: `${pathname.replace(/\/$/, '')}/socket.io/`, reconnectionDelayMax: 5_000 },
  });
  const rooms = new Map(boxes.map((box) => [`${identity.identityKey}-${box}`, box]));
  const cursors = new Map<string, string>(options.fromStart ? [...rooms.keys()].map((room) => [room, '0']) : []);
  const seen = new RecentIds(REMEMBERED_IDS);
  let missing = new Set(rooms.keys());
  let isEnded = false;

  const end = () => {
    isEnded = true;
    clearTimeout(timer);
    socket.disconnect();
  };
  const fail = (error: CliError) => {
    if (isEnded) return;
    end();
    options.onFailure(error);
  };
  const timer = setTimeout(
    () =>
      fail(
        new CliError(EXIT.unreachable, `${url} answers, but opened no socket within ${options.timeoutMs / 1000} s.`, {
          advice: 'messagebox doctor --origin URL checks what is between you and the server.',
        }),
      ),
    options.timeoutMs,
  );

  socket.on('connect', () => {
    missing = new Set(rooms.keys());
    socket.emit('authenticated', { identityKey: identity.identityKey });
  });
  socket.on('authenticationSuccess', () => {
    for (const roomId of rooms.keys()) {
      const after = cursors.get(roomId);
      socket.emit('joinRoom', after === undefined ? roomId : { roomId, after });
    }
  });
  socket.on('authenticationFailed', (data: unknown) => fail(toRefusal('The server refused the connection', data)));
  socket.on('joinFailed', (data: unknown) => {
    const box = rooms.get(getText(data, 'roomId')) ?? 'the box';
    fail(toRefusal(`The server refused to let you listen to ${toInert(box)}`, data));
  });
  socket.on('joinedRoom', (data: unknown) => {
    if (!missing.delete(getText(data, 'roomId')) || missing.size > 0) return;
    clearTimeout(timer);
    options.onState('listening');
  });
  socket.on('disconnect', () => {
    if (!isEnded) options.onState('lost');
  });
  for (const [roomId, messageBox] of rooms) {
    socket.on(`sendMessage-${roomId}`, (data: unknown) => {
      const [messageId, after] = [getText(data, 'messageId'), getText(data, 'after')];
      if (after !== '') cursors.set(roomId, after);
      if (isEnded || !seen.add(`${messageId} ${messageBox}`)) return;
      options.onMessage({ messageBox, messageId, sender: getText(data, 'sender'), body: getText(data, 'body') });
    });
  }
  return end;
}

function toRefusal(what: string, data: unknown): CliError {
  const reason = toInert(getText(data, 'reason') || getText(data, 'description') || getText(data, 'code'));
  return new CliError(EXIT.refused, reason === '' ? `${what}.` : `${what}: ${reason}`);
}
