import type { IncomingMessage } from 'node:http';
import { Counts, clientAddress, rateLimit, SharedPool, TooManyRequestsError } from '@messagebox/shared';

/** Defaults that protect the process, not etiquette: a whole office may stand behind one address. */
const CONNECTIONS = { burst: 3_000, seconds: 3 };
const SOCKETS_PER_ADDRESS = 12_000;
/** Sockets that may be open at once without a proven identity, shared among addresses. */
const UNPROVEN_SOCKETS = 4_000;

/** An engine.io connection. */
export interface AdmittedConnection {
  /** The request that opened it. */
  readonly request: IncomingMessage;
}

/** Decides whether a new connection, and then a socket on it, is taken, by where it comes from. */
export class Admission {
  readonly #addresses = new WeakMap<object, string>();
  readonly #unproven = new SharedPool({ total: UNPROVEN_SOCKETS });
  readonly #open = new Counts();
  readonly #rate = rateLimit(CONNECTIONS.burst, CONNECTIONS.seconds);

  /** @param trustedProxies TRUST_PROXY */
  constructor(
    private readonly trustedProxies: number,
    private readonly socketsPerAddress = SOCKETS_PER_ADDRESS,
  ) {}

  /** @throws {TooManyRequestsError} */
  async admit(request: IncomingMessage): Promise<void> {
    const address = clientAddress(request, this.trustedProxies);
    if (this.#open.of(address) >= this.socketsPerAddress) throw new TooManyRequestsError(10);
    await this.#rate.admit(address);
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
    const address = clientAddress(connection.request, this.trustedProxies);
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
