import type { LookupFormula, LookupService } from '@bsv/overlay';
import type { SqlRunner } from '@messagebox/shared';
import type { Outpoint } from '@messagebox/wallet';

/** An output that a topic has admitted. */
export interface AdmittedOutput extends Outpoint {
  readonly topic: string;
  readonly script: Uint8Array;
  /** Milliseconds since 1970. */
  readonly admittedAt: number;
}

/** A lookup service whose index changes in the very transaction in which its topic does. */
export interface OverlayLookup extends LookupService {
  /** Again does no harm. */
  admitted(runner: SqlRunner, output: AdmittedOutput): Promise<void>;
  /** The output was spent, or left its topic for another reason. One that isn't known is no error. */
  removed(runner: SqlRunner, outpoint: Outpoint, topic: string): Promise<void>;
}

export interface LookupDescription {
  readonly name: string;
  /** The topic whose outputs it finds. */
  readonly topic: string;
  readonly shortDescription: string;
  /** Markdown. */
  readonly documentation: string;
}

/** What one lookup service does besides what all do. */
export interface LookupParts {
  readonly description: LookupDescription;
  readonly add: (runner: SqlRunner, output: AdmittedOutput) => Promise<void>;
  readonly remove: (runner: SqlRunner, outpoint: Outpoint) => Promise<void>;
  /** @throws {RuleError} `ERR_INVALID_QUERY` */
  readonly find: (query: unknown) => Promise<readonly Outpoint[]>;
}

/** @param sql for the notifications of an engine that has no transaction */
export function overlayLookup(sql: SqlRunner, { description, add, remove, find }: LookupParts): OverlayLookup {
  const { name, topic, shortDescription, documentation } = description;
  return {
    admissionMode: 'locking-script',
    spendNotificationMode: 'none',
    async admitted(runner, output) {
      if (output.topic === topic) await add(runner, output);
    },
    async removed(runner, outpoint, from) {
      if (from === topic) await remove(runner, outpoint);
    },
    async outputAdmittedByTopic(payload) {
      if (payload.mode !== 'locking-script' || payload.topic !== topic) return;
      const { txid, outputIndex, lockingScript } = payload;
      await add(sql, { txid, outputIndex, topic, script: lockingScript.toUint8Array(), admittedAt: Date.now() });
    },
    async outputSpent(payload) {
      if (payload.topic === topic) await remove(sql, payload);
    },
    outputEvicted: (txid, outputIndex) => remove(sql, { txid, outputIndex }),
    async lookup({ query }): Promise<LookupFormula> {
      return (await find(query)).map(({ txid, outputIndex }) => ({ txid, outputIndex }));
    },
    getDocumentation: async () => documentation,
    getMetaData: async () => ({ name, shortDescription }),
  };
}
