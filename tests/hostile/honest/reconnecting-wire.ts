import type { RawClient } from '@messagebox/test-support/raw-client';
import type { Endpoint } from '../wire/endpoint.ts';
import { type LiveEvent, WebsocketConnection } from '../wire/websocket-wire.ts';

const RECONNECT_DELAY_MS = 100;

export interface ReconnectingWireOptions {
  readonly endpoints: readonly Endpoint[];
  readonly client: RawClient;
  /** A box of the client's own to be joined after each connect. */
  readonly messageBox?: string;
  readonly onEvent: (event: LiveEvent) => void;
  /** Connected and, with a box, joined: the first time and after each loss. */
  readonly onReady?: () => void;
}

/** A proven socket that comes back by itself, as socket.io's clients do. */
export class ReconnectingWire {
  #wire: WebsocketConnection | undefined;
  #closed = false;
  #turn = 0;

  constructor(private readonly options: ReconnectingWireOptions) {}

  /** Resolves when it is ready for the first time, and goes on keeping it open. */
  async open(): Promise<void> {
    await this.#connect();
    void this.#keepOpen();
  }

  /** @throws {Error} while there is no connection */
  get wire(): WebsocketConnection {
    if (this.#wire === undefined || !this.#wire.isOpen) throw new Error('The socket is not connected');
    return this.#wire;
  }

  close(): void {
    this.#closed = true;
    this.#wire?.destroy();
  }

  async #keepOpen(): Promise<void> {
    while (!this.#closed) {
      await this.#wire?.ended;
      this.#wire = undefined;
      if (this.#closed) return;
      try {
        await this.#connect();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_DELAY_MS));
      }
    }
  }

  async #connect(): Promise<void> {
    const { endpoints, client, messageBox, onEvent, onReady } = this.options;
    this.#turn += 1;
    const endpoint = endpoints[this.#turn % endpoints.length];
    if (endpoint === undefined) throw new Error('There is no server');
    const wire = await WebsocketConnection.proven(endpoint, client);
    const joined = new Promise<void>((resolve) => {
      if (messageBox === undefined) resolve();
      wire.onEvent = (event) => {
        if (event.eventName === 'joinedRoom') resolve();
        onEvent(event);
      };
    });
    if (messageBox !== undefined) wire.event('joinRoom', `${client.identityKey}-${messageBox}`);
    await Promise.race([joined, wire.ended]);
    this.#wire = wire;
    onReady?.();
  }
}
