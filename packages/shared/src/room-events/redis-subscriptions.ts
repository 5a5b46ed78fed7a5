import { type Redis, ReplyError } from 'ioredis';
import type { Logger } from 'pino';
import { getRateLimitedLog } from '../logging/rate-limited-log.js';
import type { ConnectionLoss, ConnectionMonitor } from '../redis/connection-monitor.js';
import { earlier, Moment } from '../redis/moment.js';
import { ignoreRejections } from './ignore-rejections.js';
import type { RoomEventGap } from './room-event-gaps.js';

const METHODS = { subscribe: 'unsubscribe', psubscribe: 'punsubscribe', ssubscribe: 'sunsubscribe' } as const;
type SubscribeMethod = keyof typeof METHODS;
const SUBSCRIBE_METHODS = Object.keys(METHODS) as SubscribeMethod[];

const RETRY_REFUSED_AFTER_MS = 1_000;

/** One channel or pattern that this process wants to hear. */
interface Subscription {
  readonly method: SubscribeMethod;
  readonly channel: string;
  /** Commands that Redis has not answered yet. ioredis sends them again after a reconnect. */
  pending: number;
  /** Since when Redis refuses it. */
  refusedSince: Moment | undefined;
}

/** A period without subscriptions, since `since`. */
interface Outage {
  readonly since: Moment;
  readonly reason: RoomEventGap['reason'];
}

export interface RedisSubscriptionsOptions {
  readonly subscriber: Redis;
  readonly monitor: ConnectionMonitor;
  readonly log: Logger;
  /** Is called when all subscriptions hold again that were lost at `since` or later. */
  readonly onRenewed: (outage: Outage) => void;
}

/**
 * Renews the subscriptions of a connection when it was lost, and tells when all of them hold again. ioredis renews them too,
 * but does not tell when it is done, and forgets those that Redis refuses.
 *
 * It replaces the methods of the client that subscribe and unsubscribe, and so knows what the adapters of socket.io want.
 */
export class RedisSubscriptions {
  readonly #options: RedisSubscriptionsOptions;
  readonly #wanted = new Map<string, Subscription>();
  /** The subscriptions that the present connection must confirm before the outage is over. */
  readonly #renewing = new Set<Subscription>();
  #outage: Outage | undefined;
  #isConnected = true;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(options: RedisSubscriptionsOptions) {
    this.#options = options;
    const { subscriber, monitor } = options;
    for (const method of SUBSCRIBE_METHODS) {
      this.#watchSubscribe(method);
      this.#watchUnsubscribe(method);
    }
    monitor.onLoss((loss) => this.#onLoss(loss));
    subscriber.on('ready', () => this.#renew());
    subscriber.on('end', () => clearTimeout(this.#retryTimer));
  }

  #watchSubscribe(method: SubscribeMethod): void {
    const { subscriber } = this.#options;
    const subscribe = subscriber[method].bind(subscriber) as (...channels: string[]) => Promise<unknown>;
    // The adapters and this module call it with names of channels, alone or in a list, and without a callback.
    subscriber[method] = ((...names: (string | string[])[]) => {
      const channels = names.flat();
      const called = new Moment();
      const subscriptions = channels.map((channel) => this.#want(method, channel));
      const promise = subscribe(...channels);
      promise.then(
        () => this.#onConfirmed(subscriptions),
        (error: Error) => this.#onFailed(subscriptions, error, called),
      );
      return promise;
    }) as Redis[typeof method];
  }

  #watchUnsubscribe(method: SubscribeMethod): void {
    const { subscriber, log } = this.#options;
    const name = METHODS[method];
    const unsubscribe = subscriber[name].bind(subscriber) as (...channels: string[]) => Promise<unknown>;
    subscriber[name] = ((...names: (string | string[])[]) => {
      const channels = names.flat();
      for (const channel of channels) this.#forget(method, channel);
      return ignoreRejections(unsubscribe(...channels), name, log);
    }) as Redis[typeof name];
  }

  #want(method: SubscribeMethod, channel: string): Subscription {
    const key = toKey(method, channel);
    let subscription = this.#wanted.get(key);
    if (subscription === undefined) {
      subscription = { method, channel, pending: 0, refusedSince: undefined };
      this.#wanted.set(key, subscription);
    }
    subscription.pending += 1;
    return subscription;
  }

  #forget(method: SubscribeMethod, channel: string): void {
    const key = toKey(method, channel);
    const subscription = this.#wanted.get(key);
    if (subscription === undefined) return;
    this.#wanted.delete(key);
    this.#renewing.delete(subscription);
    this.#reportIfRenewed();
  }

