import type { RawTransaction } from '@messagebox/wallet';

export interface TopicDescription {
  readonly name: string;
  readonly shortDescription: string;
  /** Markdown. */
  readonly documentation: string;
}

/** A topic of tokens that stand for themselves: an output is admitted for what it is, and leaves when it is spent. */
export interface OverlayTopic {
  readonly description: TopicDescription;
  /** Whether an output with this script belongs to the topic. Never throws, whatever the script. */
  readonly isToken: (script: Uint8Array) => boolean;
}

/** More in one transaction than anybody has a use for: each costs the checking of a signature. */
const MOST_TOKENS = 100;

/** The indexes of the outputs that belong to the topic. */
export function tokensOf({ outputs }: RawTransaction, { isToken }: OverlayTopic): number[] {
  const indexes: number[] = [];
  for (const [index, { script }] of outputs.entries()) {
    if (indexes.length < MOST_TOKENS && isToken(script)) indexes.push(index);
  }
  return indexes;
}
