import type { ChainTracker, MerklePath } from '@bsv/sdk';
import type { WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import { type MerkleProof, parseProof } from '../beef/index.js';
import { ChainUnavailableError } from '../verify/verify-errors.js';

/**
 * Asks the network for a transaction's merkle path, and the chain whether it leads to a block.
 *
 * @returns undefined when nobody knows one, also because nobody answers: it may be there later
 * @throws {ChainUnavailableError} when the chain could not be asked
 */
export async function findProof(
  services: Pick<WalletServices, 'getMerklePath'>,
  tracker: ChainTracker,
  txid: string,
): Promise<MerkleProof | undefined> {
  try {
    const { merklePath } = await services.getMerklePath(txid);
    const root = merklePath && rootOf(merklePath, txid);
    if (merklePath === undefined || root === undefined) return undefined;
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
