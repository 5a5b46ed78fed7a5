import type { Socket } from 'socket.io-client';
import { History } from '../waiting/history.js';

/** What a listener is pushed. */
export interface Push {
  readonly sender: string;
  readonly messageId: string;
  readonly body: string;
}

/** The answer to a live send. */
export interface Ack {
  readonly status: string;
  readonly messageId?: string;
  readonly code?: string;
  readonly description?: string;
  readonly blockedRecipients?: string[];
}

/** An event as it stood in a frame from the server, whether or not somebody listens to it. */
export interface WireEvent {
  readonly eventName: string;
  readonly data: unknown;
}

/** The fields of an event's data. */
export type Fields = Readonly<Record<string, unknown>>;

/** What the clients for sockets have in common, the registry's and the strict one. */
export interface EventClient {
  on<T>(eventName: string, callback: (data: T) => unknown): unknown;
  emit(eventName: string, data: unknown): unknown;
  disconnect(): void;
  readonly connected: boolean;
  /** Strict clients only: why the connection was closed for good. */
  onFailure?(listener: (error: Error) => void): unknown;
}

/** A client for sockets with events that can be awaited. */
export class AwaitableSocket<Client extends EventClient = EventClient> {
  /** Everything that came over the wire: general messages by their event, other frames by their type. */
  readonly wire = new History<WireEvent>('frame');
  /** Why the connection was closed for good because of a broken rule, if it was. */
  failure: Error | undefined;
  readonly #events = new Map<string, History<Fields>>();

  /**
   * @param io the socket.io socket below the client
   * @param key the identity of the client
   */
  constructor(
    readonly client: Client,
    readonly io: Socket,
    readonly key: string,
  ) {
    for (const name of ANSWERS) this.events(name);
    this.io.onAny((name: string, data: unknown) => {
      this.wire.add(name === 'authMessage' ? readFrame(data) : { eventName: `(unsigned ${name})`, data });
    });
    client.onFailure?.((error) => {
      this.failure = error;
      for (const history of [this.wire, ...this.#events.values()]) history.fail(error);
    });
  }

  /** All events of one name, from the first call on. */
  events<T = Fields>(name: string): History<T> {
    let events = this.#events.get(name);
    if (events === undefined) {
      events = new History<Fields>(`event ${name}`);
      if (this.failure !== undefined) events.fail(this.failure);
      this.client.on(name, events.add);
      this.#events.set(name, events);
    }
    return events as unknown as History<T>;
  }

  /** Sends an event and waits for the next answer of this name. */
  async ask(name: string, data: unknown, answer: string): Promise<Fields> {
    return await this.#exchange(this.events(answer).next(), name, data);
  }

  async authenticate(): Promise<this> {
    await this.ask('authenticated', { identityKey: this.key }, 'authenticationSuccess');
    return this;
  }

  /** Joins an own box. @returns what is pushed for it */
  async join(messageBox: string): Promise<History<Push>> {
    const room = `${this.key}-${messageBox}`;
    const pushes = this.events<Push>(`sendMessage-${room}`);
    const joined = this.events('joinedRoom').next(({ roomId }) => roomId === room);
    await this.#exchange(joined, 'joinRoom', room);
    return pushes;
  }

  async leave(messageBox: string): Promise<void> {
    const room = `${this.key}-${messageBox}`;
    const left = this.events('leftRoom').next(({ roomId }) => roomId === room);
    await this.#exchange(left, 'leaveRoom', room);
  }

  /** @returns the ack, whatever it says */
  async send(recipient: string, messageBox: string, messageId: string, body: unknown): Promise<Ack> {
    const roomId = `${recipient}-${messageBox}`;
    const acked = this.events<Ack>(`sendMessageAck-${roomId}`).next((ack) => ack.messageId === messageId);
    return await this.#exchange(acked, 'sendMessage', { roomId, message: { messageId, recipient, body } });
  }

  close(): void {
    this.client.disconnect();
  }

  async #exchange<T>(answered: Promise<T>, name: string, data: unknown): Promise<T> {
    // A client may refuse to send; then nobody waits for the answer.
    answered.catch(() => {});
    this.client.emit(name, data);
    return await answered;
  }
}

/** Events that a test may ask for after they came. */
const ANSWERS = [
  'connect',
  'disconnect',
  'authenticationSuccess',
  'authenticationFailed',
  'joinedRoom',
  'joinFailed',
  'leftRoom',
  'leaveFailed',
  'messageFailed',
  'paymentFailed',
];

/** Frames that cannot be read are named so: what becomes of them is the client's business. */
function readFrame(frame: unknown): WireEvent {
  try {
    const { messageType, payload } = frame as { messageType: string; payload?: number[] };
    if (messageType !== 'general' || payload === undefined) return { eventName: `(${messageType})`, data: frame };
    return JSON.parse(Buffer.from(payload).toString('utf8')) as WireEvent;
  } catch {
    return { eventName: '(unreadable)', data: frame };
  }
}
