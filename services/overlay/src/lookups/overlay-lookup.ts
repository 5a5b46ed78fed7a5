import type { SqlRunner } from '@messagebox/store';
import type { Outpoint } from '@messagebox/transactions';

/** An output that the topic has admitted. */
export interface AdmittedOutput extends Outpoint {
  readonly script: Uint8Array;
  /** Milliseconds since 1970. */
  readonly admittedAt: number;
  /** The height of the block that has its transaction; undefined without a merkle path. */
  readonly height: number | undefined;
  /** The number of admitted outputs of its transaction that come before it. */
  readonly nth: number;
  /** Scripts of the topic's outputs that its transaction spends. They prove that their owners have made it. */
  readonly spent: readonly Uint8Array[];
  /** Whether this server has made it. Then it is not a copy of another advertisement. */
  readonly isOwn: boolean;
}

/** An output that answers a query. */
export interface LookupEntry extends Outpoint {
  /** The identity that advertises: 66 hex characters. */
  readonly identityKey: string;
  /** The host that it names. */
  readonly host: string;
  /** Whether its transaction is known to be in a block. */
  readonly isProven: boolean;
}

export interface LookupDescription {
  readonly name: string;
  /** The topic whose outputs it finds. */
  readonly topic: string;
  readonly shortDescription: string;
  /** Markdown. */
  readonly documentation: string;
}

/** A lookup service. Its index changes in the same database transaction as its topic. */
export interface OverlayLookup {
  readonly description: LookupDescription;
  /**
   * Adds an output to the index. Can be repeated.
   *
   * @returns outputs that the topic has to remove to make room
   */
  add(runner: SqlRunner, output: AdmittedOutput): Promise<readonly Outpoint[]>;
  /** Records that a transaction is in a block. Does nothing for an unknown transaction. */
  prove(runner: SqlRunner, txid: string, height: number): Promise<void>;
  /** Records that an output of the topic was spent, even when the topic did not hold it. Can be repeated. */
  revoke(runner: SqlRunner, script: Uint8Array, spentBy: string): Promise<void>;
  /** Undoes the revocations by a transaction that turned out not to be in the chain. */
  restore(runner: SqlRunner, spentBy: string): Promise<void>;
  /** Removes an output that the topic does not hold any more. Does nothing for an unknown output. */
  remove(runner: SqlRunner, outpoint: Outpoint): Promise<void>;
  /**
   * Finds the outputs that answer a query, most important first.
   *
   * @throws {RuleError} `ERR_INVALID_QUERY`
   */
  find(query: unknown): Promise<readonly LookupEntry[]>;
}
