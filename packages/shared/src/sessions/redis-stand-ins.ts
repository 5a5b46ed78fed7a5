import type { ClientNonceRecord } from '@messagebox/brc103';
import type { StandInClaim, StandInSessions } from '@messagebox/brc103/express';
import type { Redis } from 'ioredis';
import {
  CLAIM_STAND_IN_SCRIPT,
  FIND_STAND_IN_SCRIPT,
  INSERT_STAND_IN_SCRIPT,
  PROVE_STAND_IN_SCRIPT,
} from './redis-stand-in-scripts.js';
import { REDIS_STAND_IN_LIMITS, type StandInLimits, toHandleText, toStandInClaim } from './stand-in-limits.js';

type ScriptName = 'insertStandIn' | 'findStandIn' | 'proveStandIn' | 'claimStandIn';
type ScriptedRedis = Redis & Record<ScriptName, (...args: (string | number)[]) => Promise<unknown>>;

/** Stand-in sessions in Redis, for all instances. When Redis can't be used, `claim` says `gone` and the others reject. */
export class RedisStandIns implements StandInSessions {
  readonly #redis: ScriptedRedis;
  readonly #sessions: string;
  readonly #unproven: string;
  readonly #proven: string;

  /** @param prefix REDIS_PREFIX */
  constructor(
    commands: Redis,
    prefix: string,
    private readonly limits: StandInLimits = REDIS_STAND_IN_LIMITS,
  ) {
    commands.defineCommand('insertStandIn', { numberOfKeys: 2, lua: INSERT_STAND_IN_SCRIPT });
    commands.defineCommand('findStandIn', { numberOfKeys: 1, lua: FIND_STAND_IN_SCRIPT });
    commands.defineCommand('proveStandIn', { numberOfKeys: 3, lua: PROVE_STAND_IN_SCRIPT });
    commands.defineCommand('claimStandIn', { numberOfKeys: 3, lua: CLAIM_STAND_IN_SCRIPT });
    this.#redis = commands as ScriptedRedis;
    this.#sessions = `${prefix}:stand-in:`;
    this.#unproven = `${prefix}:stand-ins-unproven`;
    this.#proven = `${prefix}:stand-ins-proven`;
  }

  async insert(handle: Uint8Array, clientNonce: string, expiresAt: Date): Promise<void> {
    const id = toHandleText(handle);
    const { unproven } = this.limits;
    await this.#redis.insertStandIn(
      `${this.#sessions}${id}`,
      this.#unproven,
      id,
      this.#sessions,
      Date.now(),
      expiresAt.getTime(),
      unproven,
      clientNonce,
    );
  }

  async find(handle: Uint8Array): Promise<ClientNonceRecord | undefined> {
    const found = await this.#redis.findStandIn(`${this.#sessions}${toHandleText(handle)}`);
    if (!Array.isArray(found)) return undefined;
    const [clientNonce, proven, ends] = found.map(String);
    return { clientNonce: clientNonce ?? '', proven: proven === '1', expiresAt: new Date(Number(ends)) };
  }

  async markProven(handle: Uint8Array, expiresAt: Date): Promise<boolean> {
    const id = toHandleText(handle);
    const changed = await this.#redis.proveStandIn(
      `${this.#sessions}${id}`,
      this.#unproven,
      this.#proven,
      id,
      this.#sessions,
      Date.now(),
      expiresAt.getTime(),
      this.limits.proven,
    );
    return changed === 1;
  }

  async claim(handle: Uint8Array, key: Uint8Array): Promise<StandInClaim> {
    const id = toHandleText(handle);
    const args = [this.#unproven, this.#proven, id, toStandInClaim(key), this.limits.claims];
    const answer = await this.#redis.claimStandIn(`${this.#sessions}${id}`, ...args).catch(() => -1);
    if (answer === 1) return 'first';
    return answer === 0 ? 'repeated' : 'gone';
  }
}
