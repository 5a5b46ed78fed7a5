import type { Source } from './source.js';
import type { Account, AddressAccount, IdentityAccount, SourceAccounts, WaitingWork } from './source-accounts.js';

interface Candidate {
  readonly key: string;
  readonly address: AddressAccount;
  readonly identity: IdentityAccount;
  readonly cost: number;
}

/** Waiting work of all sources. The source with the lowest cost is next: first among addresses, then among their identities. */
export class FairQueue {
  #size = 0;

  constructor(private readonly accounts: SourceAccounts) {}

  get size(): number {
    return this.#size;
  }

  enqueue(source: Source, item: WaitingWork, now: number): void {
    const address = this.accounts.getAddress(source.address, now);
    this.accounts.getIdentity(address, source, now).waiting.push(item);
    address.waiting += 1;
    this.accounts.pin(source.address, address);
    this.#size += 1;
  }

  /**
   * Removes the oldest work of the source with the lowest cost. The cost of a source is that of its address or of its
   * identity, whichever is higher.
   *
   * @param mustWait whether the work of this source has to wait longer
   * @returns undefined when nothing waits that may run
   */
  dequeue(
    now: number,
    mustWait: (key: string, address: AddressAccount, identity: Account) => boolean,
  ): WaitingWork | undefined {
    let best: Candidate | undefined;
    for (const [key, address] of this.accounts.pinned) {
      const identity = this.#findCheapestIdentity(address, now);
      if (identity === undefined || mustWait(key, address, identity.account)) continue;
      const cost = this.accounts.computeHigherCost(address, identity.account, now);
      if (best === undefined || cost < best.cost) best = { key, address, identity, cost };
    }
    if (best === undefined) return undefined;
    best.address.waiting -= 1;
    this.#size -= 1;
    if (best.address.waiting === 0) this.accounts.unpin(best.key);
    return best.identity.waiting.shift();
  }

  #findCheapestIdentity({ identities }: AddressAccount, now: number): IdentityAccount | undefined {
    let best: { readonly identity: IdentityAccount; readonly cost: number } | undefined;
    for (const identity of identities.values()) {
      if (identity.waiting.length === 0) continue;
      const cost = this.accounts.computeCost(identity.account, now);
      if (best === undefined || cost < best.cost) best = { identity, cost };
    }
    return best?.identity;
  }
}
