import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { AuthMessage, Bytes } from '../message/auth-message.js';
import { decodeEvent, encodeEvent } from '../message/event-payload.js';
import type { SessionTable } from '../peer/session-table.js';
import { StrictPeer } from '../peer/strict-peer.js';
import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import type { ClientWallet } from '../wallet/wallet.js';
import { reportSocket } from '../wire-observers.js';

/** How many frames current clients handle at once. */
export const MAX_CLIENT_FRAMES_IN_FLIGHT = 32;

type EventCallback = (data: never) => unknown;

/** The settings of socket.io-client. */
export type SocketSettings = Partial<ManagerOptions & SocketOptions>;

/** The argument of `new StrictSocketClient()`. */
export interface StrictSocketClientOptions {
  readonly wallet: ClientWallet;
  readonly settings?: SocketSettings;
  readonly sessions?: SessionTable;
  /** The required identity of the server. Default: the first signer on a connection must sign everything on it. */
  readonly serverIdentityKey?: string;
}

/**
 * A live connection as strict as the current `AuthSocketClient`. The first frame that breaks a rule, or that arrives while 32
 * others are being handled, closes it for good.
 */
export class StrictSocketClient {
  /** The socket of socket.io below the client. */
  readonly io: Socket;
  /** How many frames are being handled. */
  framesInFlight = 0;
  /** The largest number of frames that were handled at once. */
  maxFramesInFlight = 0;
  /** The error for which the connection was closed for good, if any. */
  failure: Error | undefined;
  /** The errors of events that could not be sent. Current clients report them and continue. */
  readonly sendFailures: Error[] = [];
  readonly #peer: StrictPeer;
  readonly #callbacks = new Map<string, EventCallback[]>();
  readonly #failureListeners: ((error: Error) => void)[] = [];
  readonly #pinned: string | undefined;
  #server: string | undefined;

  /** @param url the URL of the server. Its path is the namespace of socket.io */
  constructor(url: string, { wallet, settings, sessions, serverIdentityKey }: StrictSocketClientOptions) {
    this.#pinned = serverIdentityKey;
    this.#server = serverIdentityKey;
    this.io = io(new URL(url).toString(), { forceNew: true, ...settings });
    reportSocket(this.io);
    this.#peer = new StrictPeer({
      wallet,
      transmit: async (message) => void this.io.emit('authMessage', toWire(message)),
      onPayload: (sender, payload) => this.#handleEvent(sender, payload),
      ...(sessions === undefined ? {} : { sessions }),
    });
    this.io.on('authMessage', (frame: unknown) => void this.#handleFrame(frame));
    this.io.on('connect', () => {
      this.#server = this.#pinned;
      void this.#callListeners('connect', undefined);
    });
    this.io.on('disconnect', (reason) => {
      this.#server = this.#pinned;
      void this.#callListeners('disconnect', reason);
    });
  }

  get connected(): boolean {
    return this.io.connected;
  }

  /** The identity that the server has proven on this connection, or that is required. */
  get serverIdentityKey(): string | undefined {
    return this.#server;
  }

  /** How many handshakes this client has begun. */
  get handshakesBegun(): number {
    return this.#peer.handshakesBegun;
  }

  /** @param callback called with the data of an event. The frame counts as being handled until its promise resolves */
  on<T>(eventName: string, callback: (data: T) => unknown): this {
    const callbacks = this.#callbacks.get(eventName) ?? [];
    callbacks.push(callback);
    this.#callbacks.set(eventName, callbacks);
    return this;
  }

  /** Calls `listener` when the connection is closed for good because of a broken rule, or at once if it was. */
  onFailure(listener: (error: Error) => void): this {
    if (this.failure !== undefined) listener(this.failure);
    else this.#failureListeners.push(listener);
    return this;
  }

  /**
   * Signs an event and sends it, after a handshake if one is needed.
   *
   * @throws TypeError when current clients do not send such an event
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

  async #handleFrame(frame: unknown): Promise<void> {
    if (this.failure !== undefined) return;
    if (this.framesInFlight >= MAX_CLIENT_FRAMES_IN_FLIGHT) {
      this.#fail(
        new ProtocolViolationError(
          '9.11',
          `a frame arrived while ${MAX_CLIENT_FRAMES_IN_FLIGHT} others were being handled`,
        ),
      );
      return;
    }
    this.framesInFlight += 1;
    this.maxFramesInFlight = Math.max(this.maxFramesInFlight, this.framesInFlight);
    try {
      await this.#peer.receive(frame);
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.framesInFlight -= 1;
    }
  }

  async #handleEvent(sender: string, payload: Bytes): Promise<void> {
    this.#server ??= sender;
    if (sender !== this.#server) {
      throw new ProtocolViolationError('2', 'the identity of the server changed within a connection');
    }
    const { eventName, data } = decodeEvent(payload);
    await this.#callListeners(eventName, data);
  }

  async #callListeners(eventName: string, data: unknown): Promise<void> {
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

/** Converts the payload to an array, because JSON has no typed arrays. */
function toWire(message: AuthMessage): AuthMessage {
  return message.messageType === 'general' ? { ...message, payload: [...message.payload] } : message;
}
