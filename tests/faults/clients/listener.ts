import type { RawClient } from '@messagebox/test-support/raw-client';
import { waitUntil } from '../../acceptance/history.ts';
import { Device, type DeviceConnection, type PushedMessage } from './device.ts';
import { LiveSocket } from './live-socket.ts';

export const BOX = 'inbox';
const OPEN_TIMEOUT_MS = 30_000;
const RETRY_DELAY_MS = 500;

export interface ListenerOptions {
  readonly label: string;
  readonly url: string;
  readonly client: RawClient;
  readonly transports: readonly string[];
  readonly isCut?: boolean;
  /** Whether it asks for what it missed when it comes back: `joinRoom {roomId, after}`. */
  readonly asks?: boolean;
  readonly onViolation: (what: string) => void;
}

/**
 * Listens to its own box and never lists it. It joins its room once. When its connection was lost, it only authenticates
 * again, as the registry's `MessageBoxClient` does: the server joins its room for it. One that asks joins by itself, from the
 * cursor of the last push on.
 */
export class Listener {
  readonly device: Device;
  readonly #socket: LiveSocket;
  #connection: DeviceConnection | undefined;
  /** Of the last push; `0` stands before all messages. */
  #cursor = '0';

  constructor({ label, url, client, transports, isCut = false, asks = false, onViolation }: ListenerOptions) {
    const room = `${client.identityKey}-${BOX}`;
    this.device = new Device(label, client.identityKey, isCut);
    this.#socket = new LiveSocket({
      url,
      client,
      transports,
      onReady: (isFirst) => {
        if (isFirst) {
          this.#socket.emit('joinRoom', room);
          return;
        }
        this.#connection = this.device.arrived();
        if (asks) this.#ask(room);
      },
      onLost: () => this.device.lost(),
      onEvent: (eventName, data) => {
        if (eventName === 'joinedRoom' && !this.device.isPresent) this.#connection = this.device.arrived();
        if (eventName === 'joinFailed' && asks) setTimeout(() => this.#ask(room), RETRY_DELAY_MS).unref();
        if (eventName === 'roomRecovered') this.#goOn(room, data as { after: string; complete: boolean });
        if (eventName !== `sendMessage-${room}`) return;
        this.#cursor = (data as { after?: string }).after ?? this.#cursor;
        // A push may overtake the answer that says that the room is joined.
        this.#connection ??= this.device.arrived();
        this.device.pushed(this.#connection, data as PushedMessage);
      },
      onViolation,
    });
  }

  #ask(room: string): void {
    if (this.#socket.isReady) this.#socket.emit('joinRoom', { roomId: room, after: this.#cursor });
  }

  /** A replay is bounded: the client asks for the rest. */
  #goOn(room: string, { after, complete }: { readonly after: string; readonly complete: boolean }): void {
    if (complete) return;
    this.#cursor = after;
    this.#ask(room);
  }

  /** Resolves when the room is joined. */
  async open(): Promise<void> {
    this.#socket.connect();
    await waitUntil(`${this.device.label} has joined`, () => this.device.isPresent, OPEN_TIMEOUT_MS);
  }

  async close(): Promise<void> {
    this.#socket.close();
  }
}
