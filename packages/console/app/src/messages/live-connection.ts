import type { MessageBoxClient } from '@bsv/message-box-client';
import { signal } from '@preact/signals';
import { serverUrl } from '../api/server-url.js';
import type { CurrentIdentity } from '../identity/current-identity.js';
import { openLiveClient } from './open-live-client.js';

/** How messages arrive at the moment. */
export interface ConnectionStatus {
  readonly kind: 'connecting' | 'live' | 'fetching' | 'offline';
  /** Of a live connection: what carries it. */
  readonly transport?: 'websocket' | 'polling' | undefined;
}

export interface LiveConnectionOptions {
  readonly identity: CurrentIdentity;
  readonly messageBox: string;
  /** A message that arrived live, as the server sent it. */
  readonly onMessage: (message: unknown) => void;
  /** Fetches what may have been missed. @returns false when the server can't be reached */
  readonly fetchMissed: () => Promise<boolean>;
}

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;

/**
 * Keeps one box connected. The public client does not come back by itself after a disconnect, so each connection is a new
 * client. While none can be had, messages are fetched over HTTP.
 */
export class LiveConnection {
  readonly status = signal<ConnectionStatus>({ kind: 'connecting' });
  readonly #options: LiveConnectionOptions;
  readonly #ending = new AbortController();
  #client: MessageBoxClient | undefined;

  constructor(options: LiveConnectionOptions) {
    this.#options = options;
  }

  /** The client that is connected at the moment. */
  get client(): MessageBoxClient | undefined {
    return this.#client;
  }

  /** Connects, and comes back after each loss, until it is closed. */
  async run(): Promise<void> {
    let failures = 0;
    while (!this.#ending.signal.aborted) {
      failures = (await this.#connectOnce()) ? 0 : failures + 1;
      if (this.#ending.signal.aborted) return;
      if (failures === 0) {
        this.status.value = { kind: 'connecting' };
      } else {
        const isReachable = await this.#options.fetchMissed();
        if (this.#ending.signal.aborted) return;
        this.status.value = { kind: isReachable ? 'fetching' : 'offline' };
        await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MAX_PAUSE_MS));
      }
    }
  }

  close(): void {
    this.#ending.abort();
  }

  /** @returns whether there was a connection, once it is lost */
  async #connectOnce(): Promise<boolean> {
    const { identity, messageBox, onMessage, fetchMissed } = this.#options;
    const loss = new AbortController();
    const lose = () => loss.abort();
    this.#ending.signal.addEventListener('abort', lose, { once: true });
    // The socket would notice this after a minute.
    window.addEventListener('offline', lose, { once: true });
    try {
      const live = await openLiveClient({
        identity,
        serverUrl,
        messageBox,
        onMessage,
        signal: loss.signal,
        onTransport: (transport) => {
          if (this.#client !== undefined) this.status.value = { kind: 'live', transport };
        },
        onLost: lose,
      });
      if (live === undefined) return false;
      this.#client = live.client;
      this.status.value = { kind: 'live', transport: live.readTransport() };
      if (!(await fetchMissed())) lose();
      await aborted(loss.signal);
      live.close();
      return true;
    } finally {
      this.#client = undefined;
      window.removeEventListener('offline', lose);
      this.#ending.signal.removeEventListener('abort', lose);
    }
  }

  /** Waits; less long when the network comes back. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        window.removeEventListener('online', end);
        this.#ending.signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      window.addEventListener('online', end);
      this.#ending.signal.addEventListener('abort', end);
    });
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
