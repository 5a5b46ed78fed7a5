import type { IncomingMessage } from 'node:http';
import { Counts, clientAddress, type RateLimit, SharedPool, TooManyRequestsError } from '@messagebox/shared';

/** An engine.io connection. */
export interface AdmittedConnection {
  /** The request that opened it. */
  readonly request: IncomingMessage;
}

export interface AdmissionParts {
  /** TRUST_PROXY */
  readonly trustedProxies: number;
  /** Of new connections from one address. */
  readonly newSockets: RateLimit;
  /** Open at once from one address. */
  readonly socketsPerAddress: number;
  /** Open at once without a proven identity, shared among addresses. */
  readonly unprovenSockets: number;
  /** Resolves when it is the turn of an address to have so much done; milliseconds. Rejects when too much of it waits. */
  readonly askTurn: (address: string, ms: number) => Promise<void>;
  /** Told that an address has too many sockets, as `sockets_per_address`. Must not throw. */
  readonly onHit: (limit: string) => void;
}

/** What a request of engine.io takes, and what a new connection does. Milliseconds. */
const REQUEST_MS = 0.25;
const NEW_CONNECTION_MS = 0.5;
/** Who is refused for having too many sockets may come again after so many seconds. */
const RETRY_AFTER_SECONDS = 10;

/** Decides whether a new connection, and then a socket on it, is taken, by where it comes from. */
export class Admission {
  readonly #addresses = new WeakMap<object, string>();
  readonly #unproven: SharedPool;
  readonly #open = new Counts();

  constructor(private readonly parts: AdmissionParts) {
    this.#unproven = new SharedPool({ total: parts.unprovenSockets });
  }

  /**
   * Lets a new connection in when it is its address's turn.
   *
   * @throws {TooManyRequestsError}
   */
  async admit(request: IncomingMessage): Promise<void> {
    const { trustedProxies, socketsPerAddress, onHit, newSockets } = this.parts;
    const address = clientAddress(request, trustedProxies);
    if (this.#open.of(address) >= socketsPerAddress) {
      onHit('sockets_per_address');
      throw new TooManyRequestsError(RETRY_AFTER_SECONDS);
    }
    await newSockets.admit(address);
    await this.parts.askTurn(address, NEW_CONNECTION_MS);
  }

  /**
   * The same for a request of a connection that is there.
   *
   * @throws {TooManyRequestsError}
   */
  async waitForTurn(request: IncomingMessage): Promise<void> {
    await this.parts.askTurn(clientAddress(request, this.parts.trustedProxies), REQUEST_MS);
  }

  /**
   * Counts a connection that was taken.
   *
   * @returns to be called once, at its end
   */
  count(connection: AdmittedConnection): () => void {
    return this.#open.add(this.addressOf(connection));
  }

  /** Where a connection comes from, also when the request that opened it has long ended. */
  addressOf(connection: AdmittedConnection): string {
    const known = this.#addresses.get(connection);
    if (known !== undefined) return known;
    const address = clientAddress(connection.request, this.parts.trustedProxies);
    this.#addresses.set(connection, address);
    return address;
  }

  /**
   * Gives a socket without a proven identity one of the places for them. When all are taken, an address that has fewer than
   * its share gets that of a socket which has waited longest, of the address that has most.
   *
   * @param evict ends the socket whose place is taken away
   * @returns gives the place back; undefined when there is none for this address now
   */
  admitUnproven(connection: AdmittedConnection, evict: () => void): (() => void) | undefined {
    return this.#unproven.tryAcquire(this.addressOf(connection), 1, evict)?.release;
  }
}
