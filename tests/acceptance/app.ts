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
  connect(): Promise<void> {
    return this.client.initializeConnection(this.hosts.live);
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

  /** What an app does after a lost connection: the client believes that it is in the room already, and sends no join. */
  listenAgain(messageBox: string, inbox: History<PeerMessage>): Promise<void> {
    return this.client.listenForLiveMessages({ messageBox, overrideHost: this.hosts.live, onMessage: inbox.add });
  }

  /** Sends over the socket, which the client opens when it is not; it falls back to HTTP when that fails. */
  async sendLive(message: Message): Promise<SendMessageResponse> {
    await this.connect();
    return await this.client.sendLiveMessage(message, this.hosts.http);
  }

  close(): Promise<void> {
    return this.client.disconnectWebSocket();
  }

  get #socket(): NonNullable<MessageBoxClient['testSocket']> {
    const socket = this.client.testSocket;
    if (socket === undefined) throw new Error('this app has no socket');
    return socket;
  }
}
