import { type ChainTracker, LockingScript, MerklePath, Transaction, UnlockingScript } from '@bsv/sdk';

/** A chain that knows only the blocks that a test gives it. */
export class TestChain implements ChainTracker {
  readonly roots = new Map<number, string>();
  requestedRoots = 0;

  async isValidRootForHeight(root: string, height: number): Promise<boolean> {
    this.requestedRoots += 1;
    return this.roots.get(height) === root;
  }

  async currentHeight(): Promise<number> {
    return Math.max(0, ...this.roots.keys());
  }

  /** Puts a transaction into a block of its own, and returns it. */
  mine(transaction: Transaction, height = this.roots.size + 1): Transaction {
    const txid = transaction.id('hex');
    transaction.merklePath = new MerklePath(height, [[{ offset: 0, hash: txid, txid: true }]]);
    this.roots.set(height, txid);
    return transaction;
  }
}

let fundingCount = 0;

/** Creates a transaction that pays to locking scripts (ASM). Its input does not exist, so it is valid only when mined. */
export function createFunding(outputs: readonly string[], satoshis = 1_000): Transaction {
  const transaction = new Transaction();
  fundingCount += 1;
  transaction.addInput({
    sourceTXID: fundingCount.toString(16).padStart(64, '1'),
    sourceOutputIndex: 0,
    unlockingScript: new UnlockingScript(),
    sequence: 0xffffffff,
  });
  for (const asm of outputs) transaction.addOutput({ lockingScript: LockingScript.fromASM(asm), satoshis });
  return transaction;
}

/** Creates a transaction that spends outputs with unlocking scripts (ASM). By default anybody can spend its one output. */
export function createSpend(
  sources: readonly { from: Transaction; index?: number; unlock?: string }[],
  { satoshis = 900, lock = 'OP_1', outputs = 1 }: { satoshis?: number; lock?: string; outputs?: number } = {},
): Transaction {
  const transaction = new Transaction();
  for (const { from, index = 0, unlock = '' } of sources) {
    transaction.addInput({
      sourceTransaction: from,
      sourceTXID: from.id('hex'),
      sourceOutputIndex: index,
      unlockingScript: unlock === '' ? new UnlockingScript() : UnlockingScript.fromASM(unlock),
      sequence: 0xffffffff,
    });
  }
  for (let output = 0; output < outputs; output += 1) {
    transaction.addOutput({ lockingScript: LockingScript.fromASM(lock), satoshis });
  }
  return transaction;
}

/** Serializes a transaction as a BEEF. */
export const serializeTransaction = (transaction: Transaction): Uint8Array => Uint8Array.from(transaction.toBEEF());
