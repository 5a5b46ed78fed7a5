import type { MessageBoxClient } from '@bsv/message-box-client';
import type { CurrentIdentity } from '../identity/current-identity.js';

type Transport = 'websocket' | 'polling';

export interface LiveClientOptions {
  readonly identity: CurrentIdentity;
  readonly serverUrl: string;
  readonly messageBox: string;
  /** A message as the server sent it. */
  readonly onMessage: (message: unknown) => void;
  /** The connection went over to another transport. */
  readonly onTransport: (transport: Transport | undefined) => void;
  /** The connection has ended. */
  readonly onLost: () => void;
  /** Gives up when it is aborted. */
  readonly signal: AbortSignal;
}

/** A client that receives the messages of one box. */
export interface LiveClient {
  readonly client: MessageBoxClient;
  readTransport(): Transport | undefined;
  close(): void;
}

/** What lies below the client's socket: socket.io's. The client has no public way to it. */
interface SocketInside {
  readonly ioSocket?: {
    readonly io?: {
      readonly engine?: {
        readonly transport?: { readonly name?: string };
        on?(name: string, listener: () => void): void;
      };
    };
  };
}

const JOIN_TIMEOUT_MS = 5_000;

/** @returns undefined when the server can't be reached live, or refuses */
export async function openLiveClient(options: LiveClientOptions): Promise<LiveClient | undefined> {
  const { identity, serverUrl, messageBox, onMessage, onTransport, onLost, signal } = options;
  const { makeMessageBoxClient } = await import('../identity/clients.js');
  const client = makeMessageBoxClient(identity);
  try {
    await rejectOnAbort(client.initializeConnection(serverUrl), signal);
    const socket = client.testSocket;
    if (socket === undefined) return undefined;
    const engine = (socket as unknown as SocketInside).ioSocket?.io?.engine;
    const readTransport = () => toTransport(engine?.transport?.name);
    engine?.on?.('upgrade', () => onTransport(readTransport()));
    socket.on('disconnect', () => {
      // socket.io would come back by itself, without the client.
      socket.disconnect();
      onLost();
    });
    // The client's own listener replaces the body by what it decrypted, and this one comes before it.
    const received = new Map<string, unknown>();
    const roomId = `${identity.identityKey}-${messageBox}`;
    socket.on(`sendMessage-${roomId}`, (message: { messageId: string }) => {
      received.set(message.messageId, { ...message });
    });
    const joined = new Promise<boolean>((resolve) => {
      socket.on('joinedRoom', () => resolve(true));
      socket.on('joinFailed', () => resolve(false));
      setTimeout(() => resolve(false), JOIN_TIMEOUT_MS);
    });
    await client.listenForLiveMessages({
      messageBox,
      overrideHost: serverUrl,
      onMessage: ({ messageId }) => {
        onMessage(received.get(messageId));
        received.delete(messageId);
      },
    });
    if (await rejectOnAbort(joined, signal)) return { client, readTransport, close: () => socket.disconnect() };
    socket.disconnect();
    return undefined;
  } catch {
    // The caller goes on over HTTP, and tries again.
    client.testSocket?.disconnect();
    return undefined;
  }
}

async function rejectOnAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      const abort = () => reject(new Error('given up'));
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    }),
  ]);
}

function toTransport(name: string | undefined): Transport | undefined {
  return name === 'websocket' || name === 'polling' ? name : undefined;
}
