import type { TopicManager } from '@bsv/overlay';
import type { AdmittanceInstructions } from '@bsv/sdk';
import { parseBeef, type RawTransaction } from '@messagebox/wallet';

/** A topic whose rules need nothing but the transaction: it can be asked within a database transaction. */
export interface OverlayTopic extends TopicManager {
  /** @param previousCoins indexes of the inputs that spend outputs of the topic */
  admit(transaction: RawTransaction, previousCoins: readonly number[]): AdmittanceInstructions;
}

export interface TopicDescription {
  readonly name: string;
  readonly shortDescription: string;
  /** Markdown. */
  readonly documentation: string;
}

/** More in one transaction than anybody has a use for: each costs the checking of a signature. */
const MOST_TOKENS = 100;

/**
 * A topic of tokens that stand for themselves: an output is admitted for what it is, and leaves when it is spent.
 *
 * @param isToken never throws, whatever the script
 */
export function tokenTopic(description: TopicDescription, isToken: (script: Uint8Array) => boolean): OverlayTopic {
  const admit = ({ outputs }: RawTransaction): AdmittanceInstructions => {
    const outputsToAdmit: number[] = [];
    for (const [index, { script }] of outputs.entries()) {
      if (outputsToAdmit.length < MOST_TOKENS && isToken(script)) outputsToAdmit.push(index);
    }
    return { outputsToAdmit, coinsToRetain: [] };
  };
  const { name, shortDescription, documentation } = description;
  return {
    admit,
    identifyAdmissibleOutputs: async (beef) => admit(parseBeef(Uint8Array.from(beef)).subject),
    getDocumentation: async () => documentation,
    getMetaData: async () => ({ name, shortDescription }),
  };
}
