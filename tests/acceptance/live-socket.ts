import { AuthSocketClient } from '@bsv/authsocket-client';
import type { WalletInterface } from '@bsv/sdk';
import type { ManagerOptions, Socket, SocketOptions } from 'socket.io-client';
import { History } from './history.js';

export type SocketSettings = Partial<ManagerOptions & SocketOptions>;

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

type Fields = Readonly<Record<string, unknown>>;

/** The real `AuthSocketClient`, with events that can be awaited. */
export class LiveSocket {
  readonly client: ReturnType<typeof AuthSocketClient>;
  /** Everything that came over the wire: general messages by their event, other frames by their type. */
  readonly wire = new History<WireEvent>('frame');
  readonly #events = new Map<string, History<Fields>>();

  constructor(
    url: string,
    wallet: WalletInterface,
    readonly key: string,
    settings: SocketSettings = {},
  ) {
    this.client = AuthSocketClient(url, { wallet, managerOptions: { forceNew: true, ...settings } });
    for (const name of ANSWERS) this.events(name);
    this.io.onAny((name: string, data: unknown) => {
      this.wire.add(name === 'authMessage' ? readFrame(data) : { eventName: `(unsigned ${name})`, data });
    });
  }

  /** The socket.io socket below the client. */
  get io(): Socket {
    return (this.client as unknown as { ioSocket: Socket }).ioSocket;
  }

  /** All events of one name, from the first call on. */
  events<T = Fields>(name: string): History<T> {
    let events = this.#events.get(name);
    if (events === undefined) {
      events = new History<Fields>(`event ${name}`);
      this.client.on(name, events.add);
      this.#events.set(name, events);
    }
    return events as unknown as History<T>;
  }

  /** Sends an event and waits for the next answer of this name. */
  async ask(name: string, data: unknown, answer: string): Promise<Fields> {
    const answered = this.events(answer).next();
    this.client.emit(name, data);
    return await answered;
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
    this.client.emit('joinRoom', room);
    await joined;
    return pushes;
  }

  async leave(messageBox: string): Promise<void> {
    const room = `${this.key}-${messageBox}`;
    const left = this.events('leftRoom').next(({ roomId }) => roomId === room);
    this.client.emit('leaveRoom', room);
    await left;
  }

  /** @returns the ack, whatever it says */
  async send(recipient: string, messageBox: string, messageId: string, body: unknown): Promise<Ack> {
    const roomId = `${recipient}-${messageBox}`;
    const acked = this.events<Ack>(`sendMessageAck-${roomId}`).next((ack) => ack.messageId === messageId);
    this.client.emit('sendMessage', { roomId, message: { messageId, recipient, body } });
    return await acked;
  }

  close(): void {
    this.client.disconnect();
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

function readFrame(frame: unknown): WireEvent {
  const { messageType, payload } = frame as { messageType: string; payload?: number[] };
  if (messageType !== 'general' || payload === undefined) return { eventName: `(${messageType})`, data: frame };
  return JSON.parse(Buffer.from(payload).toString('utf8')) as WireEvent;
}
