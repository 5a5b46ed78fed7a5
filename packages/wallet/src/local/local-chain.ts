import type { Beef as BeefClass, Transaction } from '@bsv/sdk';
import type { MockChainStorage, MockChainTracker, MockServices } from '@bsv/wallet-toolbox';
import { retryContention, type StoreConfig, type StoreLog } from '@messagebox/shared';
import type { Knex } from 'knex';
import { InvalidTransactionError } from '../beef/index.js';
import { loadToolbox, type Toolbox } from '../toolbox.js';
import { TransactionVerifier } from '../verify/transaction-verifier.js';
import { LocalDatabase } from './local-database.js';

export type PostBeefResult = Awaited<ReturnType<MockServices['postBeef']>>[number];

/** A transaction that comes out of the faucet, in a block already. */
export interface Funding {
  readonly txid: string;
  readonly outputIndex: number;
  readonly satoshis: number;
  /** AtomicBEEF, with its proof. */
  readonly atomicBeef: number[];
}

export interface FundingRequest {
  /** Who may spend it: hex. */
  readonly lockingScript: string;
  /** 1 to {@link MAX_FUNDING}. */
  readonly satoshis: number;
}

/** Most that the faucet pays at once. */
export const MAX_FUNDING = 1_000_000_000;
/** Bytes; longer ones don't fit the column that the toolbox has for them. */
const MAX_TRANSACTION = 65_000;
const MAX_LOCKING_SCRIPT = 10_000;
const MAX_POSTED = 100;
const COINBASE_MATURITY = 100;

/** The request is wrong, and would be again. */
export class LocalChainError extends Error {
  override readonly name = 'LocalChainError';
}

/** An output is spent already, by another transaction. */
class DoubleSpendError extends Error {
  constructor(
    readonly outpoint: string,
    readonly spentBy: string | undefined,
  ) {
    super(`The output ${outpoint} is spent already.`);
  }
}

/**
 * A block chain of our own for development and tests, in our own database: transactions are verified as on any chain,
 * an output can be spent once, whoever asks at the same time, and each accepted transaction is in a block at once, so
 * that it has a proof. Money comes from a faucet.
 */
export class LocalChain {
  /** What a wallet of the toolbox asks. */
  readonly services: MockServices;
  readonly tracker: MockChainTracker;
  private readonly storage: MockChainStorage;
  private readonly verifier: TransactionVerifier;

  private constructor(
    private readonly database: LocalDatabase,
    private readonly toolbox: Toolbox,
    services: MockServices,
  ) {
    this.services = services;
    this.tracker = services.tracker;
    this.storage = services.storage;
    // Of the server's own, all that its payments' verifier has let pass may be here at once.
    this.verifier = new TransactionVerifier(async () => this.tracker, { waitingOfOne: 64 });
    // The toolbox's own looks first and writes later, so that of two who spend the same output both would win.
    services.postBeef = (beef, txids) => this.postBeef(beef, txids);
    // The toolbox's own computes wrong ids for transactions with a proof.
    services.getBeefForTxid = (txid) => this.beefFor(txid);
    services.mineBlock = () => this.change((storage) => services.miner.mineBlock(storage));
  }

