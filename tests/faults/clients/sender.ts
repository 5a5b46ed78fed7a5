import {
  type Answer,
  encodeRequest,
  type RawClient,
  RawConnection,
  type Session,
} from '@messagebox/test-support/raw-client';
import { waitUntil } from '../../acceptance/history.ts';
import { BOX } from './listener.ts';
import { LiveSocket } from './live-socket.ts';

/** The registry's client waits so long for an ack. */
const ATTEMPT_TIMEOUT_MS = 10_000;
const OPEN_TIMEOUT_MS = 30_000;

/** A message as the sender knows it. */
export interface OutgoingMessage {
  readonly messageId: string;
  readonly recipient: string;
  readonly body: string;
}

export type Way = 'HTTP' | 'live';

/** Sends signed messages over HTTP, and live when it has a socket. Each call is one attempt. */
export class Sender {
  readonly #unacknowledged = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  readonly #socket: LiveSocket | undefined;
  #session: Promise<Session> | undefined;

  constructor(
    private readonly port: number,
    private readonly client: RawClient,
    options: { readonly isLive: boolean; readonly onViolation: (what: string) => void },
  ) {
    if (!options.isLive) return;
    this.#socket = new LiveSocket({
      url: `http://127.0.0.1:${port}`,
      client,
      transports: ['websocket'],
      onReady: () => undefined,
      onLost: () => {
        for (const { reject } of this.#unacknowledged.values())
          reject(new Error('the connection ended before the ack'));
      },
      onEvent: (eventName, data) => this.#take(eventName, data),
      onViolation: options.onViolation,
    });
  }

  get key(): string {
    return this.client.identityKey;
  }

  /** Whether a send can go over the socket now. */
  get isLive(): boolean {
    return this.#socket?.isReady === true;
  }

  async open(): Promise<void> {
    await this.#getSession();
    this.#socket?.connect();
    if (this.#socket !== undefined) await waitUntil('a sender is connected', () => this.isLive, OPEN_TIMEOUT_MS);
  }

  async close(): Promise<void> {
    this.#socket?.close();
  }

  /** @throws {Error} when the message is not acknowledged within 10 s; it may have been stored */
  async sendOverHttp({ messageId, recipient, body }: OutgoingMessage): Promise<void> {
    const session = await this.#getSession();
    const message = { recipient, messageBox: BOX, messageId, body };
    const request = session.post('/sendMessage', { message });
    const { status, text } = await exchange(this.port, encodeRequest(request));
    if (status === 401) this.#session = undefined; // the server no longer knows the session: a new one is needed
    const answer = JSON.parse(text || '{}') as { status?: string; messageId?: string };
    if (status !== 200 || answer.status !== 'success' || answer.messageId !== messageId) {
      throw new Error(`/sendMessage was answered with ${status} ${text.slice(0, 200)}`);
    }
  }

  /** @throws {Error} when the message is not acknowledged within 10 s; it may have been stored */
  async sendLive({ messageId, recipient, body }: OutgoingMessage): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#unacknowledged.set(messageId, { resolve, reject });
        timer = setTimeout(() => reject(new Error('no ack came in time')), ATTEMPT_TIMEOUT_MS);
        this.#socket?.emit('sendMessage', {
          roomId: `${recipient}-${BOX}`,
          message: { messageId, recipient, body },
        });
      });
    } finally {
      clearTimeout(timer);
      this.#unacknowledged.delete(messageId);
    }
  }

  #take(eventName: string, data: unknown): void {
    if (!eventName.startsWith('sendMessageAck-')) return;
    const { status, messageId, code } = data as { status: string; messageId: string; code?: string };
    const waiting = this.#unacknowledged.get(messageId);
    if (status === 'success') waiting?.resolve();
    else waiting?.reject(new Error(`the ack says ${status} ${code}`));
  }

  #getSession(): Promise<Session> {
    if (this.#session === undefined) {
      const session = this.client.shakeHands(this.port);
      this.#session = session;
      session.catch(() => {
        if (this.#session === session) this.#session = undefined;
      });
    }
    return this.#session;
  }
}

/** One request on a connection of its own, given up after 10 s. */
export async function exchange(port: number, request: Uint8Array, timeoutMs = ATTEMPT_TIMEOUT_MS): Promise<Answer> {
  const wire = await RawConnection.to(port);
  const timer = setTimeout(() => wire.destroy(), timeoutMs);
  try {
    wire.write(request);
    return await wire.answer();
  } finally {
    clearTimeout(timer);
    wire.destroy();
  }
}
