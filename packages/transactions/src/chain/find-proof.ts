import type { ChainTracker, MerklePath } from '@bsv/sdk';
import type { WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import { type MerkleProof, parseProof } from '../beef/merkle-proof.js';
import { ChainUnavailableError } from '../verify/verify-errors.js';

/** Notes of the toolbox's services which mean that the transaction is in no block. */
const NOT_MINED_NOTES = ['getMerklePathNotFound', 'getMerklePathNoData'];

/**
 * Asks the network for the merkle path of a transaction, and the chain whether it leads to a block.
 *
 * @returns undefined when the transaction is in no block yet
 * @throws {ChainUnavailableError} when no service knows
 */
export async function findProof(
  services: Pick<WalletServices, 'getMerklePath'>,
  tracker: ChainTracker,
  txid: string,
): Promise<MerkleProof | undefined> {
  try {
    const { merklePath, notes } = await services.getMerklePath(txid);
    if (merklePath === undefined) {
      // The play chain returns no notes. The toolbox reports success even if no service has answered.
      const isKnown = notes === undefined || notes.some(({ what }) => NOT_MINED_NOTES.includes(what));
      if (!isKnown) throw new Error('No service knows whether the transaction is in a block.');
      return undefined;
    }
    const root = computeRoot(merklePath, txid);
    if (root === undefined) return undefined;
    const isRight = await tracker.isValidRootForHeight(root, merklePath.blockHeight);
    return isRight ? parseProof(Uint8Array.from(merklePath.toBinary())) : undefined;
  } catch (error) {
    throw new ChainUnavailableError(error);
  }
}

/** @returns undefined for the path of another transaction */
function computeRoot(path: Pick<MerklePath, 'computeRoot'>, txid: string): string | undefined {
  try {
    return path.computeRoot(txid);
  } catch {
    return undefined;
  }
}
