import type { IncomingMessage } from 'node:http';
import { Counts, clientAddress, rateLimit, TooManyRequestsError } from '@messagebox/shared';

/** Defaults that protect the process, not etiquette: a whole office may stand behind one address. */
const CONNECTIONS = { burst: 3_000, seconds: 3 };
const SOCKETS_PER_ADDRESS = 12_000;

/** Decides whether a new connection is taken, by where it comes from. */
export class Admission {
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
  count(request: IncomingMessage): () => void {
    return this.#open.add(clientAddress(request, this.trustedProxies));
  }
}
