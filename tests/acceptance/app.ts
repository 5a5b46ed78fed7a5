import { MessageBoxClient, type PeerMessage, type SendMessageResponse } from '@bsv/message-box-client';
import type { WalletInterface } from '@bsv/sdk';
import { History } from './history.js';

/** Where an app finds a deployment: requests and sockets may have different addresses. */
export interface Hosts {
  readonly http: string;
  readonly live: string;
}

export interface Message {
  readonly recipient: string;
  readonly messageBox: string;
  readonly body: string | object;
  readonly messageId?: string;
  readonly skipEncryption?: boolean;
}

/** An app that uses the real `MessageBoxClient`, and always says which host it means. */
export class App {
  readonly client: MessageBoxClient;
  /** The client forgets a socket that has lost its connection, but that one goes on trying. */
  readonly #sockets = new Set<NonNullable<MessageBoxClient['testSocket']>>();

  constructor(
    wallet: WalletInterface,
    readonly key: string,
    private readonly hosts: Hosts,
  ) {
    this.client = new MessageBoxClient({ host: hosts.http, walletClient: wallet, networkPreset: 'local' });
  }

  send(message: Message): Promise<SendMessageResponse> {
    return this.client.sendMessage(message, this.hosts.http);
  }

  list(messageBox: string): Promise<PeerMessage[]> {
    return this.client.listMessages({ messageBox, host: this.hosts.http });
  }

  acknowledge(...messageIds: string[]): Promise<string> {
    return this.client.acknowledgeMessage({ messageIds, host: this.hosts.http });
  }

  /** Opens the app's socket, or makes sure that it is open. */
  async connect(): Promise<void> {
    await this.client.initializeConnection(this.hosts.live);
    this.#sockets.add(this.#socket);
  }

  /** The next event of this name on the app's socket. */
  event<T = Record<string, unknown>>(name: string, matches: (data: T) => boolean = () => true): Promise<T> {
    const events = new History<T>(`event ${name}`);
    this.#socket.on(name, events.add);
    return events.next(matches);
  }

  /** Listens to an own box. @returns what is pushed for it, decrypted */
  async listen(messageBox: string): Promise<History<PeerMessage>> {
    const inbox = new History<PeerMessage>(`live message in ${messageBox}`);
    await this.connect();
    const joined = this.event<{ roomId: string }>('joinedRoom', ({ roomId }) => roomId === `${this.key}-${messageBox}`);
    await this.listenAgain(messageBox, inbox);
    await joined;
    return inbox;
  }

  /** Listens to several own boxes, all at once and before anything else. Resolves when the server has joined all of them. */
  async listenToAll(
    messageBoxes: readonly string[],
    onMessage: (messageBox: string, message: PeerMessage) => void,
  ): Promise<void> {
    const listening = Promise.all(
      messageBoxes.map((messageBox) =>
        this.client.listenForLiveMessages({
          messageBox,
          overrideHost: this.hosts.live,
          onMessage: (message) => onMessage(messageBox, message),
        }),
      ),
    );
    // The client makes its socket only then, and no answer may be missed.
    while (this.client.testSocket === undefined) await new Promise((resolve) => setImmediate(resolve));
    this.#sockets.add(this.#socket);
    const joined = new History<{ roomId: string }>('event joinedRoom');
    this.#socket.on('joinedRoom', joined.add);
    await listening;
    for (const messageBox of messageBoxes) await joined.find(({ roomId }) => roomId === `${this.key}-${messageBox}`);
  }

  /** What an app does after a lost connection: the client believes that it is in the room already, and sends no join. */
  async listenAgain(messageBox: string, inbox: History<PeerMessage>): Promise<void> {
    await this.client.listenForLiveMessages({ messageBox, overrideHost: this.hosts.live, onMessage: inbox.add });
    this.#sockets.add(this.#socket);
  }

  /** Sends over the socket, which the client opens when it is not; it falls back to HTTP when that fails. */
  async sendLive(message: Message): Promise<SendMessageResponse> {
    await this.connect();
    return await this.client.sendLiveMessage(message, this.hosts.http);
  }

  close(): void {
    for (const socket of this.#sockets) socket.disconnect();
  }

  get #socket(): NonNullable<MessageBoxClient['testSocket']> {
    const socket = this.client.testSocket;
    if (socket === undefined) throw new Error('this app has no socket');
    return socket;
  }
}
