import type { ClientNonceRecord } from '@messagebox/brc103';
import type { StandInClaim, StandInSessions } from '@messagebox/brc103/express';
import { LRUCache } from 'lru-cache';
import { STAND_IN_LIMITS, type StandInLimits, toHandleText, toStandInClaim } from './stand-in-limits.js';

interface KeptSession {
  readonly record: ClientNonceRecord;
  readonly claims: Set<string>;
}

/** Stand-in sessions in this process. They end with it, and no other process can serve them. */
export class InProcessStandIns implements StandInSessions {
  readonly #unproven: LRUCache<string, KeptSession>;
  readonly #proven: LRUCache<string, KeptSession>;

  constructor(private readonly limits: StandInLimits = STAND_IN_LIMITS) {
    this.#unproven = new LRUCache({ max: limits.unproven });
    this.#proven = new LRUCache({ max: limits.proven });
  }

  async insert(handle: Uint8Array, clientNonce: string, expiresAt: Date): Promise<void> {
    const record: ClientNonceRecord = { clientNonce, proven: false, expiresAt };
    this.#unproven.set(toHandleText(handle), { record, claims: new Set() }, keepUntil(expiresAt));
  }

  async find(handle: Uint8Array): Promise<ClientNonceRecord | undefined> {
    return this.#get(toHandleText(handle))?.record;
  }

  async markProven(handle: Uint8Array, expiresAt: Date): Promise<boolean> {
    const id = toHandleText(handle);
    const kept = this.#unproven.get(id);
    if (kept === undefined) return false;
    this.#unproven.delete(id);
    this.#proven.set(id, { ...kept, record: { ...kept.record, proven: true, expiresAt } }, keepUntil(expiresAt));
    return true;
  }

  async claim(handle: Uint8Array, key: Uint8Array): Promise<StandInClaim> {
    const id = toHandleText(handle);
    const claims = this.#get(id)?.claims;
    if (claims === undefined) return 'gone';
    const claim = toStandInClaim(key);
    if (claims.has(claim)) return 'repeated';
    if (claims.size >= this.limits.claims) {
      this.#unproven.delete(id);
      this.#proven.delete(id);
      return 'gone';
    }
    claims.add(claim);
    return 'first';
  }

  #get(id: string): KeptSession | undefined {
    return this.#proven.get(id) ?? this.#unproven.get(id);
  }
}

function keepUntil(expiresAt: Date): { ttl: number } {
  return { ttl: Math.max(1, expiresAt.getTime() - Date.now()) };
}
