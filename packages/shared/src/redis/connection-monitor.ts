import { type Redis, ReplyError } from 'ioredis';
import type { Logger } from 'pino';
import { Moment } from './moment.js';

export interface HeartbeatOptions {
  /** How often Redis is asked for an answer. */
  readonly intervalMs: number;
  /** After so many intervals in which nothing arrived, the connection is replaced. */
  readonly maxSilentIntervals: number;
}

export interface ConnectionMonitorOptions {
  /** For log lines and problems, for example `command`. */
  readonly name: string;
  readonly log: Logger;
  /** Default: every second, and 3 intervals. So a silent connection is given up after at most 4 s. */
  readonly heartbeat?: HeartbeatOptions | undefined;
  /** Commands on this connection may wait in Redis, so it cannot be asked. Only its handshake is watched. */
  readonly isBlocking?: boolean;
}

/** The end of a connection that worked. */
export interface ConnectionLoss {
  /** Everything that Redis sent on this connection before this moment has arrived. */
  readonly lastAnswer: Moment;
  readonly reason: 'connection_lost' | 'connection_silent';
}

const DEFAULT_HEARTBEAT: HeartbeatOptions = { intervalMs: 1_000, maxSilentIntervals: 3 };

/**
 * Watches a connection to Redis. A connection works when it answers, whatever the operating system says about it: a peer may
 * acknowledge every byte and answer nothing. Such a connection is destroyed, and ioredis makes a new one.
 *
 * Logs when the connection is lost and when it is restored, once for each outage.
 */
export class ConnectionMonitor {
  readonly #client: Redis;
  readonly #options: ConnectionMonitorOptions;
  readonly #heartbeat: HeartbeatOptions;
  readonly #lossListeners: ((loss: ConnectionLoss) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Since when there is no connection that answers. Undefined while there is one. */
  #downSince: Moment | undefined = new Moment();
  #isLossLogged = false;
  #lastError: string | undefined;
  /** When the last heartbeat was sent that was answered on this connection, or when the connection became ready. */
  #lastAnswer = new Moment();
  /** When the heartbeat was sent that has no answer yet. */
  #asked: Moment | undefined;
  #bytesRead = 0;
  /** Intervals that ended without any byte from Redis, since the last byte. */
  #silentIntervals = 0;
  #wasGivenUp = false;

  constructor(client: Redis, options: ConnectionMonitorOptions) {
    this.#client = client;
    this.#options = options;
    this.#heartbeat = options.heartbeat ?? DEFAULT_HEARTBEAT;
    client.on('error', (error: Error) => this.#onError(error));
    client.on('connect', () => this.#onConnect());
    client.on('ready', () => this.#onReady());
    client.on('close', () => this.#onClose());
  }

  /** Calls the listener after each loss of a connection that was ready, before ioredis connects again. */
  onLoss(listener: (loss: ConnectionLoss) => void): void {
    this.#lossListeners.push(listener);
  }

  /** Everything that Redis sent on the present connection before this moment has arrived. */
  get lastAnswer(): Moment {
    return this.#lastAnswer;
  }

  /** Why the connection cannot be used, and since when. Undefined when it can. */
  findProblem(): string | undefined {
    const { status, stream } = this.#client;
    const { name } = this.#options;
    if (status !== 'ready') return `${name} connection is ${status}, down since ${toText(this.#downSince)}`;
    const isSilent = this.#silentIntervals > 0 && stream.bytesRead === this.#bytesRead;
    return isSilent ? `${name} connection has not answered since ${toText(this.#lastAnswer)}` : undefined;
  }

  #onError({ message: reason }: Error): void {
    const { status, stream } = this.#client;
    // Most errors end the connection, or an attempt to connect. That is logged then.
    if (status !== 'ready' || stream.destroyed) this.#lastError = reason;
    else this.#options.log.warn({ connection: this.#options.name, reason }, 'Redis connection error');
  }

  #onConnect(): void {
    this.#reset();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#beat(), this.#heartbeat.intervalMs).unref();
  }

  #onReady(): void {
    if (this.#isLossLogged) this.#options.log.info({ connection: this.#options.name }, 'Redis connection restored');
    this.#isLossLogged = false;
    this.#downSince = undefined;
    this.#lastError = undefined;
    this.#lastAnswer = new Moment();
    this.#reset();
    if (this.#options.isBlocking !== true) this.#ask();
  }

  #onClose(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const wasGivenUp = this.#wasGivenUp;
    const wasReady = this.#downSince === undefined;
    this.#reset();
    if (wasReady) this.#downSince = wasGivenUp ? this.#lastAnswer : new Moment();
    if (this.#client.status === 'end') return; // closed by this process
    if (!this.#isLossLogged) {
      const reason = this.#lastError ?? 'closed';
      this.#options.log.warn({ connection: this.#options.name, reason }, 'Redis connection lost');
    }
    this.#isLossLogged = true;
    if (!wasReady) return;
    const loss: ConnectionLoss = {
      lastAnswer: this.#lastAnswer,
      reason: wasGivenUp ? 'connection_silent' : 'connection_lost',
    };
    for (const listener of this.#lossListeners) listener(loss);
  }

  #reset(): void {
    this.#asked = undefined;
    this.#silentIntervals = 0;
    this.#wasGivenUp = false;
    this.#bytesRead = this.#client.stream?.bytesRead ?? 0;
  }

  /**
   * Counts intervals instead of measuring time: an event loop that was held up has not read what arrived meanwhile, and must
   * not take that for silence. Between two intervals, it reads.
   */
  #beat(): void {
    const { stream, status } = this.#client;
    if (status === 'ready' && this.#options.isBlocking === true) return;
    if (stream.bytesRead !== this.#bytesRead) {
      this.#bytesRead = stream.bytesRead;
      this.#silentIntervals = 0;
    } else this.#silentIntervals += 1;
    if (this.#silentIntervals >= this.#heartbeat.maxSilentIntervals) {
      this.#wasGivenUp = true;
      // `disconnect(true)` would wait for the peer to close its side.
      stream.destroy(new Error(`no answer within ${this.#silentIntervals * this.#heartbeat.intervalMs} ms`));
      return;
    }
    if (status === 'ready' && this.#asked === undefined) this.#ask();
  }

  #ask(): void {
    const sent = new Moment();
    this.#asked = sent;
    const settle = (isAnswered: boolean) => {
      // An answer on a later connection, where ioredis sent the heartbeat again, says nothing about this one.
      if (this.#asked !== sent) return;
      this.#asked = undefined;
      if (isAnswered) this.#lastAnswer = sent;
    };
    this.#client.ping().then(
      () => settle(true),
      // A user without the right to PING is told so, which is an answer as well.
      (error: unknown) => settle(error instanceof ReplyError),
    );
  }
}

function toText(moment: Moment | undefined): string {
  return new Date(moment?.time ?? Date.now()).toISOString();
}
