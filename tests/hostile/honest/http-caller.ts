import type { RawClient, Session } from '@messagebox/test-support/raw-client';
import type { Endpoint } from '../wire/endpoint.ts';
import { HttpConnection, shakeHands } from '../wire/http-wire.ts';

const ANSWER_TIMEOUT_MS = 10_000;

/** Signed requests of one identity, over as many kept connections as are under way at once; to all instances in turn. */
export class HttpCaller {
  readonly #idle: HttpConnection[][];
  #turn = 0;
  #session: Session | undefined;

  constructor(
    private readonly endpoints: readonly Endpoint[],
    readonly client: RawClient,
  ) {
    this.#idle = endpoints.map(() => []);
  }

  /** @throws {Error} for any status but 200 */
  async post(path: string, body: object): Promise<Record<string, unknown>> {
    return await this.#onWire(async (wire) => {
      this.#session ??= await shakeHands(wire, this.client);
      const { status, text } = await wire.exchange(this.#session.post(path, body), ANSWER_TIMEOUT_MS);
      if (status === 401) this.#session = undefined;
      if (status !== 200) throw new Error(`${path} was answered with ${status} ${text.slice(0, 120)}`);
      return JSON.parse(text) as Record<string, unknown>;
    });
  }

  close(): void {
    for (const wires of this.#idle) for (const wire of wires.splice(0)) wire.destroy();
  }

  async #onWire<T>(work: (wire: HttpConnection) => Promise<T>): Promise<T> {
    this.#turn += 1;
    const index = this.#turn % this.endpoints.length;
    const endpoint = this.endpoints[index];
    const idle = this.#idle[index];
    if (endpoint === undefined || idle === undefined) throw new Error('There is no server');
    let wire = idle.pop();
    while (wire !== undefined && !wire.isOpen) wire = idle.pop();
    wire ??= await HttpConnection.open(endpoint);
    try {
      const result = await work(wire);
      if (wire.isOpen) idle.push(wire);
      return result;
    } catch (error) {
      wire.destroy();
      throw error;
    }
  }
}
