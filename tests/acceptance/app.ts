import { MessageBoxClient } from '@bsv/message-box-client';
import type { WalletInterface } from '@bsv/sdk';
import {
  type EventClient,
  History,
  type PeerMessage,
  type SendMessageResponse,
  StrictMessageBoxClient,
} from '@messagebox/test-kit';
import type { BoxClient, Clients } from './clients.js';

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

/** An app that uses a client of message boxes, and always says which host it means. */
export class BoxApp<Client extends BoxClient = BoxClient> {
  /** A client may forget a socket that has lost its connection, but that one goes on trying. */
  readonly #sockets = new Set<EventClient>();

  constructor(
    readonly client: Client,
    readonly key: string,
    private readonly hosts: Hosts,
  ) {}

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
    this.#socket.onFailure?.(events.fail);
    return events.next(matches);
  }

  /** Listens to an own box. @returns what is pushed for it, decrypted */
  async listen(messageBox: string): Promise<History<PeerMessage>> {
    const inbox = new History<PeerMessage>(`live message in ${messageBox}`);
    await this.connect();
    this.#socket.onFailure?.(inbox.fail);
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
    this.#socket.onFailure?.(joined.fail);
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
    this.client.testSocket?.disconnect();
    for (const socket of this.#sockets) socket.disconnect();
  }

  get #socket(): EventClient {
    const socket = this.client.testSocket;
    if (socket === undefined) throw new Error('this app has no socket');
    return socket;
  }
}

/** An app that uses the registry's `MessageBoxClient`. */
export class App extends BoxApp<MessageBoxClient> {
  constructor(wallet: WalletInterface, key: string, hosts: Hosts) {
    super(new MessageBoxClient({ host: hosts.http, walletClient: wallet, networkPreset: 'local' }), key, hosts);
  }
}

/** An app that uses the strict client. */
export class StrictApp extends BoxApp<StrictMessageBoxClient> {
  constructor(wallet: WalletInterface, key: string, hosts: Hosts, { socket }: Clients) {
    const settings = { identityKey: key, ...(socket === undefined ? {} : { socketSettings: socket }) };
    super(new StrictMessageBoxClient({ host: hosts.http, walletClient: wallet, ...settings }), key, hosts);
  }

  /** Why a connection was closed for good because of a broken rule, if one was. */
  get failure(): Error | undefined {
    return this.client.sockets.find((socket) => socket.failure !== undefined)?.failure;
  }

  override close(): void {
    this.client.close();
  }
}
