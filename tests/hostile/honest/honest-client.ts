import { randomBytes } from 'node:crypto';
import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import type { Endpoint, Target } from '../wire/endpoint.ts';
import { HttpConnection, shakeHands } from '../wire/http-wire.ts';
import { type LiveEvent, WebsocketConnection } from '../wire/websocket-wire.ts';
import { HttpCaller } from './http-caller.ts';
import { ReconnectingWire } from './reconnecting-wire.ts';
import { retry, withAttemptTimeout } from './retry.ts';
import { type Kind, now, type Sample } from './sample.ts';

const BOX = 'inbox';
const BODY = 'honest words '.repeat(40);
/** Operations each second. Each message that is sent is to be heard as well, and each list acknowledges what it found. */
const RATE_PER_SECOND = { send: 15, live: 15, list: 5, handshake: 5, socket: 3 } as const;
const OPERATION_TIMEOUT_MS = 20_000;
const ATTEMPT_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
/** More than so many of one kind at once would make the honest client a burden itself. */
const MAX_CONCURRENT = 100;
const WARM_UP_CONCURRENCY = 24;
/** While it warms up, one of those at work also passes a large message in so many turns: it is sent, listed and acknowledged. */
const WARM_UP_LARGE_INTERVAL = 5;
const LARGE_BOX = 'large';
const LARGE_BODY = 'honest words '.repeat(150_000);
/** Newcomers: each handshake and each new socket is another identity's. */
const NEWCOMERS = 64;

type Regular = keyof typeof RATE_PER_SECOND;

/**
 * Some honest people: one who sends over HTTP and live, one who listens, lists and acknowledges, and newcomers who shake
 * hands and open sockets. All at a steady pace, whatever the server does: what is late makes nothing else late.
 */
export class HonestClient {
  readonly #samples: Sample[] = [];
  readonly #sender = new RawClient();
  readonly #recipient = new RawClient();
  readonly #newcomers = Array.from({ length: NEWCOMERS }, () => new RawClient());
  readonly #sending: HttpCaller;
  readonly #reading: HttpCaller;
  readonly #speaking: ReconnectingWire;
  readonly #listening: ReconnectingWire;
  /** Live sends that wait for their ack, and messages that wait to be heard, by message id. */
  readonly #unacknowledged = new Map<string, (status: string) => void>();
  readonly #unheard = new Map<string, () => void>();
  readonly #pending = new Set<Pick<Sample, 'kind' | 'at'>>();
  readonly #underWay = new Map<Kind, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #turn = 0;

