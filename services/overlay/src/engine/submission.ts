import type { ParsedBeef } from '@messagebox/transactions';

/** A verified transaction with the circumstances of its arrival. */
export interface Submission {
  readonly parsed: ParsedBeef;
  /**
   * All submitted transactions by txid. The ancestors of a transaction with a merkle path are not needed and not
   * verified, but their txids prove the outputs that it spends.
   */
  readonly sources: ParsedBeef['transactions'];
  /** The txids of the transaction itself and of its rivals that are stored as mined, but whose block was replaced. */
  readonly unmined: ReadonlySet<string>;
  /** Only what verifies the transaction. */
  readonly beef: Uint8Array;
  /** The time of admission on this host, by which other hosts synchronise. Milliseconds since 1970. */
  readonly score: number;
  /** Whether this server has made the transaction itself. */
  readonly isOwn: boolean;
  /** The digest that is charged for the bytes while the transaction is in no block; undefined: none. */
  readonly submitter: Buffer | undefined;
  /** The first admission on any host, which orders advertisements by age. Milliseconds since 1970. */
  readonly admittedAt: number;
}

/** The origin of a submitted transaction. */
export interface Provenance {
  /** The source that is charged for the work, such as an address. Sources share the verifier fairly. */
  readonly askedBy?: string;
  /**
   * Whether this server has made the transaction. Limits of size and room don't apply then: it may spend payments of
   * strangers, whose ancestors can be large.
   */
  readonly isOwn?: boolean;
  /** The time of admission on another host, in milliseconds since 1970. Default: now. */
  readonly admittedAt?: number;
}
