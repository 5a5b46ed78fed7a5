import { LRUCache } from 'lru-cache';
import type { Source } from './source.js';

/** A cost that decays: half of it is forgotten after each half-life. */
export interface Account {
  /** Milliseconds of work, as of `updatedAt`. */
  cost: number;
  updatedAt: number;
}

/** The account of an address, with its identities. */
export interface AddressAccount extends Account {
  readonly identities: Map<string, IdentityAccount>;
  /** Pieces of work that wait, of all identities. */
  waiting: number;
  /** Until this time the address counts as one whose clients prove their identity. */
  provenUntil: number;
  /** Milliseconds of work in the turn with this number. */
  usedInTurn: number;
  turn: number;
}

/** One identity at one address. */
export interface IdentityAccount {
  readonly waiting: WaitingWork[];
  /** A proven identity has one account for all its addresses, any other one account for each address. */
  readonly account: Account;
}

/** A piece of work that waits for its turn. */
export interface WaitingWork {
  readonly since: number;
  run(): void;
  refuse(error: Error): void;
}

/** Addresses whose cost is remembered while none of their work waits. */
const MAX_IDLE_ADDRESSES = 20_000;
/** Identities whose cost at all addresses is remembered. */
const MAX_KNOWN_IDENTITIES = 20_000;
/** Identities of one address that have an account. */
const MAX_IDENTITIES_PER_ADDRESS = 200;
/** The identity of work whose client has not named one yet. */
const ANONYMOUS_IDENTITY = '';
/** The prefix of the name of an identity that is only claimed. */
const UNPROVEN_PREFIX = '?';
/** An address that uses more than this share of the event loop is heavy. */
const HEAVY_SHARE = 3 / 10;
/** An address that uses less than this share of the event loop is light. */
const LIGHT_SHARE = 1 / 4;
/** The cost of an address counts this many times while none of its clients has proven an identity. */
const UNPROVEN_WEIGHT = 4;
const PROVEN_DURATION_MS = 600_000;

/** The recent cost of each source, in milliseconds of work. The cost of a proven identity counts at all its addresses. */
export class SourceAccounts {
  readonly #addresses = new LRUCache<string, AddressAccount>({ max: MAX_IDLE_ADDRESSES });
  readonly #identities = new LRUCache<string, Account>({ max: MAX_KNOWN_IDENTITIES });
  /** Accounts of addresses that have waiting work. They must not be evicted. */
  readonly #pinned = new Map<string, AddressAccount>();
  /** The cost of all addresses together that have no proven identity. */
  readonly #unproven: Account = { cost: 0, updatedAt: 0 };
  /** The cost of an address that has used the whole event loop for a long time. */
  readonly #fullCost: number;

  /** @param halfLifeMs after this time half of a cost is forgotten */
  constructor(private readonly halfLifeMs: number) {
    this.#fullCost = halfLifeMs / Math.LN2;
  }

  get pinned(): ReadonlyMap<string, AddressAccount> {
    return this.#pinned;
  }

  pin(address: string, account: AddressAccount): void {
    this.#pinned.set(address, account);
  }

  unpin(address: string): void {
    this.#pinned.delete(address);
  }

  getAddress(address: string, now: number): AddressAccount {
    let account = this.#pinned.get(address) ?? this.#addresses.get(address);
    if (account === undefined) {
      account = {
        ...createAccount(now),
        identities: new Map(),
        waiting: 0,
        provenUntil: Number.NEGATIVE_INFINITY,
        usedInTurn: 0,
        turn: 0,
      };
      this.#addresses.set(address, account);
    }
    return account;
  }

  getIdentity(address: AddressAccount, source: Source, now: number): IdentityAccount {
    const { identityKey = ANONYMOUS_IDENTITY, isProven = false } = source;
    // A claimed identity has its own account: otherwise strangers could use up the share of the real one.
    const name = isProven ? identityKey : `${UNPROVEN_PREFIX}${identityKey}`;
    let identity = address.identities.get(name);
    if (identity === undefined) {
      identity = { waiting: [], account: isProven ? this.#getProven(identityKey, now) : createAccount(now) };
      if (address.identities.size >= MAX_IDENTITIES_PER_ADDRESS) evictOneIdle(address.identities);
      address.identities.set(name, identity);
    }
    return identity;
  }

  /** Notes that a client at this address has just proven its identity. */
  noteProven(address: string, now: number): void {
    this.getAddress(address, now).provenUntil = now + PROVEN_DURATION_MS;
  }

  /** Adds `ms` of work to the accounts of a source: its address, its identity and, without a proven one, the shared account. */
  charge(address: AddressAccount, identity: Account, ms: number, now: number): void {
    const isProven = address.provenUntil > now;
    this.#add(address, ms * (isProven ? 1 : UNPROVEN_WEIGHT), now);
    if (!isProven) this.#add(this.#unproven, ms, now);
    this.#add(identity, ms, now);
  }

  /** The cost of an account now. */
  computeCost(account: Account, now: number): number {
    const age = now - account.updatedAt;
    return age <= 0 ? account.cost : account.cost * 2 ** (-age / this.halfLifeMs);
  }

  /** The higher cost of the two. */
  computeHigherCost(address: Account, identity: Account, now: number): number {
    return Math.max(this.computeCost(address, now), this.computeCost(identity, now));
  }

  isLight(address: AddressAccount, identity: Account, now: number): boolean {
    return this.computeHigherCost(address, identity, now) < this.#fullCost * LIGHT_SHARE;
  }

  /** Whether the address, its identity at all its addresses, or all addresses without a proven identity use too much. */
  isHeavy(address: AddressAccount, identity: Account, now: number): boolean {
    const limit = this.#fullCost * HEAVY_SHARE;
    if (this.computeHigherCost(address, identity, now) > limit) return true;
    return address.provenUntil <= now && this.computeCost(this.#unproven, now) > limit;
  }

  #getProven(identityKey: string, now: number): Account {
    let account = this.#identities.get(identityKey);
    if (account === undefined) {
      account = createAccount(now);
      this.#identities.set(identityKey, account);
    }
    return account;
  }

  #add(account: Account, ms: number, now: number): void {
    account.cost = this.computeCost(account, now) + ms;
    account.updatedAt = now;
  }
}

function createAccount(now: number): Account {
  return { cost: 0, updatedAt: now };
}

function evictOneIdle(identities: Map<string, IdentityAccount>): void {
  for (const [key, { waiting }] of identities) {
    if (waiting.length > 0) continue;
    identities.delete(key);
    return;
  }
}
