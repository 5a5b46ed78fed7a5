import { randomBytes } from 'node:crypto';
import { RawClient, type Session } from '@messagebox/test-support/raw-client';
import type { Endpoint, Source, Target } from '../wire/endpoint.ts';
import { HttpConnection, shakeHands } from '../wire/http-wire.ts';

/** From how many addresses an attack comes, and by how many identities; 0: none is needed. */
export interface AttackShape {
  readonly addresses: 1 | 40;
  readonly identities: 0 | 1 | 1_000;
}

/** Something that one hostile client does, bounded in time and in count. */
export interface Attack {
  readonly name: string;
  /** A description in one line. */
  readonly does: string;
  /** The shapes in which it makes sense; the short form takes the first. */
  readonly shapes: readonly [AttackShape, ...AttackShape[]];
  /** Prepares, calls `begin`, and then attacks until `over`. What it opened is closed when its process ends. */
  run(context: AttackContext): Promise<void>;
}

/** Shapes that most attacks have. */
export const ANONYMOUS = [
  { addresses: 1, identities: 0 },
  { addresses: 40, identities: 0 },
] as const satisfies readonly AttackShape[];
export const BY_IDENTITY = [
  { addresses: 1, identities: 1 },
  { addresses: 40, identities: 1_000 },
] as const satisfies readonly AttackShape[];

/** After a refusal or a lost connection: an attacker's loop must not turn into a loop without work. */
const PAUSE_AFTER_FAILURE_MS = 20;

/** The means of an attack. */
export class AttackContext {
  readonly #clients: RawClient[] = [];
  readonly #ended: Promise<void>;
  #isOver = false;

  /**
   * @param begun resolves when the attack may begin
   * @param ended resolves when it must end
   */
  constructor(
    readonly target: Target,
    readonly shape: AttackShape,
    private readonly begun: () => Promise<void>,
    ended: Promise<void>,
  ) {
    this.#ended = ended.then(() => {
      this.#isOver = true;
    });
  }

  get over(): boolean {
    return this.#isOver;
  }

  /** Says that everything is prepared, and waits for the word. */
  begin(): Promise<void> {
    return this.begun();
  }

  /** Waits so long, or until the end. */
  async pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([passed, this.#ended]);
    clearTimeout(timer);
  }

  waitUntilOver(): Promise<void> {
    return this.#ended;
  }

  /** Never the honest client's address. */
  source(index: number): Source {
    const last = this.shape.addresses === 1 ? 1 : 1 + (index % this.shape.addresses);
    const { behindProxy } = this.target;
    return behindProxy ? { forwardedFor: `203.0.113.${last}` } : { localAddress: `127.0.2.${last}` };
  }

  http(index: number): Endpoint {
    return pickEndpoint(this.target.http, index);
  }

  live(index: number): Endpoint {
    return pickEndpoint(this.target.live, index);
  }

  /** One of the attacker's identities. */
  client(index: number): RawClient {
    const at = index % Math.max(1, this.shape.identities);
    let client = this.#clients[at];
    if (client === undefined) {
      client = new RawClient(randomBytes(32));
      this.#clients[at] = client;
    }
    return client;
  }

  openHttp(index: number): Promise<HttpConnection> {
    return HttpConnection.open(this.http(index), this.source(index));
  }

  /** A session of each identity, up to so many; to be made before the attack begins. */
  async sessions(atMost = 1_000): Promise<Session[]> {
    const count = Math.min(Math.max(1, this.shape.identities), atMost);
    const made = await this.openInBatches(count, 8, async (i) => {
      const wire = await this.openHttp(i);
      try {
        return await shakeHands(wire, this.client(i));
      } finally {
        wire.destroy();
      }
    });
    const sessions = made.filter((session) => session !== undefined);
    if (sessions.length === 0) throw new Error('The server refused every handshake before the attack');
    return sessions;
  }

  /** Makes so many of something before the attack begins; undefined stands for what the server refused. */
  async openInBatches<T>(
    count: number,
    atOnce: number,
    make: (index: number) => Promise<T>,
  ): Promise<(T | undefined)[]> {
    const made: (T | undefined)[] = Array.from({ length: count }, () => undefined);
    const workers = Array.from({ length: atOnce }, async (_, worker) => {
      for (let i = worker; i < count; i += atOnce) {
        try {
          made[i] = await make(i);
        } catch {
          // The attack tries again.
        }
      }
    });
    await Promise.all(workers);
    return made;
  }

  /** Does something again and again, so many at a time, until the end; what fails is tried again. */
  async repeat(atOnce: number, work: (worker: number, turn: number) => Promise<void>): Promise<void> {
    const run = async (worker: number) => {
      for (let turn = 0; !this.over; turn++) {
        try {
          await work(worker, turn);
        } catch {
          await this.pause(PAUSE_AFTER_FAILURE_MS);
        }
      }
    };
    await Promise.race([Promise.all(Array.from({ length: atOnce }, (_, worker) => run(worker))), this.#ended]);
  }

  /** The same, with a connection for each worker that is opened anew when it was lost. */
  async repeatOnWires(
    atOnce: number,
    work: (wire: HttpConnection, worker: number, turn: number) => Promise<void>,
  ): Promise<void> {
    const wires: (HttpConnection | undefined)[] = [];
    await this.repeat(atOnce, async (worker, turn) => {
      let wire = wires[worker];
      if (wire === undefined || !wire.isOpen) {
        wire = await this.openHttp(worker);
        wires[worker] = wire;
      }
      await work(wire, worker, turn);
    });
  }
}

function pickEndpoint(endpoints: readonly Endpoint[], index: number): Endpoint {
  const endpoint = endpoints[index % endpoints.length];
  if (endpoint === undefined) throw new Error('There is nothing to attack');
  return endpoint;
}