  constructor(private readonly target: Target) {
    this.#sending = new HttpCaller(target.http, this.#sender);
    this.#reading = new HttpCaller(target.http, this.#recipient);
    const { live } = target;
    this.#speaking = new ReconnectingWire({
      endpoints: live,
      client: this.#sender,
      onEvent: (event) => this.#take(event),
    });
    this.#listening = new ReconnectingWire({
      endpoints: live,
      client: this.#recipient,
      messageBox: BOX,
      onEvent: (event) => this.#take(event),
      // A client that was away lists the messages that arrived meanwhile.
      onReady: () => {
        for (const heard of [...this.#unheard.values()]) heard();
      },
    });
  }

  async open(): Promise<void> {
    await Promise.all([this.#speaking.open(), this.#listening.open()]);
    await Promise.all([this.#send(), this.#list()]);
  }

  /**
   * Works as fast as it is served for so long: until code is compiled, and heaps have the size that they have in a
   * server with something to do. Resolves when all of it has been answered.
   */
  async warmUp(ms: number): Promise<void> {
    const until = now() + ms;
    const kinds = Object.keys(RATE_PER_SECOND) as Regular[];
    await Promise.all(
      Array.from({ length: WARM_UP_CONCURRENCY }, async (_, i) => {
        for (let turn = i; now() < until; turn++) {
          if (i === 0 && turn % WARM_UP_LARGE_INTERVAL === 0) await this.#passLarge();
          else await this.#do(kinds[turn % kinds.length] as Regular);
        }
      }),
    );
  }

  /** Begins to work at the usual pace. */
  work(): void {
    for (const [kind, perSecond] of Object.entries(RATE_PER_SECOND) as [Regular, number][]) {
      this.#timers.add(setInterval(() => this.#begin(kind), 1_000 / perSecond));
    }
  }

  /** Begins nothing more, and waits a while for what has begun; what has not succeeded by then has failed. */
  async stop(): Promise<readonly Sample[]> {
    this.#stopTimers();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_TIMEOUT_MS);
    });
    await Promise.race([Promise.all(this.#running), late]);
    clearTimeout(timer);
    const endedAt = now();
    for (const { kind, at } of this.#pending) {
      this.#samples.push({ kind, at, endedAt, succeeded: false, refusals: 0, reason: 'nothing came until the end' });
    }
    this.#sending.close();
    this.#reading.close();
    this.#speaking.close();
    this.#listening.close();
    return this.#samples;
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
  }

  #begin(kind: Regular): void {
    const work = this.#do(kind);
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  #do(kind: Regular): Promise<void> {
    const work = {
      send: () => this.#send(),
      live: () => this.#sendLive(),
      list: () => this.#list(),
      handshake: () => this.#record('handshake', () => this.#shakeHands()),
      socket: () => this.#record('socket', () => this.#openSocket()),
    }[kind];
    return work();
  }

  async #record(kind: Kind, attempt: () => Promise<void>): Promise<void> {
    const underWay = this.#underWay.get(kind) ?? 0;
    if (underWay >= MAX_CONCURRENT) return;
    this.#underWay.set(kind, underWay + 1);
    const pending = { kind, at: now() };
    this.#pending.add(pending);
    const outcome = await retry(() => now() - pending.at > OPERATION_TIMEOUT_MS, attempt);
    this.#pending.delete(pending);
    this.#underWay.set(kind, (this.#underWay.get(kind) ?? 1) - 1);
    this.#samples.push({ ...pending, ...outcome });
  }

  async #send(): Promise<void> {
    const messageId = randomBytes(12).toString('hex');
    const message = { recipient: this.#recipient.identityKey, messageBox: BOX, messageId, body: BODY };
    const heard = this.#hear(messageId);
    await this.#record('send', async () => void (await this.#sending.post('/sendMessage', { message })));
    await heard;
  }

  async #sendLive(): Promise<void> {
    const messageId = randomBytes(12).toString('hex');
    const recipient = this.#recipient.identityKey;
    const heard = this.#hear(messageId);
    await this.#record('live', async () => {
      const { wire } = this.#speaking;
      const acknowledged = new Promise<void>((resolve, reject) => {
        this.#unacknowledged.set(messageId, (status) =>
          status === 'success' ? resolve() : reject(new Error(`The ack says ${status}`)),
        );
        void wire.ended.then(() => reject(new Error('The connection ended before the ack')));
      });
      wire.event('sendMessage', { roomId: `${recipient}-${BOX}`, message: { messageId, recipient, body: BODY } });
      try {
        await withAttemptTimeout(ATTEMPT_TIMEOUT_MS, acknowledged, 'an ack');
      } finally {
        this.#unacknowledged.delete(messageId);
      }
    });
    await heard;
  }

  #hear(messageId: string): Promise<void> {
    const heard = new Promise<void>((resolve) => this.#unheard.set(messageId, resolve));
    return this.#record('hear', async () => {
      await withAttemptTimeout(OPERATION_TIMEOUT_MS, heard, 'a push');
    }).finally(() => this.#unheard.delete(messageId));
  }

  async #list(): Promise<void> {
    let messageIds: string[] = [];
    await this.#record('list', async () => {
      const { messages } = await this.#reading.post('/listMessages', { messageBox: BOX });
      messageIds = (messages as { messageId: string }[]).map((message) => message.messageId);
    });
    if (messageIds.length === 0) return;
    await this.#record('acknowledge', async () => {
      try {
        await this.#reading.post('/acknowledgeMessage', { messageIds: messageIds.slice(0, 1_000) });
      } catch (error) {
        // Another list of ours has acknowledged them meanwhile, or a try that was not answered.
        if (!String(error).includes('ERR_INVALID_ACKNOWLEDGMENT')) throw error;
      }
    });
  }

  async #passLarge(): Promise<void> {
    const messageId = randomBytes(12).toString('hex');
    const message = { recipient: this.#recipient.identityKey, messageBox: LARGE_BOX, messageId, body: LARGE_BODY };
    await this.#sending.post('/sendMessage', { message });
    await this.#reading.post('/listMessages', { messageBox: LARGE_BOX });
    await this.#reading.post('/acknowledgeMessage', { messageIds: [messageId] });
  }

  async #shakeHands(): Promise<void> {
    const wire = await HttpConnection.open(this.#next(this.target.http));
    try {
      await shakeHands(wire, this.#newcomer());
    } finally {
      wire.destroy();
    }
  }

  /** By turns straight over a websocket, and by long polling first, as the real client begins. */
  async #openSocket(): Promise<void> {
    const endpoint = this.#next(this.target.live);
    if (this.#turn % 2 === 0) {
      (await WebsocketConnection.proven(endpoint, this.#newcomer())).destroy();
    } else {
      const url = `http://${endpoint.host}:${endpoint.port}`;
      (await RawSocket.proven(url, this.#newcomer(), ['polling', 'websocket'])).close();
    }
  }

  #newcomer(): RawClient {
    this.#turn += 1;
    return this.#newcomers[this.#turn % NEWCOMERS] as RawClient;
  }

  #next(endpoints: readonly Endpoint[]): Endpoint {
    return endpoints[this.#turn % endpoints.length] as Endpoint;
  }

  #take({ eventName, data }: LiveEvent): void {
    const { messageId, status } = (data ?? {}) as { messageId?: string; status?: string };
    if (messageId === undefined) return;
    if (eventName.startsWith('sendMessageAck-')) this.#unacknowledged.get(messageId)?.(String(status));
    else if (eventName.startsWith('sendMessage-')) this.#unheard.get(messageId)?.();
  }
}
