import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { EventHistory, encodeEvent, type InitialRequest } from '../../src/index.js';
import { StubServer } from './stub-server.js';

/** A server for live connections whose frames a test chooses. */
export class SocketServer {
  readonly stub: StubServer;
  readonly frames = new EventHistory<Record<string, unknown>>('frame from the client');
  /** Whether handshakes are answered. */
  answers = true;
  readonly #http = createServer();
  readonly #io = new Server(this.#http);
  /** The current connection, its client, and the last nonce of the client. */
  #socket: Socket | undefined;
  #client = { key: '', nonce: '' };

  constructor(stub: StubServer = new StubServer()) {
    this.stub = stub;
    this.#io.on('connection', (socket) => {
      this.#socket = socket;
      socket.on('authMessage', (message: Record<string, unknown>) => void this.#take(message));
    });
  }

  async open(): Promise<string> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    await this.#io.close();
  }

  /** Sends a frame as it is. */
  frame(frame: unknown): void {
    this.#socket?.emit('authMessage', frame);
  }

  /** Signs a payload for the client that is connected. */
  signed(payload: Uint8Array, by: StubServer = this.stub): ReturnType<StubServer['say']> {
    return by.say(this.#client.key, this.#client.nonce, payload);
  }

  /** Sends a signed event. */
  async say(eventName: string, data: unknown): Promise<void> {
    this.frame(await this.signed(encodeEvent(eventName, data)));
  }

  /** Closes the connection on the server. */
  disconnect(): void {
    this.#socket?.disconnect(true);
  }

  /** Closes the connection as a network failure does. */
  lose(): void {
    this.#socket?.conn.close();
  }

  async #take(message: Record<string, unknown>): Promise<void> {
    if (message['messageType'] === 'initialRequest' && this.answers) {
      const request = message as unknown as InitialRequest;
      this.#client = { key: request.identityKey, nonce: request.initialNonce };
      this.frame(await this.stub.answer(request));
    }
    this.frames.add(message);
  }
}

/** The event in a frame from a client. */
export function readEvent(frame: Record<string, unknown>): { eventName?: string; data?: unknown } {
  if (frame['messageType'] !== 'general') return {};
  return JSON.parse(Buffer.from(frame['payload'] as number[]).toString('utf8')) as { eventName: string };
}
