import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawClient } from '@messagebox/test-support/raw-client';
import { waitUntil } from '../../acceptance/history.ts';
import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import type { Device } from './device.ts';
import { Listener } from './listener.ts';
import { RegistryListener } from './registry-listener.ts';
import { Sender, type Way } from './sender.ts';

const SENDS_PER_SECOND = 24;
/** Nothing new is sent while so many wait: the load must not become a fault of its own. */
const MAX_UNDER_WAY = 100;
/** Two senders use HTTP, two send live. */
const SENDERS_ARE_LIVE = [false, true, false, true];
/** Doubled with each try, with some chance in it: clients that all come back at once would be a fault of their own. */
const FIRST_RETRY_DELAY_MS = 300;
const MAX_RETRY_DELAY_MS = 3_000;
/** From the load's end on, a send that has not succeeded is tried for so long. */
const LAST_TRIES_MS = 20_000;
const BACK_TIMEOUT_MS = 30_000;
/** How long the listeners that are cut by the harness are connected before that. */
const CUT_AFTER_MS = 3_000;
const CUT_CHECK_INTERVAL_MS = 250;
const FILLER = 'x'.repeat(200);

/** A message of the load, and what the sender heard of it. Times are `performance.now()`. */
export interface SentMessage {
  readonly messageId: string;
  readonly way: Way;
  readonly sender: string;
  readonly recipient: string;
  readonly body: string;
  readonly at: number;
  /** When a send of it was acknowledged. */
  acknowledgedAt: number | undefined;
  /** The way by which it was acknowledged. */
  acknowledgedBy: Way | undefined;
}

/**
 * A steady load, at 24 messages a second: four senders, and listeners of nine identities. Some listeners stay connected
 * as long as the server lets them; others are cut 3 s after they came, and come back.
 */
export class Load {
  readonly sent: SentMessage[] = [];
  /** What the server did that it must never do. */
  readonly violations: string[] = [];
  /** Reasons of attempts that failed, with their number. */
  readonly failures = new Map<string, number>();
  readonly #recipients = Array.from({ length: 9 }, () => new RawClient());
  readonly #senders: Sender[];
  readonly #listeners: (Listener | RegistryListener)[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #isOver = false;
  #giveUpAt = Number.POSITIVE_INFINITY;
  #pacing: Promise<void> = Promise.resolve();
  #cutting: NodeJS.Timeout | undefined;

  /** @param links one for each listener that is cut */
  private constructor(
    { url, port }: TcpProxy,
    private readonly links: readonly TcpProxy[],
  ) {
    const onViolation = (what: string) => void this.violations.push(what);
    this.#senders = SENDERS_ARE_LIVE.map((isLive) => new Sender(port, new RawClient(), { isLive, onViolation }));
    const listen = (owner: number, label: string, transports: readonly string[], link?: TcpProxy, asks = false) => {
      const client = this.#recipients[owner] as RawClient;
      const at = link?.url ?? url;
      const isCut = link !== undefined;
      this.#listeners.push(new Listener({ label, url: at, client, transports, isCut, asks, onViolation }));
    };
    listen(0, 'stays a', ['websocket']);
    listen(1, 'stays b', ['websocket']);
    listen(2, 'stays c', ['websocket']);
    listen(3, 'stays d', ['websocket']);
    listen(4, 'is cut', ['websocket'], links[0]);
    // One identity with two devices.
    listen(5, 'first of two stays', ['websocket']);
    listen(5, 'second of two is cut', ['websocket'], links[1]);
    listen(6, 'polls', ['polling']);
    listen(7, 'is cut, and asks', ['websocket'], links[2], true);
    const client = this.#recipients[8] as RawClient;
    this.#listeners.push(new RegistryListener({ label: 'MessageBoxClient', url, client }));
  }

