import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { AuthMessage, Bytes } from '../message/auth-message.js';
import { decodeEvent, encodeEvent } from '../message/event-payload.js';
import type { SessionTable } from '../peer/session-table.js';
import { StrictPeer } from '../peer/strict-peer.js';
import { ProtocolViolation } from '../rules/protocol-violation.js';
import type { ClientWallet } from '../wallet/wallet.js';

/** How many frames today's clients work on at once. */
export const MAX_FRAMES_IN_WORK = 32;

type EventCallback = (data: never) => unknown;

export type SocketSettings = Partial<ManagerOptions & SocketOptions>;

export interface StrictSocketOptions {
  readonly wallet: ClientWallet;
  /** For socket.io-client. */
  readonly settings?: SocketSettings;
  readonly sessions?: SessionTable;
  /** Who the server has to be. By default whoever signs first on a connection has to sign everything on it. */
  readonly serverIdentityKey?: string;
}

/**
 * A live connection as strict as today's `AuthSocketClient`: the first frame that breaks a rule, and the first frame too
 * many while others are being worked on, close it for good.
 */
export class StrictSocketClient {
  /** The socket.io socket below. */
  readonly io: Socket;
  /** Frames that are being worked on. */
  framesInWork = 0;
  /** The most frames that were ever being worked on at once. */
  highestFramesInWork = 0;
  /** Why the connection was closed for good, if it was. */
  failure: Error | undefined;
  /** Events that could not be sent, and why: today's clients report these and go on. */
  readonly sendFailures: Error[] = [];
  readonly #peer: StrictPeer;
  readonly #callbacks = new Map<string, EventCallback[]>();
  readonly #failureListeners: ((error: Error) => void)[] = [];
  readonly #pinned: string | undefined;
  #server: string | undefined;

  /** @param url where the server is; a path is the namespace of socket.io */
  constructor(url: string, { wallet, settings, sessions, serverIdentityKey }: StrictSocketOptions) {
    this.#pinned = serverIdentityKey;
    this.#server = serverIdentityKey;
    this.io = io(new URL(url).toString(), { forceNew: true, ...settings });
    this.#peer = new StrictPeer({
      wallet,
      transmit: async (message) => void this.io.emit('authMessage', toWire(message)),
      onPayload: (sender, payload) => this.#takeEvent(sender, payload),
      ...(sessions === undefined ? {} : { sessions }),
    });
    this.io.on('authMessage', (frame: unknown) => void this.#takeFrame(frame));
    this.io.on('connect', () => {
      this.#server = this.#pinned;
      void this.#call('connect', undefined);
    });
    this.io.on('disconnect', (reason) => {
      this.#server = this.#pinned;
      void this.#call('disconnect', reason);
    });
  }

  get connected(): boolean {
    return this.io.connected;
  }

  /** Who the server has proven to be on this connection, or has to be. */
  get serverIdentityKey(): string | undefined {
    return this.#server;
  }

  /** How many handshakes this client has begun. */
  get handshakesBegun(): number {
    return this.#peer.handshakesBegun;
  }

  /** @param callback takes what came with an event; a promise is waited for, and the frame is in work for so long */
  on<T>(eventName: string, callback: (data: T) => unknown): this {
    const callbacks = this.#callbacks.get(eventName) ?? [];
    callbacks.push(callback);
    this.#callbacks.set(eventName, callbacks);
    return this;
  }

  /** Calls when the connection is closed for good because of a broken rule; at once if it has been. */
  onFailure(listener: (error: Error) => void): this {
    if (this.failure !== undefined) listener(this.failure);
    else this.#failureListeners.push(listener);
    return this;
  }

  /**
   * Signs an event and sends it, after a handshake where one is needed.
   * @throws TypeError when today's clients do not send such an event
   */
  emit(eventName: string, data?: unknown): this {
    const payload = encodeEvent(eventName, data);
    this.#peer.send(payload, this.#server).catch((error: Error) => this.sendFailures.push(error));
    return this;
  }

  disconnect(): void {
    this.io.disconnect();
    this.#peer.abandon(new Error('The client has closed the connection.'));
  }

  async #takeFrame(frame: unknown): Promise<void> {
    if (this.failure !== undefined) return;
    if (this.framesInWork >= MAX_FRAMES_IN_WORK) {
      this.#fail(new ProtocolViolation('9.11', `a frame came while ${MAX_FRAMES_IN_WORK} others were being worked on`));
      return;
    }
    this.framesInWork += 1;
    this.highestFramesInWork = Math.max(this.highestFramesInWork, this.framesInWork);
    try {
      await this.#peer.receive(frame);
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.framesInWork -= 1;
    }
  }

  async #takeEvent(sender: string, payload: Bytes): Promise<void> {
    this.#server ??= sender;
    if (sender !== this.#server) {
      throw new ProtocolViolation('2', 'the identity of the server changed within a connection');
    }
    const { eventName, data } = decodeEvent(payload);
    await this.#call(eventName, data);
  }

  async #call(eventName: string, data: unknown): Promise<void> {
    for (const callback of this.#callbacks.get(eventName) ?? []) await callback(data as never);
  }

  #fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.io.disconnect();
    this.#peer.abandon(error);
    for (const listener of this.#failureListeners.splice(0)) listener(error);
  }
}

/** JSON knows no typed arrays. */
function toWire(message: AuthMessage): AuthMessage {
  return message.messageType === 'general' ? { ...message, payload: [...message.payload] } : message;
}
