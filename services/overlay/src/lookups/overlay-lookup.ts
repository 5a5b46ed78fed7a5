import type { SqlRunner } from '@messagebox/shared';
import type { Outpoint } from '@messagebox/wallet';

/** An output that the topic has admitted. */
export interface AdmittedOutput extends Outpoint {
  readonly script: Uint8Array;
  /** Milliseconds since 1970. */
  readonly admittedAt: number;
  /** Of the block that its transaction is in; undefined without a merkle path. */
  readonly height: number | undefined;
  /** How many outputs that the topic has admitted of its transaction come before it. */
  readonly nth: number;
  /** Scripts of the topic's outputs that its transaction spends: only their owners can have made it. */
  readonly spent: readonly Uint8Array[];
  /** The server itself has made it, so that it is nobody's copy. */
  readonly isOwn: boolean;
}

/** An output that answers a question. */
export interface FoundEntry extends Outpoint {
  /** Whose advertisement it is. */
  readonly identityKey: string;
  /** The host that it names. */
  readonly host: string;
  /** Whether its transaction is in a block, as far as we know. */
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

/** A lookup service whose index changes in the very transaction in which its topic does. */
export interface OverlayLookup {
  readonly description: LookupDescription;
  /**
   * Again does no harm.
   *
   * @returns outputs that have to leave the topic for it
   */
  add(runner: SqlRunner, output: AdmittedOutput): Promise<readonly Outpoint[]>;
  /** The transaction is in a block by now. One of which nothing is known is no error. */
  prove(runner: SqlRunner, txid: string, height: number): Promise<void>;
  /** Somebody has spent an output of the topic, which need not have been there. Again does no harm. */
  revoke(runner: SqlRunner, script: Uint8Array, spentBy: string): Promise<void>;
  /** That transaction is not in the chain after all. */
  restore(runner: SqlRunner, spentBy: string): Promise<void>;
  /** The output was spent, or left its topic for another reason. One that isn't known is no error. */
  remove(runner: SqlRunner, outpoint: Outpoint): Promise<void>;
  /**
   * In the order in which they should be told, until there is no room: see {@link FoundEntry}.
   *
   * @throws {RuleError} `ERR_INVALID_QUERY`
   */
  find(query: unknown): Promise<readonly FoundEntry[]>;
}