  /**
   * Resolves when all senders are connected and all listeners have joined.
   *
   * @param front the address for clients
   */
  static async open(front: TcpProxy): Promise<Load> {
    const links = await Promise.all(Array.from({ length: 3 }, () => createTcpProxy({ target: front.url })));
    const load = new Load(front, links);
    try {
      // One after the other: the load balancer gives each realtime instance every second one.
      for (const client of [...load.#senders, ...load.#listeners]) await client.open();
      return load;
    } catch (error) {
      await load.close();
      throw error;
    }
  }

  get devices(): readonly Device[] {
    return this.#listeners.map(({ device }) => device);
  }

  /** The identities to which messages are sent. */
  get recipients(): readonly RawClient[] {
    return this.#recipients;
  }

  /** Begins to send and to cut. */
  start(): void {
    this.#pacing = this.#send();
    this.#cutting = setInterval(() => this.#cut(), CUT_CHECK_INTERVAL_MS);
  }

  /** Sends nothing new, and resolves when each send has succeeded or was given up, and all listeners are back. */
  async stop(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#cutting);
    this.#giveUpAt = performance.now() + LAST_TRIES_MS;
    await this.#pacing;
    await Promise.all(this.#underWay);
    // Who does not come back misses messages, and the judge says so.
    await waitUntil('all are back', () => this.devices.every((device) => device.isPresent), BACK_TIMEOUT_MS).catch(
      () => undefined,
    );
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#giveUpAt = 0;
    clearInterval(this.#cutting);
    await Promise.all([...this.#senders, ...this.#listeners].map((client) => client.close()));
    await Promise.all(this.links.map((link) => link.close()));
  }

  /** Who is not back yet is left alone, or it would never come back to a slow server. */
  #cut(): void {
    const cut = this.devices.filter(({ isCut }) => isCut);
    for (const [i, device] of cut.entries()) {
      const from = device.connections.at(-1)?.from ?? Number.POSITIVE_INFINITY;
      if (device.isPresent && performance.now() - from > CUT_AFTER_MS) this.links[i]?.cut();
    }
  }

  async #send(): Promise<void> {
    const start = performance.now();
    for (let number = 0; !this.#isOver; ) {
      const due = Math.floor(((performance.now() - start) / 1_000) * SENDS_PER_SECOND);
      for (; number < due && !this.#isOver; number++) {
        if (this.#underWay.size >= MAX_UNDER_WAY) continue;
        const work = this.#sendOne(number);
        this.#underWay.add(work);
        void work.finally(() => this.#underWay.delete(work));
      }
      await sleep(1_000 / SENDS_PER_SECOND);
    }
  }

  /** Tries until it is acknowledged, as an app does; always with the same id. */
  async #sendOne(number: number): Promise<void> {
    const sender = this.#senders[number % this.#senders.length] as Sender;
    const recipient = this.#recipients[
      Math.floor(number / this.#senders.length) % this.#recipients.length
    ] as RawClient;
    const message: SentMessage = {
      messageId: randomBytes(16).toString('hex'),
      way: sender.isLive ? 'live' : 'HTTP',
      sender: sender.key,
      recipient: recipient.identityKey,
      body: `number ${number} ${FILLER}`,
      at: performance.now(),
      acknowledgedAt: undefined,
      acknowledgedBy: undefined,
    };
    this.sent.push(message);
    for (let attempt = 0; performance.now() < this.#giveUpAt; attempt++) {
      // After a live send that failed, the registry's client goes over HTTP.
      const way: Way = attempt === 0 ? message.way : 'HTTP';
      try {
        await (way === 'live' ? sender.sendLive(message) : sender.sendOverHttp(message));
        message.acknowledgedAt = performance.now();
        message.acknowledgedBy = way;
        return;
      } catch (error) {
        const reason = `${way}: ${(error as Error).message}`;
        this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
        await sleep(Math.min(FIRST_RETRY_DELAY_MS * 2 ** attempt, MAX_RETRY_DELAY_MS) * (0.5 + Math.random()));
      }
    }
  }
}
