import { MessageBoxClient } from '@bsv/message-box-client';
import { PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import type { RawClient } from '@messagebox/test-support/raw-client';
import { waitUntil } from '../../acceptance/history.ts';
import { Device } from './device.ts';
import { BOX } from './listener.ts';

const OPEN_TIMEOUT_MS = 30_000;
const RETRY_DELAY_MS = 500;

type AuthSocket = NonNullable<MessageBoxClient['testSocket']>;

export interface RegistryListenerOptions {
  readonly label: string;
  readonly url: string;
  readonly client: RawClient;
  readonly isCut?: boolean;
}

/**
 * An app with the unmodified `MessageBoxClient` of the registry. It listens to its own box and never lists it. When the
 * client has lost its connection, the app calls `listenForLiveMessages` again, which is all that it can do.
 */
export class RegistryListener {
  readonly device: Device;
  readonly #client: MessageBoxClient;
  /** The client forgets a socket that has lost its connection, but socket.io goes on with it. */
  readonly #sockets = new Set<AuthSocket>();
  #closed = false;

  constructor(private readonly options: RegistryListenerOptions) {
    const { label, url, client, isCut = false } = options;
    const privateKey = PrivateKey.fromHex(Buffer.from(client.privateKey).toString('hex'));
    const walletClient = new ProtoWallet(privateKey) as unknown as WalletInterface;
    this.device = new Device(label, client.identityKey, isCut);
    this.#client = new MessageBoxClient({ host: url, walletClient, networkPreset: 'local' });
  }

  /** Resolves when the room is joined. */
  async open(): Promise<void> {
    let joined = false;
    await this.#client.initializeConnection(this.options.url);
    this.#client.testSocket?.on('joinedRoom', () => {
      joined = true;
    });
    await this.#listen();
    await waitUntil(`${this.device.label} has joined`, () => joined, OPEN_TIMEOUT_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const socket of this.#sockets) socket.disconnect();
    this.#client.testSocket?.disconnect();
  }

  async #listen(): Promise<void> {
    const { url } = this.options;
    await this.#client.initializeConnection(url);
    const socket = this.#client.testSocket;
    if (socket === undefined) throw new Error('the connection was lost again');
    if (!this.#sockets.has(socket)) {
      this.#sockets.add(socket);
      socket.on('disconnect', () => {
        if (this.#closed) return;
        this.device.lost();
        void this.#listenAgain();
      });
    }
    const connection = this.device.arrived();
    await this.#client.listenForLiveMessages({
      messageBox: BOX,
      overrideHost: url,
      onMessage: ({ messageId, sender, body }) =>
        this.device.pushed(connection, { messageId, sender, body: String(body) }),
    });
  }

  async #listenAgain(): Promise<void> {
    while (!this.#closed && !this.device.isPresent) {
      // The client refuses when it is not authenticated within 5 s, and can be asked again.
      await this.#listen().catch(() => new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS)));
    }
  }
}
