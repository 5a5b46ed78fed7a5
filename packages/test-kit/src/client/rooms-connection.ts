import { isRecord } from '../message/data-weight.js';
import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import { type SocketSettings, StrictSocketClient } from '../socket/strict-socket-client.js';
import { EventHistory } from '../waiting/event-history.js';
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

/** The codes of refused joins that are not repeated. */
const PERMANENT_REFUSALS = new Set(['ERR_WEBSOCKET_ROOM_NOT_OWNED', 'ERR_WEBSOCKET_INVALID_ROOM']);
const RECONNECT_DELAY_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 30_000;

interface PendingSend {
  readonly messageId: string;
  settle(ack: Record<string, unknown>): void;
}

/**
 * The live connection of a client of message boxes. It authenticates whenever it is connected, then joins its rooms again, and
 * opens a new socket when the server has closed the last one.
 */
export class RoomsConnection {
  /** All sockets so far. The last one is in use. */
  readonly sockets: StrictSocketClient[] = [];
  readonly #rooms = new Set<string>();
  readonly #listeners = new Map<string, Set<(message: PushedMessage) => void>>();
  /** The pending sends of each room, the oldest first. Acks arrive in the order of the sends. */
  readonly #sends = new Map<string, PendingSend[]>();
  /** One entry for each successful authentication. */
  readonly #accepted = new EventHistory<StrictSocketClient>('authenticationSuccess');
  /** The authenticated socket. */
  #authenticated: StrictSocketClient | undefined;
  #wasAccepted = false;
  #reconnects = 0;
  #reconnectTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly wallet: ClientWallet,
    private readonly key: string,
    private readonly settings: SocketSettings,
  ) {}

  get socket(): StrictSocketClient | undefined {
    return this.sockets.at(-1);
  }

  /** Resolves when the client is authenticated. Opens a socket if there is none. */
  async connect(url: string): Promise<StrictSocketClient> {
    const { socket } = this;
    if (socket?.failure !== undefined) throw socket.failure;
    if (this.#authenticated !== undefined) return this.#authenticated;
    const accepted = this.#accepted.waitForNext();
    if (socket === undefined || !(socket.connected || socket.io.active)) this.#open(url);
    return await accepted;
  }

  /** Joins a room of the client, now and after each reconnect. */
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

  /** @param listener called with every message that is pushed for the room */
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
   *
   * @returns the ack
   * @throws ProtocolViolationError when the ack names another message, and the failure of the connection when it closes
   */
  async send(
    room: string,
    message: { messageId: string; recipient: string; body: string },
  ): Promise<Record<string, unknown>> {
    const { socket } = this;
    if (socket === undefined) throw new Error('There is no socket to send with.');
    const acks = new EventHistory<Record<string, unknown>>(`ack of a live send into ${room}`);
    socket.onFailure(acks.fail);
    const acked = acks.waitForNext();
    // If the client refuses to send, nothing waits for the ack.
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
    clearTimeout(this.#reconnectTimer);
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
      current(() => this.#handleConnect(socket)),
    );
    socket.on(
      'authenticationFailed',
      current(() => this.#accepted.fail(new Error('The server refused the authentication.'))),
    );
    socket.on(
      'joinFailed',
      current((data: unknown) => this.#handleJoinFailed(data)),
    );
    socket.on(
      'disconnect',
      current((reason: string) => this.#handleDisconnect(url, reason)),
    );
    for (const room of this.#listeners.keys()) this.#attach(socket, room);
    for (const room of this.#sends.keys()) this.#attachAcks(socket, room);
  }

  #handleConnect(socket: StrictSocketClient): void {
    const again = this.#wasAccepted;
    this.#wasAccepted = true;
    this.#authenticated = socket;
    if (again) for (const room of this.#rooms) socket.emit('joinRoom', room);
    this.#accepted.add(socket);
  }

  #handleJoinFailed(data: unknown): void {
    const { roomId, code } = readRecord(data, 'the data of joinFailed', '9.15');
    if (typeof roomId !== 'string') throw new ProtocolViolationError('9.15', 'joinFailed does not name the room');
    if (typeof code !== 'string') throw new ProtocolViolationError('9.15', 'joinFailed has no code');
    if (PERMANENT_REFUSALS.has(code)) this.#rooms.delete(roomId);
  }

  #handleDisconnect(url: string, reason: string): void {
    this.#authenticated = undefined;
    // This is the only reason that the client has not caused and after which socket.io does not reconnect by itself.
    if (reason !== 'io server disconnect') return;
    const delay =
      this.#reconnects === 0 ? 0 : Math.min(RECONNECT_DELAY_MS * 2 ** (this.#reconnects - 1), MAX_RECONNECT_DELAY_MS);
    this.#reconnects += 1;
    if (this.#wasAccepted) this.#reconnectTimer = setTimeout(() => this.#open(url), delay);
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
        throw new ProtocolViolationError('5', 'an ack names another message than the oldest pending send of its room');
      }
      oldest.settle(ack);
    });
  }
}

function readPush(data: unknown): PushedMessage {
  const { messageId, body, sender } = isRecord(data) ? data : {};
  if (typeof messageId !== 'string' || messageId === '')
    throw new ProtocolViolationError('5', 'a pushed message has no id');
  if (typeof body !== 'string') throw new ProtocolViolationError('5', 'the body of a pushed message is not a string');
  readIdentityKey(sender, 'the sender of a pushed message', '5');
  return data as PushedMessage;
}
