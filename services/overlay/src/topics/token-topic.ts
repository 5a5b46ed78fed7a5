import type { RawTransaction } from '@messagebox/transactions';

export interface TopicDescription {
  readonly name: string;
  readonly shortDescription: string;
  /** Markdown. */
  readonly documentation: string;
}

/** A topic whose outputs are admitted by their own script alone, and leave the topic when they are spent. */
export interface OverlayTopic {
  readonly description: TopicDescription;
  /** Whether an output with this script belongs to the topic. Never throws, whatever the script. */
  readonly isToken: (script: Uint8Array) => boolean;
}

/** Tokens in one transaction. Each costs the verification of a signature, and no real client needs so many. */
const MAX_TOKENS = 100;

/** Finds the indexes of the outputs that belong to the topic: the first {@link MAX_TOKENS}. */
export function findTokens({ outputs }: RawTransaction, { isToken }: OverlayTopic): number[] {
  const indexes: number[] = [];
  for (const [index, { script }] of outputs.entries()) {
    if (indexes.length < MAX_TOKENS && isToken(script)) indexes.push(index);
  }
  return indexes;
}
