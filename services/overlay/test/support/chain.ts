import { type ChainTracker, LockingScript, MerklePath, Transaction, UnlockingScript } from '@bsv/sdk';

/** A chain that a test makes up: it knows the blocks that were mined here, and nothing else. */
export class TestChain implements ChainTracker {
  readonly #roots = new Map<number, string>();
  #funded = 0;
  /** Makes it fail to answer. */
  down = false;
  /** Makes it fail to answer about these merkle roots. */
  silentOf: ReadonlySet<string> = new Set();
  /** Makes it not know later blocks yet. */
  knownUpTo = Number.POSITIVE_INFINITY;
  /** Makes it answer only then. */
  held: Promise<void> | undefined;

  async isValidRootForHeight(root: string, height: number): Promise<boolean> {
    await this.held;
    if (this.down || this.silentOf.has(root)) throw new Error('the chain is down');
    return height <= this.knownUpTo && this.#roots.get(height) === root;
  }

  async currentHeight(): Promise<number> {
    return this.height;
  }

  get height(): number {
    return this.#roots.size;
  }

  /** Puts a transaction into a block of its own. */
  mine(transaction: Transaction): Transaction {
    const height = this.#roots.size + 1;
    const txid = transaction.id('hex');
    transaction.merklePath = new MerklePath(height, [[{ offset: 0, hash: txid, txid: true }]]);
    this.#roots.set(height, txid);
    return transaction;
  }

  /** Replaces the block of a transaction by one that does not have it. */
  replaceBlockOf({ merklePath }: Transaction): void {
    if (merklePath === undefined) throw new Error('it is in no block');
    this.#roots.set(merklePath.blockHeight, '00'.repeat(32));
  }

  /** A transaction in a block, with outputs that anybody may spend, and `bytes` that are of no use. */
  fund(outputs = 1, bytes = 0): Transaction {
    this.#funded += 1;
    const transaction = new Transaction();
    transaction.addInput({
      sourceTXID: `aa${this.#funded.toString(16).padStart(62, '0')}`,
      sourceOutputIndex: 0,
      unlockingScript: new UnlockingScript(),
      sequence: 0xffffffff,
    });
    for (let output = 0; output < outputs; output += 1) {
      transaction.addOutput({ lockingScript: LockingScript.fromASM('OP_1'), satoshis: 100_000 });
    }
    if (bytes > 0) {
      const lockingScript = LockingScript.fromBinary(new Array<number>(bytes).fill(0x6a));
      transaction.addOutput({ lockingScript, satoshis: 1 });
    }
    return this.mine(transaction);
  }
}

/** Spends an output of {@link TestChain.fund}. */
export function addFunding(transaction: Transaction, funding: Transaction, index = 0): void {
  transaction.addInput({
    sourceTransaction: funding,
    sourceTXID: funding.id('hex'),
    sourceOutputIndex: index,
    unlockingScript: new UnlockingScript(),
    sequence: 0xffffffff,
  });
}

export const bytesOf = (transaction: Transaction): Uint8Array => Uint8Array.from(transaction.toBEEF());