  #onLoss({ lastAnswer, reason }: ConnectionLoss): void {
    this.#isConnected = false;
    let since = lastAnswer;
    // A loss before the end of the last renewal prolongs its outage.
    if (this.#outage !== undefined) since = earlier(this.#outage.since, since);
    for (const subscription of this.#wanted.values()) {
      if (subscription.refusedSince !== undefined) since = earlier(subscription.refusedSince, since);
      subscription.refusedSince = undefined;
    }
    this.#outage = { since, reason };
  }

  #renew(): void {
    this.#isConnected = true;
    this.#outage ??= { since: this.#options.monitor.lastAnswer, reason: 'subscription_renewed' };
    this.#renewing.clear();
    for (const subscription of this.#wanted.values()) this.#renewing.add(subscription);
    // A command that waits for its answer was sent again by ioredis, just before this.
    // All of them in one write: an instance may have tens of thousands.
    const { stream } = this.#options.subscriber;
    stream.cork();
    for (const subscription of this.#renewing) if (subscription.pending === 0) this.#subscribe(subscription);
    stream.uncork();
    this.#reportIfRenewed();
  }

  #subscribe({ method, channel }: Subscription): void {
    // Failures are handled where the method was replaced.
    this.#options.subscriber[method](channel).catch(() => undefined);
  }

  #onConfirmed(subscriptions: readonly Subscription[]): void {
    for (const subscription of subscriptions) {
      subscription.pending -= 1;
      this.#renewing.delete(subscription);
      const { refusedSince } = subscription;
      subscription.refusedSince = undefined;
      if (refusedSince !== undefined && this.#isWanted(subscription)) {
        this.#options.onRenewed({ since: refusedSince, reason: 'subscription_renewed' });
      }
    }
    this.#reportIfRenewed();
  }

  #onFailed(subscriptions: readonly Subscription[], error: Error, called: Moment): void {
    const { log } = this.#options;
    log.debug({ reason: error.message }, 'a Redis subscription failed');
    for (const subscription of subscriptions) {
      subscription.pending -= 1;
      // Any other failure is one of the connection, and the next connection renews everything.
      if (!(error instanceof ReplyError) || !this.#isWanted(subscription)) continue;
      subscription.refusedSince = earlier(subscription.refusedSince, this.#outage?.since ?? called);
      this.#renewing.delete(subscription);
      getRateLimitedLog(log).write(
        'warn',
        { method: subscription.method, reason: error.message },
        'Redis refused a subscription',
      );
      this.#scheduleRetry();
    }
    this.#reportIfRenewed();
  }

  #scheduleRetry(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      if (!this.#isConnected) return;
      for (const subscription of this.#wanted.values()) {
        if (subscription.refusedSince !== undefined && subscription.pending === 0) this.#subscribe(subscription);
      }
    }, RETRY_REFUSED_AFTER_MS).unref();
  }

  #isWanted(subscription: Subscription): boolean {
    return this.#wanted.get(toKey(subscription.method, subscription.channel)) === subscription;
  }

  #reportIfRenewed(): void {
    const outage = this.#outage;
    if (outage === undefined || !this.#isConnected || this.#renewing.size > 0) return;
    this.#outage = undefined;
    this.#options.onRenewed(outage);
  }
}

function toKey(method: SubscribeMethod, channel: string): string {
  return `${method} ${channel}`;
}
