import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { errorMessage } from '../logging/error-message.js';
import type { Logger } from '../logging/logger.js';
import type { Rate } from './rate-limit.js';
import type { CountStore } from './shared-counts.js';

/** Longer keys, for example those that hold a session nonce, are replaced by their digest. */
const MAX_KEY_LENGTH = 128;

type ScriptCallback = (error: Error | null | undefined, result: unknown) => void;
type ScriptPipeline = ReturnType<Redis['pipeline']> & {
  rlflxIncr(args: readonly string[], answer: ScriptCallback): unknown;
};

/**
 * A connection for the limiter, which sends all script calls of one turn of the event loop to Redis as one pipeline.
 */
class PipelinedScript {
  #pipeline: ScriptPipeline | undefined;

  constructor(private readonly commands: Redis) {}

  get status(): string {
    return this.commands.status;
  }

  defineCommand(name: string, definition: { lua: string; numberOfKeys?: number }): void {
    this.commands.defineCommand(name, definition);
  }

  /** The script of rate-limiter-flexible, which chooses this name. */
  rlflxIncr(args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#openPipeline().rlflxIncr(args, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }

  #openPipeline(): ScriptPipeline {
    if (this.#pipeline !== undefined) return this.#pipeline;
    const pipeline = this.commands.pipeline() as ScriptPipeline;
    this.#pipeline = pipeline;
    setImmediate(() => {
      this.#pipeline = undefined;
      // Each call has its own callback with the same error.
      pipeline.exec().catch(() => undefined);
    });
    return pipeline;
  }
}

/** Counts in Redis that all instances share. They expire with their windows. */
export class RedisCounts {
  readonly #script: PipelinedScript;
  #isAway = false;

  /**
   * @param commands a connection that fails at once while Redis is unavailable, and has a command timeout
   * @param prefix REDIS_PREFIX
   */
  constructor(
    commands: Redis,
    private readonly prefix: string,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {
    this.#script = new PipelinedScript(commands);
  }

  /** The counts of one limit. @param name must be the same at all instances */
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
        const adding = [...counts].map(([key, count]) => limiter.penalty(toRedisKey(key), count));
        // `allSettled`, so that no call of this batch is pending when the next batch is sent.
        const results = await Promise.allSettled(adding);
        return results.map((result) => {
          if (result.status === 'rejected') throw this.#noteFailure(result.reason);
          this.#noteSuccess();
          return { count: result.value.consumedPoints, msLeft: result.value.msBeforeNext };
        });
      },
    };
  }

  #noteFailure(reason: unknown): unknown {
    if (!this.#isAway) {
      // One line for each outage.
      this.log.warn(
        { reason: errorMessage(reason) },
        'rate limits are not shared with other instances while Redis is unavailable',
      );
      this.#isAway = true;
    }
    return reason;
  }

  #noteSuccess(): void {
    if (this.#isAway) this.log.info('rate limits are shared with other instances again');
    this.#isAway = false;
  }
}

function toRedisKey(key: string): string {
  return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64url');
}
