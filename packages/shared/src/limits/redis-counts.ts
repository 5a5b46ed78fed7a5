import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Logger } from '../logging/logger.js';
import type { Rate } from './rate-limit.js';
import type { CountStore } from './shared-counts.js';

/** Longer keys, such as those made of a session, go by their digest. */
const MAX_KEY_LENGTH = 128;

type Answer = (error: Error | null | undefined, result: unknown) => void;
type Scripted = ReturnType<Redis['pipeline']> & { rlflxIncr(args: readonly string[], answer: Answer): unknown };

/**
 * What the limiter sees of a connection: its script's calls within one turn of the event loop go to Redis as one pipeline.
 */
class PipelinedScript {
  #pipeline: Scripted | undefined;

  constructor(private readonly commands: Redis) {}

  get status(): string {
    return this.commands.status;
  }

  defineCommand(name: string, definition: { lua: string; numberOfKeys?: number }): void {
    this.commands.defineCommand(name, definition);
  }

  /** The limiter's script, under the name that it gives to it. */
  rlflxIncr(args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#opened().rlflxIncr(args, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }

  #opened(): Scripted {
    if (this.#pipeline !== undefined) return this.#pipeline;
    const pipeline = this.commands.pipeline() as Scripted;
    this.#pipeline = pipeline;
    setImmediate(() => {
      this.#pipeline = undefined;
      // Each call has its own answer; this one says nothing that they don't.
      pipeline.exec().catch(() => undefined);
    });
    return pipeline;
  }
}

/** Counts in Redis that all instances add to. They end with their windows, by themselves. */
export class RedisCounts {
  readonly #script: PipelinedScript;
  #isAway = false;

  /**
   * @param commands a connection that fails at once while Redis is away, and gives up on answers that don't come
   * @param prefix REDIS_PREFIX
   */
  constructor(
    commands: Redis,
    private readonly prefix: string,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {
    this.#script = new PipelinedScript(commands);
  }

  /** The counts of one limit. @param name the same at all instances that share it */
  open(name: string, rate: Rate): CountStore {
    const limiter = new RateLimiterRedis({
      storeClient: this.#script,
      keyPrefix: `${this.prefix}:rate:${name}`,
      points: rate.count,
      duration: rate.seconds,
      rejectIfRedisNotReady: true,
    });
    return {
      add: async (counts) => {
        const adding = [...counts].map(([key, count]) => limiter.penalty(redisKey(key), count));
        // All of them end before the next are sent.
        const ended = await Promise.allSettled(adding);
        return ended.map((one) => {
          if (one.status === 'rejected') throw this.#failed(one.reason);
          this.#succeeded();
          return { count: one.value.consumedPoints, msLeft: one.value.msBeforeNext };
        });
      },
    };
  }

  #failed(reason: unknown): unknown {
    if (!this.#isAway) {
      // One line for each outage.
      this.log.warn({ reason: String(reason) }, 'rates are not shared with other instances now');
      this.#isAway = true;
    }
    return reason;
  }

  #succeeded(): void {
    if (this.#isAway) this.log.info('rates are shared with other instances again');
    this.#isAway = false;
  }
}

function redisKey(key: string): string {
  return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64url');
}
