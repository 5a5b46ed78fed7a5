import type { IncomingMessage } from 'node:http';
import {
  getClientAddress,
  KeyedCounter,
  type RateLimit,
  SharedPool,
  TooManyRequestsError,
  TurnSpreader,
} from '@messagebox/shared';

/** An engine.io connection. */
export interface AdmittedConnection {
  /** The request that opened it. */
  readonly request: IncomingMessage;
}

export interface AdmissionOptions {
  /** The number of proxies in front, from TRUST_PROXY. */
  readonly trustedProxies: number;
  /** The rate of new connections from one address. */
  readonly newSockets: RateLimit;
  /** Open sockets that one address may have. */
  readonly socketsPerAddress: number;
  /** Open sockets without a proven identity, shared among all addresses. */
  readonly unprovenSockets: number;
  /**
   * Resolves when it is the turn of an address to have work done that takes `ms` milliseconds. Rejects when too much work
   * of the address waits.
   */
  readonly waitForTurn: (address: string, ms: number) => Promise<void>;
  /** Called with `sockets_per_address` when an address has too many sockets. Must not throw. */
  readonly onHit: (limit: string) => void;
}

/** The time that the server needs for a request of engine.io, and for a new connection. */
const REQUEST_COST_MS = 0.25;
const NEW_CONNECTION_COST_MS = 0.5;
/** Joining a namespace takes a third of this. Two join in one turn of the event loop, so that turns stay short in a rush. */
const CONNECT_COST_MS = 0.5;
/** Thousands of connections can be refused in one moment, and to close each of them is work as well. */
const REFUSALS_PER_TURN = { perKey: 2, later: 4 };
/** The Retry-After of a connection that is refused because its address has too many sockets. */
const RETRY_AFTER_SECONDS = 10;

/** Decides by its address whether a new connection, and then a socket on it, is accepted. */
export class Admission {
  readonly #addresses = new WeakMap<object, string>();
  readonly #unproven: SharedPool;
  readonly #open = new KeyedCounter();
  readonly #refusals = new TurnSpreader(REFUSALS_PER_TURN);

  constructor(private readonly options: AdmissionOptions) {
    this.#unproven = new SharedPool({ total: options.unprovenSockets });
  }

  /**
   * Resolves when it is the turn of a new connection's address.
   *
   * @throws {TooManyRequestsError} when the address has too many sockets or too much waiting work, or connects too often
   */
  async admit(request: IncomingMessage): Promise<void> {
    const { trustedProxies, socketsPerAddress, onHit, newSockets } = this.options;
    const address = getClientAddress(request, trustedProxies);
    if (this.#open.get(address) >= socketsPerAddress) {
      onHit('sockets_per_address');
      throw new TooManyRequestsError(RETRY_AFTER_SECONDS);
    }
    await newSockets.admit(address);
    await this.options.waitForTurn(address, NEW_CONNECTION_COST_MS);
  }

  /**
   * Resolves when it is the turn of a request of an open connection.
   *
   * @throws {TooManyRequestsError} when the address has too much waiting work
   */
  async waitForTurn(request: IncomingMessage): Promise<void> {
    await this.options.waitForTurn(getClientAddress(request, this.options.trustedProxies), REQUEST_COST_MS);
  }

  /**
   * Resolves when it is the turn of a client that wants to join a namespace.
   *
   * @throws {TooManyRequestsError} when the address has too much waiting work
   */
  async waitToConnect(connection: AdmittedConnection): Promise<void> {
    const address = this.getAddress(connection);
    try {
      await this.options.waitForTurn(address, CONNECT_COST_MS);
    } catch (error) {
      await new Promise<void>((resolve) => this.#refusals.run(address, resolve));
      throw error;
    }
  }

  /**
   * Counts an accepted connection.
   *
   * @returns ends the count; to be called once, when the connection closes
   */
  count(connection: AdmittedConnection): () => void {
    return this.#open.increment(this.getAddress(connection));
  }

  /** Returns the address of a connection, even after the request that opened it has ended. */
  getAddress(connection: AdmittedConnection): string {
    const known = this.#addresses.get(connection);
    if (known !== undefined) return known;
    const address = getClientAddress(connection.request, this.options.trustedProxies);
    this.#addresses.set(connection, address);
    return address;
  }

  /**
   * Gives a place to a socket without a proven identity. When no place is free, an address with less than its share gets
   * the place of another socket: the oldest one of the address that has most.
   *
   * @param evict ends the socket when it loses its place
   * @returns releases the place; undefined when there is no place for this address
   */
  admitUnproven(connection: AdmittedConnection, evict: () => void): (() => void) | undefined {
    return this.#unproven.tryAcquire(this.getAddress(connection), 1, evict)?.release;
  }
}
