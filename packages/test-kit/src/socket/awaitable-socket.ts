import type { Socket } from 'socket.io-client';
import { EventHistory } from '../waiting/event-history.js';
import { reportSocket } from '../wire-observers.js';

/** The data of an event that is pushed to a listener. */
export interface PushedEvent {
  readonly sender: string;
  readonly messageId: string;
  readonly body: string;
}

/** The ack of a live send. */
export interface SendAck {
  readonly status: string;
  readonly messageId?: string;
  readonly code?: string;
  readonly description?: string;
  readonly blockedRecipients?: string[];
}

/** An event in a frame from the server, whether or not it has a listener. */
export interface WireEvent {
  readonly eventName: string;
  readonly data: unknown;
}

/** The fields of an event's data. */
export type EventFields = Readonly<Record<string, unknown>>;

/** The common part of the socket clients: the one in the registry and the strict one. */
export interface EventClient {
  on<T>(eventName: string, callback: (data: T) => unknown): unknown;
  emit(eventName: string, data: unknown): unknown;
  disconnect(): void;
  readonly connected: boolean;
  /** Strict clients only: why the connection was closed for good. */
  onFailure?(listener: (error: Error) => void): unknown;
}

/** A socket client whose events can be awaited. */
export class AwaitableSocket<Client extends EventClient = EventClient> {
  /** All received frames: general messages with their event, other frames with their type. */
  readonly wireEvents = new EventHistory<WireEvent>('frame');
  /** The broken rule for which the connection was closed for good, if any. */
  failure: Error | undefined;
  readonly #events = new Map<string, EventHistory<EventFields>>();

  /**
   * @param io the socket.io socket below the client
   * @param key the identity key of the client
   */
  constructor(
    readonly client: Client,
    readonly io: Socket,
    readonly key: string,
  ) {
    reportSocket(io);
    for (const name of RECORDED_EVENTS) this.events(name);
    this.io.onAny((name: string, data: unknown) => {
      this.wireEvents.add(name === 'authMessage' ? readWireEvent(data) : { eventName: `(unsigned ${name})`, data });
    });
    client.onFailure?.((error) => {
      this.failure = error;
      for (const history of [this.wireEvents, ...this.#events.values()]) history.fail(error);
    });
  }

  /** The events with one name since the first call for that name. */
  events<T = EventFields>(name: string): EventHistory<T> {
    let events = this.#events.get(name);
    if (events === undefined) {
      events = new EventHistory<EventFields>(`event ${name}`);
      if (this.failure !== undefined) events.fail(this.failure);
      this.client.on(name, events.add);
      this.#events.set(name, events);
    }
    return events as unknown as EventHistory<T>;
  }

  /** Sends an event, and waits for the next event with the name `answer`. */
  async request(name: string, data: unknown, answer: string): Promise<EventFields> {
    return await this.#exchange(this.events(answer).waitForNext(), name, data);
  }

  async authenticate(): Promise<this> {
    await this.request('authenticated', { identityKey: this.key }, 'authenticationSuccess');
    return this;
  }

  /** Joins a box of the client. @returns the events that are pushed for it */
  async join(messageBox: string): Promise<EventHistory<PushedEvent>> {
    const room = `${this.key}-${messageBox}`;
    const pushes = this.events<PushedEvent>(`sendMessage-${room}`);
    const joined = this.events('joinedRoom').waitForNext(({ roomId }) => roomId === room);
    await this.#exchange(joined, 'joinRoom', room);
    return pushes;
  }

  async leave(messageBox: string): Promise<void> {
    const room = `${this.key}-${messageBox}`;
    const left = this.events('leftRoom').waitForNext(({ roomId }) => roomId === room);
    await this.#exchange(left, 'leaveRoom', room);
  }

  /** Sends a message live. @returns the ack, also when it is a refusal */
  async send(recipient: string, messageBox: string, messageId: string, body: unknown): Promise<SendAck> {
    const roomId = `${recipient}-${messageBox}`;
    const acked = this.events<SendAck>(`sendMessageAck-${roomId}`).waitForNext((ack) => ack.messageId === messageId);
    return await this.#exchange(acked, 'sendMessage', { roomId, message: { messageId, recipient, body } });
  }

  close(): void {
    this.client.disconnect();
  }

  async #exchange<T>(answered: Promise<T>, name: string, data: unknown): Promise<T> {
    // If the client refuses to send, nothing waits for the answer.
    answered.catch(() => {});
    this.client.emit(name, data);
    return await answered;
  }
}

/** Events that are recorded from the start, because a test may ask for them after they have arrived. */
const RECORDED_EVENTS = [
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

/** Reads the event of a frame. An unreadable frame gets the name `(unreadable)`, and the client decides what it means. */
function readWireEvent(frame: unknown): WireEvent {
  try {
    const { messageType, payload } = frame as { messageType: string; payload?: number[] };
    if (messageType !== 'general' || payload === undefined) return { eventName: `(${messageType})`, data: frame };
    return JSON.parse(Buffer.from(payload).toString('utf8')) as WireEvent;
  } catch {
    return { eventName: '(unreadable)', data: frame };
  }
}
