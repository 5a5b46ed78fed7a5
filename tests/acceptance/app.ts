import { MessageBoxClient } from '@bsv/message-box-client';
import type { WalletInterface } from '@bsv/sdk';
import {
  type EventClient,
  EventHistory,
  type PeerMessage,
  type SendMessageResponse,
  StrictMessageBoxClient,
} from '@messagebox/test-kit';
import { reportSocket } from '@messagebox/test-kit/wire-observers';
import type { Socket } from 'socket.io-client';
import type { BoxClient, Clients } from './clients.js';

/** The addresses of a deployment: requests and sockets may have different ones. */
export interface AppHosts {
  readonly http: string;
  readonly live: string;
}

export interface AppMessage {
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
    private readonly hosts: AppHosts,
  ) {}

  send(message: AppMessage): Promise<SendMessageResponse> {
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
    this.#keepSocket();
  }

  /** The next event of this name on the app's socket. */
  waitForEvent<T = Record<string, unknown>>(name: string, matches: (data: T) => boolean = () => true): Promise<T> {
    const events = new EventHistory<T>(`event ${name}`);
    this.#socket.on(name, events.add);
    this.#socket.onFailure?.(events.fail);
    return events.waitForNext(matches);
  }

  /** Listens to an own box. @returns what is pushed for it, decrypted */
  async listen(messageBox: string): Promise<EventHistory<PeerMessage>> {
    const inbox = new EventHistory<PeerMessage>(`live message in ${messageBox}`);
    await this.connect();
    this.#socket.onFailure?.(inbox.fail);
    const joined = this.waitForEvent<{ roomId: string }>(
      'joinedRoom',
      ({ roomId }) => roomId === `${this.key}-${messageBox}`,
    );
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
    this.#keepSocket();
    const joined = new EventHistory<{ roomId: string }>('event joinedRoom');
    this.#socket.on('joinedRoom', joined.add);
    this.#socket.onFailure?.(joined.fail);
    await listening;
    for (const messageBox of messageBoxes) await joined.waitFor(({ roomId }) => roomId === `${this.key}-${messageBox}`);
  }

  /** Joins a room again after a lost connection. The client believes that it is in the room already, and sends no join. */
  async listenAgain(messageBox: string, inbox: EventHistory<PeerMessage>): Promise<void> {
    await this.client.listenForLiveMessages({ messageBox, overrideHost: this.hosts.live, onMessage: inbox.add });
    this.#keepSocket();
  }

  /** Sends over the socket, which the client opens when it is not; it falls back to HTTP when that fails. */
  async sendLive(message: AppMessage): Promise<SendMessageResponse> {
    await this.connect();
    return await this.client.sendLiveMessage(message, this.hosts.http);
  }

  close(): void {
    this.client.testSocket?.disconnect();
    for (const socket of this.#sockets) socket.disconnect();
  }

  #keepSocket(): void {
    this.#sockets.add(this.#socket);
    const { ioSocket } = this.#socket as { ioSocket?: Socket };
    if (ioSocket !== undefined) reportSocket(ioSocket);
  }

  get #socket(): EventClient {
    const socket = this.client.testSocket;
    if (socket === undefined) throw new Error('this app has no socket');
    return socket;
  }
}

/** An app that uses the registry's `MessageBoxClient`. */
export class RegistryApp extends BoxApp<MessageBoxClient> {
  constructor(wallet: WalletInterface, key: string, hosts: AppHosts) {
    super(new MessageBoxClient({ host: hosts.http, walletClient: wallet, networkPreset: 'local' }), key, hosts);
  }
}

/** An app that uses the strict client. */
export class StrictApp extends BoxApp<StrictMessageBoxClient> {
  constructor(wallet: WalletInterface, key: string, hosts: AppHosts, { socket }: Clients) {
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
