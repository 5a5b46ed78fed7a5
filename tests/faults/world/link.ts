import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

/** Longer than any trial. */
const FOREVER_MS = 3_600_000;

/** The link of one service to one server. */
export class Link {
  readonly #retired: TcpProxy[] = [];

  private constructor(
    private readonly target: string,
    private readonly outer: TcpProxy,
    private inner: TcpProxy,
  ) {}

  /** @param target the server's URL, of any scheme, with its port */
  static async open(target: string): Promise<Link> {
    const inner = await createTcpProxy({ target });
    return new Link(target, await createTcpProxy({ target: inner.url }), inner);
  }

  /** The target's address as the service should use it. */
  get url(): string {
    return this.outer.url;
  }

  /** Resets the open connections; new ones work. */
  cut(): void {
    this.outer.cut();
  }

  /** Resets the open connections and refuses new ones until `connect`. */
  disconnect(): void {
    this.outer.refuse();
    this.outer.cut();
  }

  async connect(): Promise<void> {
    await this.outer.accept();
  }

  /** The open connections fall silent for good: what is sent is taken, and nothing is passed on. New ones work. */
  async silence(): Promise<void> {
    const next = await createTcpProxy({ target: this.target });
    this.inner.setDelay(FOREVER_MS);
    this.#retired.push(this.inner);
    this.inner = next;
    this.outer.setTarget(next.url);
  }

  /** Holds each byte back for so long, in both directions; 0: no longer. */
  slowDown(delayMs: number): void {
    this.inner.setDelay(delayMs);
  }

  async close(): Promise<void> {
    await Promise.all([this.outer, this.inner, ...this.#retired].map((proxy) => proxy.close()));
  }
}