  /** Makes the tables and the first blocks where they are missing. */
  static async open(config: StoreConfig, log?: StoreLog): Promise<LocalChain> {
    const database = LocalDatabase.beside(config, 'chain', log);
    try {
      const toolbox = await loadToolbox();
      const chain = new LocalChain(database, toolbox, new toolbox.MockServices(database.knex));
      await database.alone('open', () => chain.storage.migrate());
      await chain.change(async (storage) => {
        const tip = (await storage.getChainTip())?.height ?? -1;
        for (let height = tip + 1; height <= COINBASE_MATURITY; height += 1) {
          await chain.services.miner.mineBlock(storage);
        }
      });
      return chain;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /**
   * Verifies transactions and puts each into a block, ancestors that only the BEEF has before them. One that is there
   * already is a success.
   *
   * @param txids of transactions in `beef`, ancestors first
   * @param askedBy who asks, see `TransactionVerifier.verify()`: wallets of developers in other processes are one
   * @returns one result for each, as the toolbox's services answer; it does not throw for a transaction that is refused
   */
  async postBeef(beef: BeefClass, txids: readonly string[], askedBy = ''): Promise<PostBeefResult[]> {
    const results: PostBeefResult[] = [];
    for (const txid of txids) results.push(await this.postOne(beef, txid, askedBy));
    return results;
  }

  /** @throws {LocalChainError} for a locking script or an amount that can't be */
  async fund({ lockingScript, satoshis }: FundingRequest): Promise<Funding> {
    if (!Number.isSafeInteger(satoshis) || satoshis < 1 || satoshis > MAX_FUNDING) {
      throw new LocalChainError(`satoshis must be an integer from 1 to ${MAX_FUNDING}`);
    }
    if (!/^([0-9a-f]{2})+$/i.test(lockingScript) || lockingScript.length > 2 * MAX_LOCKING_SCRIPT) {
      throw new LocalChainError(`lockingScript must be hex of 1 to ${MAX_LOCKING_SCRIPT} bytes`);
    }
    const { LockingScript } = this.toolbox.sdk;
    const txid = await this.change(async (storage) => {
      const transaction = await this.spendCoinbase(storage);
      const [source] = transaction.inputs;
      const available = source?.sourceTransaction?.outputs[source.sourceOutputIndex]?.satoshis ?? 0;
      transaction.addOutput({ lockingScript: LockingScript.fromHex(lockingScript), satoshis });
      transaction.addOutput({ lockingScript: LockingScript.fromHex('51'), satoshis: available - satoshis });
      await this.insert(storage, transaction);
      return transaction.id('hex');
    });
    const beef = await this.beefFor(txid);
    return { txid, outputIndex: 0, satoshis, atomicBeef: beef.toBinaryAtomic(txid) };
  }

  /**
   * @param bytes of somebody who is trusted, or looked through by `readBeef()`
   * @throws {LocalChainError} when a merkle path in it contradicts itself
   */
  parseBeef(bytes: Uint8Array): BeefClass {
    try {
      return this.toolbox.sdk.Beef.fromBinary([...bytes]);
    } catch {
      throw new LocalChainError('A merkle path in the BEEF is wrong.');
    }
  }

  /** A transaction of the chain with its proof. Empty when there is none of that id. */
  private async beefFor(txid: string): Promise<BeefClass> {
    const { Beef, Transaction } = this.toolbox.sdk;
    const beef = new Beef();
    const row = await this.storage.getTransaction(txid);
    const { merklePath } = await this.services.getMerklePath(txid);
    if (row === undefined || merklePath === undefined) return beef;
    const transaction = Transaction.fromBinary([...row.rawTx]);
    transaction.merklePath = merklePath;
    beef.mergeTransaction(transaction);
    return beef;
  }

  async close(): Promise<void> {
    await this.verifier.close();
    await this.database.close();
  }

  private async postOne(beef: BeefClass, txid: string, askedBy: string): Promise<PostBeefResult> {
    const name = 'LocalChain';
    try {
      const alreadyKnown = await this.accept(beef, txid, askedBy);
      return {
        name,
        status: 'success',
        txidResults: [{ txid, status: 'success', ...(alreadyKnown && { alreadyKnown }) }],
      };
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      const retriable = !(
        error instanceof DoubleSpendError ||
        error instanceof InvalidTransactionError ||
        error instanceof LocalChainError
      );
      return {
        name,
        status: 'error',
        txidResults: [
          {
            txid,
            status: 'error',
            ...(retriable ? { serviceError: true } : { data: { detail: error.message } }),
            ...(error instanceof DoubleSpendError && {
              doubleSpend: true,
              competingTxs: error.spentBy === undefined ? [] : [error.spentBy],
            }),
          },
        ],
      };
    }
  }

  /** @returns whether it was there already */
  private async accept(beef: BeefClass, txid: string, askedBy: string): Promise<boolean> {
    if ((await this.storage.getTransaction(txid)) !== undefined) return true;
    for (const ancestor of await this.missing(beef, txid)) await this.verifyAndInsert(ancestor, askedBy);
    return false;
  }

  /** The transaction and those of its ancestors that the chain does not have, in the order in which they can be added. */
  private async missing(beef: BeefClass, txid: string): Promise<Transaction[]> {
    const found = new Map<string, Transaction>();
    const open = [txid];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      const raw = beef.findTxid(next)?.rawTx;
      if (raw === undefined) throw new LocalChainError(`Transaction ${next} is neither on the chain nor in the BEEF.`);
      if (raw.length > MAX_TRANSACTION) {
        throw new LocalChainError(`A transaction on the local chain has at most ${MAX_TRANSACTION} bytes.`);
      }
      const transaction = this.toolbox.sdk.Transaction.fromBinary(raw);
      found.delete(next);
      found.set(next, transaction);
      if (found.size > MAX_POSTED) throw new LocalChainError(`More than ${MAX_POSTED} ancestors are not on the chain.`);
      for (const { sourceTXID } of transaction.inputs) {
        if (sourceTXID !== undefined && (await this.storage.getTransaction(sourceTXID)) === undefined)
          open.push(sourceTXID);
      }
    }
    return ancestorsFirst(found, txid);
  }

  private async verifyAndInsert(transaction: Transaction, askedBy: string): Promise<void> {
    const { Beef } = this.toolbox.sdk;
    const beef = new Beef();
    for (const { sourceTXID } of transaction.inputs) {
      if (sourceTXID !== undefined) beef.mergeBeef(await this.beefFor(sourceTXID));
    }
    beef.mergeTransaction(transaction);
    // What is spent is looked at first: it is cheap, and the more telling reason.
    await this.checkUnspent(transaction);
    await this.verifier.verify(beef.toBinaryAtomic(transaction.id('hex')), askedBy);
    await this.change((storage) => this.insert(storage, transaction));
  }

  private async checkUnspent(transaction: Transaction): Promise<void> {
    for (const { sourceTXID = '', sourceOutputIndex } of transaction.inputs) {
      const utxo = await this.storage.getUtxo(sourceTXID, sourceOutputIndex);
      if (utxo?.spentByTxid) throw new DoubleSpendError(`${sourceTXID}.${sourceOutputIndex}`, utxo.spentByTxid);
    }
  }

  /** Spends, adds and mines. The outputs are taken by the very statements that look whether they are free. */
  private async insert(storage: MockChainStorage, transaction: Transaction): Promise<void> {
    const txid = transaction.id('hex');
    if ((await storage.getTransaction(txid)) !== undefined) return;
    for (const { sourceTXID = '', sourceOutputIndex } of transaction.inputs) {
      const taken = await storage
        .knex('mockchain_utxos')
        .where({ txid: sourceTXID, vout: sourceOutputIndex })
        .whereNull('spentByTxid')
        .update({ spentByTxid: txid });
      if (taken !== 1) await this.throwSpent(storage, sourceTXID, sourceOutputIndex);
    }
    await storage.insertTransaction(txid, transaction.toBinary());
    const { Hash, Utils } = this.toolbox.sdk;
    for (const [index, { lockingScript, satoshis = 0 }] of transaction.outputs.entries()) {
      const script = lockingScript.toBinary();
      await storage.insertUtxo(txid, index, script, satoshis, Utils.toHex(Hash.sha256(script)));
    }
    await this.services.miner.mineBlock(storage);
  }

  private async throwSpent(storage: MockChainStorage, txid: string, outputIndex: number): Promise<never> {
    const utxo = await storage.getUtxo(txid, outputIndex);
    throw new DoubleSpendError(`${txid}.${outputIndex}`, utxo?.spentByTxid ?? undefined);
  }

  /** A transaction that spends the oldest mature coinbase. Each block brings another, so they never run out. */
  private async spendCoinbase(storage: MockChainStorage): Promise<Transaction> {
    const { Transaction, UnlockingScript } = this.toolbox.sdk;
    const tip = (await storage.getChainTip())?.height ?? 0;
    const coinbase: { txid: string; vout: number } | undefined = await storage
      .knex('mockchain_utxos')
      .where({ isCoinbase: true })
      .whereNull('spentByTxid')
      .where('blockHeight', '<=', tip - COINBASE_MATURITY)
      .orderBy('id')
      .first();
    if (coinbase === undefined) throw new Error('The faucet of the local chain is empty.');
    const source = await storage.getTransaction(coinbase.txid);
    const transaction = new Transaction();
    transaction.addInput({
      sourceTXID: coinbase.txid,
      sourceTransaction: Transaction.fromBinary([...(source?.rawTx ?? [])]),
      sourceOutputIndex: coinbase.vout,
      unlockingScript: new UnlockingScript(),
      sequence: 0xffffffff,
    });
    return transaction;
  }

  /** One transaction of the database, alone among all processes; `work` may run more than once. */
  private change<T>(work: (storage: MockChainStorage) => Promise<T>): Promise<T> {
    const { MockChainStorage } = this.toolbox;
    const attempt = (knex: Knex) => knex.transaction((transaction) => work(new MockChainStorage(transaction)));
    return this.database.alone('change', () => retryContention(() => attempt(this.database.knex)));
  }
}

function ancestorsFirst(transactions: ReadonlyMap<string, Transaction>, last: string): Transaction[] {
  const ordered = new Map<string, Transaction>();
  const path = [last];
  for (let txid = path.at(-1); txid !== undefined; txid = path.at(-1)) {
    const transaction = transactions.get(txid);
    const next = transaction?.inputs
      .map(({ sourceTXID = '' }) => sourceTXID)
      .find((source) => transactions.has(source) && !ordered.has(source));
    if (next !== undefined) {
      path.push(next);
      continue;
    }
    path.pop();
    if (transaction !== undefined) ordered.set(txid, transaction);
  }
  return [...ordered.values()];
}
