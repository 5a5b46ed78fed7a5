import { type ChainTracker, LockingScript, MerklePath, Transaction, UnlockingScript } from '@bsv/sdk';

/** A fake chain that knows only the blocks that a test has mined. */
export class TestChain implements ChainTracker {
  readonly #roots = new Map<number, string>();
  #funded = 0;
  /** Makes all queries fail. */
  down = false;
  /** Merkle roots for which queries fail. */
  silentOf: ReadonlySet<string> = new Set();
  /** The height of the latest block that it knows. */
  knownUpTo = Number.POSITIVE_INFINITY;
  /** Delays all answers until the promise resolves. */
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
    if (merklePath === undefined) throw new Error('the transaction is in no block');
    this.#roots.set(merklePath.blockHeight, '00'.repeat(32));
  }

  /** Creates a mined transaction with outputs that anybody can spend, and `bytes` of padding. */
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

export const toBeefBytes = (transaction: Transaction): Uint8Array => Uint8Array.from(transaction.toBEEF());
