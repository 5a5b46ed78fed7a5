import { isRecord } from '../message/data-weight.js';
import { ProtocolViolation } from '../rules/protocol-violation.js';
import { type SocketSettings, StrictSocketClient } from '../socket/strict-socket-client.js';
import { History } from '../waiting/history.js';
import type { ClientWallet } from '../wallet/wallet.js';
import { readIdentityKey, readRecord } from './fields.js';

/** A message as a server pushes it. */
export interface PushedMessage {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
  readonly created_at?: string;
  readonly updated_at?: string;
}

/** Refusals of a join that asking again does not change. */
const PERMANENT_REFUSALS = new Set(['ERR_WEBSOCKET_ROOM_NOT_OWNED', 'ERR_WEBSOCKET_INVALID_ROOM']);
const REBUILD_BASE_MS = 1_000;
const REBUILD_MAX_MS = 30_000;

interface PendingSend {
  readonly messageId: string;
  settle(ack: Record<string, unknown>): void;
}

/**
 * The live connection of a client of message boxes: it says who it is whenever it is connected, asks for its rooms again
 * whenever that is accepted, and makes a new socket when the server has ended the last one.
 */
export class RoomsConnection {
  /** Every socket there was, the last one in use. */
  readonly sockets: StrictSocketClient[] = [];
  readonly #rooms = new Set<string>();
  readonly #listeners = new Map<string, Set<(message: PushedMessage) => void>>();
  /** By room, the oldest first: acks come in the order of the sends. */
  readonly #sends = new Map<string, PendingSend[]>();
  /** One entry for each time the server accepted who this is. */
  readonly #accepted = new History<StrictSocketClient>('authenticationSuccess');
  /** The socket on which the server knows who this is. */
  #authenticated: StrictSocketClient | undefined;
  #wasAccepted = false;
  #rebuilds = 0;
  #rebuildTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly wallet: ClientWallet,
    private readonly key: string,
    private readonly settings: SocketSettings,
  ) {}

  get socket(): StrictSocketClient | undefined {
    return this.sockets.at(-1);
  }

  /** Resolves when the server has accepted who this is; opens a socket where there is none. */
  async connect(url: string): Promise<StrictSocketClient> {
    const { socket } = this;
    if (socket?.failure !== undefined) throw socket.failure;
    if (this.#authenticated !== undefined) return this.#authenticated;
    const accepted = this.#accepted.next();
    if (socket === undefined || !(socket.connected || socket.io.active)) this.#open(url);
    return await accepted;
  }

  /** Asks for an own room, now and whenever the connection comes back. */
  join(room: string): void {
    if (this.#rooms.has(room)) return;
    this.#rooms.add(room);
    this.socket?.emit('joinRoom', room);
  }

  leave(room: string): void {
    this.#rooms.delete(room);
    this.#listeners.delete(room);
    if (this.socket?.connected === true) this.socket.emit('leaveRoom', room);
  }

  /** @param listener takes every message that is pushed for the room */
  listen(room: string, listener: (message: PushedMessage) => void): void {
    const known = this.#listeners.get(room);
    if (known !== undefined) known.add(listener);
    else {
      this.#listeners.set(room, new Set([listener]));
      for (const socket of this.sockets) this.#attach(socket, room);
    }
  }

  /**
   * Sends a message live.
   * @returns what was acknowledged
   * @throws ProtocolViolation when the ack is another message's; the failure of the connection when that ended
   */
  async send(
    room: string,
    message: { messageId: string; recipient: string; body: string },
  ): Promise<Record<string, unknown>> {
    const { socket } = this;
    if (socket === undefined) throw new Error('There is no socket to send by.');
    const acks = new History<Record<string, unknown>>(`ack of a live send into ${room}`);
    socket.onFailure(acks.fail);
    const acked = acks.next();
    // The client may refuse to send it; then nobody waits for the ack.
    acked.catch(() => {});
    const known = this.#sends.get(room);
    const pending: PendingSend = { messageId: message.messageId, settle: acks.add };
    if (known !== undefined) known.push(pending);
    else {
      this.#sends.set(room, [pending]);
      for (const each of this.sockets) this.#attachAcks(each, room);
    }
    socket.emit('sendMessage', { roomId: room, message });
    return await acked;
  }

  close(): void {
    clearTimeout(this.#rebuildTimer);
    for (const socket of this.sockets) socket.disconnect();
  }

  #open(url: string): void {
    const socket = new StrictSocketClient(url, { wallet: this.wallet, settings: this.settings });
    this.sockets.push(socket);
    const current = <T>(work: (data: T) => void) => {
      return (data: T) => {
        if (this.socket === socket) work(data);
      };
    };
    socket.onFailure(this.#accepted.fail);
    socket.on(
      'connect',
      current(() => socket.emit('authenticated', { identityKey: this.key })),
    );
    socket.on(
      'authenticationSuccess',
      current(() => this.#accept(socket)),
    );
    socket.on(
      'authenticationFailed',
      current(() => this.#accepted.fail(new Error('The server refused who this is.'))),
    );
    socket.on(
      'joinFailed',
      current((data: unknown) => this.#joinFailed(data)),
    );
    socket.on(
      'disconnect',
      current((reason: string) => this.#lost(url, reason)),
    );
    for (const room of this.#listeners.keys()) this.#attach(socket, room);
    for (const room of this.#sends.keys()) this.#attachAcks(socket, room);
  }

  #accept(socket: StrictSocketClient): void {
    const again = this.#wasAccepted;
    this.#wasAccepted = true;
    this.#authenticated = socket;
    if (again) for (const room of this.#rooms) socket.emit('joinRoom', room);
    this.#accepted.add(socket);
  }

  #joinFailed(data: unknown): void {
    const { roomId, code } = readRecord(data, 'the data of joinFailed', '9.15');
    if (typeof roomId !== 'string') throw new ProtocolViolation('9.15', 'joinFailed does not say which room it was');
    if (typeof code !== 'string') throw new ProtocolViolation('9.15', 'joinFailed does not say why, by a code');
    if (PERMANENT_REFUSALS.has(code)) this.#rooms.delete(roomId);
  }

  #lost(url: string, reason: string): void {
    this.#authenticated = undefined;
    // Only this one does socket.io not mend by itself, and the client did not ask for it.
    if (reason !== 'io server disconnect') return;
    const delay = this.#rebuilds === 0 ? 0 : Math.min(REBUILD_BASE_MS * 2 ** (this.#rebuilds - 1), REBUILD_MAX_MS);
    this.#rebuilds += 1;
    if (this.#wasAccepted) this.#rebuildTimer = setTimeout(() => this.#open(url), delay);
  }

  #attach(socket: StrictSocketClient, room: string): void {
    socket.on(`sendMessage-${room}`, (data: unknown) => {
      const message = readPush(data);
      for (const listener of this.#listeners.get(room) ?? []) listener(message);
    });
  }

  #attachAcks(socket: StrictSocketClient, room: string): void {
    socket.on(`sendMessageAck-${room}`, (data: unknown) => {
      const oldest = this.#sends.get(room)?.shift();
      if (oldest === undefined) return;
      const ack = readRecord(data, 'an ack', '5');
      if (ack['messageId'] !== oldest.messageId) {
        throw new ProtocolViolation('5', 'an ack names another message than the oldest send that waits in its room');
      }
      oldest.settle(ack);
    });
  }
}

function readPush(data: unknown): PushedMessage {
  const { messageId, body, sender } = isRecord(data) ? data : {};
  if (typeof messageId !== 'string' || messageId === '') throw new ProtocolViolation('5', 'a pushed message has no id');
  if (typeof body !== 'string') throw new ProtocolViolation('5', 'the body of a pushed message is no text');
  readIdentityKey(sender, 'the sender of a pushed message', '5');
  return data as PushedMessage;
}
