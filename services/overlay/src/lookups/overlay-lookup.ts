import type { SqlRunner } from '@messagebox/shared';
import type { Outpoint } from '@messagebox/wallet';

/** An output that the topic has admitted. */
export interface AdmittedOutput extends Outpoint {
  readonly script: Uint8Array;
  /** Milliseconds since 1970. */
  readonly admittedAt: number;
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
  /** The output was spent, or left its topic for another reason. One that isn't known is no error. */
  remove(runner: SqlRunner, outpoint: Outpoint): Promise<void>;
  /**
   * Newest first.
   *
   * @throws {RuleError} `ERR_INVALID_QUERY`
   */
  find(query: unknown): Promise<readonly Outpoint[]>;
}
