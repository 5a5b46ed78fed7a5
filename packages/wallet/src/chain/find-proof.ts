import type { ChainTracker, MerklePath } from '@bsv/sdk';
import type { WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import { type MerkleProof, parseProof } from '../beef/index.js';
import { ChainUnavailableError } from '../verify/verify-errors.js';

/** What a service of the toolbox notes when it has looked, and the transaction is in no block. */
const NOT_IN_A_BLOCK = ['getMerklePathNotFound', 'getMerklePathNoData'];

/**
 * Asks the network for a transaction's merkle path, and the chain whether it leads to a block.
 *
 * @returns undefined when it is in no block yet
 * @throws {ChainUnavailableError} when nobody could say
 */
export async function findProof(
  services: Pick<WalletServices, 'getMerklePath'>,
  tracker: ChainTracker,
  txid: string,
): Promise<MerkleProof | undefined> {
  try {
    const { merklePath, notes } = await services.getMerklePath(txid);
    if (merklePath === undefined) {
      // The play chain notes nothing. The others say success of what none of them has answered.
      const isKnown = notes === undefined || notes.some(({ what }) => NOT_IN_A_BLOCK.includes(what));
      if (!isKnown) throw new Error('No service knows whether the transaction is in a block.');
      return undefined;
    }
    const root = rootOf(merklePath, txid);
    if (root === undefined) return undefined;
    const isRight = await tracker.isValidRootForHeight(root, merklePath.blockHeight);
    return isRight ? parseProof(Uint8Array.from(merklePath.toBinary())) : undefined;
  } catch (error) {
    throw new ChainUnavailableError(error);
  }
}

/** Undefined for the path of another transaction. */
function rootOf(path: Pick<MerklePath, 'computeRoot'>, txid: string): string | undefined {
  try {
    return path.computeRoot(txid);
  } catch {
    return undefined;
  }
}
