import type { Beef as BeefClass, Transaction } from '@bsv/sdk';
import type { MockChainStorage, MockChainTracker, MockServices } from '@bsv/wallet-toolbox/out/src/mockchain/index.js';
import { retryContention, type StoreConfig, type StoreLog } from '@messagebox/store';
import { InvalidTransactionError, loadToolbox, type Toolbox, TransactionVerifier } from '@messagebox/transactions';
import type { Knex } from 'knex';
import { LocalDatabase } from './local-database.js';

/** The toolbox's result of a broadcast. */
export type PostBeefResult = Awaited<ReturnType<MockServices['postBeef']>>[number];

/** An output from the faucet. Its transaction is in a block already. */
export interface Funding {
  readonly txid: string;
  readonly outputIndex: number;
  readonly satoshis: number;
  /** AtomicBEEF with the merkle path. */
  readonly atomicBeef: number[];
}

/** A request to the faucet. */
export interface FundingRequest {
  /** Hex. */
  readonly lockingScript: string;
  /** 1 to {@link MAX_FUNDING_SATOSHIS}. */
  readonly satoshis: number;
}

/** The most that the faucet pays at once. */
export const MAX_FUNDING_SATOSHIS = 1_000_000_000;
/** The size of the toolbox's column for transactions. */
const MAX_TRANSACTION_BYTES = 65_000;
const MAX_LOCKING_SCRIPT_BYTES = 10_000;
/**
 * The largest BEEF. A request of 10 MB, which is the default limit, has place for 5 MB of transactions: it writes each byte as
 * two characters or more.
 */
export const MAX_BEEF_BYTES = 6_000_000;
const MAX_NEW_ANCESTORS = 100;
const COINBASE_MATURITY = 100;

/** The request is wrong; a retry is useless. */
export class LocalChainError extends Error {
  override readonly name = 'LocalChainError';
}

/** Another transaction has spent the output. */
class DoubleSpendError extends Error {
  constructor(
    readonly outpoint: string,
    readonly spentBy: string | undefined,
  ) {
    super(`The output ${outpoint} is spent already.`);
  }
}

/**
 * A block chain for development and tests, in the server's database. Transactions are verified as on any chain, an output is
 * spent once even with concurrent spenders, and each accepted transaction is in a block at once, so it has a merkle path.
 * Money comes from a faucet.
 */
export class LocalChain {
  /** The services for a wallet of the toolbox. */
  readonly services: MockServices;
  readonly tracker: MockChainTracker;
  readonly #storage: MockChainStorage;
  readonly #verifier: TransactionVerifier;

  private constructor(
    private readonly database: LocalDatabase,
    private readonly toolbox: Toolbox,
    services: MockServices,
  ) {
    this.services = services;
    this.tracker = services.tracker;
    this.#storage = services.storage;
    // All payments that have passed the server's own verifier may arrive here at once.
    this.#verifier = new TransactionVerifier(async () => this.tracker, {
      waitingPerSource: 64,
      bytes: MAX_BEEF_BYTES,
    });
    // The toolbox checks first and writes later, so two concurrent double spends would both succeed.
    services.postBeef = (beef, txids) => this.postBeef(beef, txids);
    // The toolbox computes wrong ids for transactions with a merkle path.
    services.getBeefForTxid = (txid) => this.#findBeef(txid);
    services.mineBlock = () => this.#transact((storage) => services.miner.mineBlock(storage));
  }

  /** Opens the chain, and creates missing tables and the first blocks. */
  static async open(config: StoreConfig, log?: StoreLog): Promise<LocalChain> {
    const database = LocalDatabase.createBeside(config, 'chain', log);
    try {
      const toolbox = await loadToolbox();
      const chain = new LocalChain(database, toolbox, new toolbox.MockServices(database.knex));
      await database.withLock('open', () => chain.#storage.migrate());
      await chain.#transact(async (storage) => {
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
   * Verifies transactions and puts each into a block, after those ancestors that only the BEEF has. A transaction that
   * is on the chain already is a success.
   *
   * @param txids ids of transactions in `beef`, ancestors first
   * @param askedBy see `TransactionVerifier.verify()`; the developer wallets of other processes share one source
   * @returns one result for each transaction, as of the toolbox's services; a refusal is a result and does not throw
   */
  async postBeef(beef: BeefClass, txids: readonly string[], askedBy = ''): Promise<PostBeefResult[]> {
    const results: PostBeefResult[] = [];
    for (const txid of txids) results.push(await this.#postOne(beef, txid, askedBy));
    return results;
  }

  /** Pays from the faucet. @throws {LocalChainError} for an invalid locking script or amount */
  async fund({ lockingScript, satoshis }: FundingRequest): Promise<Funding> {
    if (!Number.isSafeInteger(satoshis) || satoshis < 1 || satoshis > MAX_FUNDING_SATOSHIS) {
      throw new LocalChainError(`satoshis must be an integer from 1 to ${MAX_FUNDING_SATOSHIS}`);
    }
    if (!/^([0-9a-f]{2})+$/i.test(lockingScript) || lockingScript.length > 2 * MAX_LOCKING_SCRIPT_BYTES) {
      throw new LocalChainError(`lockingScript must be hex of 1 to ${MAX_LOCKING_SCRIPT_BYTES} bytes`);
    }
    const { LockingScript } = this.toolbox.sdk;
    const txid = await this.#transact(async (storage) => {
      const transaction = await this.#spendCoinbase(storage);
      const [source] = transaction.inputs;
      const available = source?.sourceTransaction?.outputs[source.sourceOutputIndex]?.satoshis ?? 0;
      transaction.addOutput({ lockingScript: LockingScript.fromHex(lockingScript), satoshis });
      transaction.addOutput({ lockingScript: LockingScript.fromHex('51'), satoshis: available - satoshis });
      await this.#insert(storage, transaction);
      return transaction.id('hex');
    });
    const beef = await this.#findBeef(txid);
    return { txid, outputIndex: 0, satoshis, atomicBeef: beef.toBinaryAtomic(txid) };
  }

  /**
   * Parses a BEEF with the SDK.
   *
   * @param bytes from a trusted source, or checked by `readBeef()`
   * @throws {LocalChainError} when a merkle path in it contradicts itself
   */
  parseBeef(bytes: Uint8Array): BeefClass {
    try {
      return this.toolbox.sdk.Beef.fromBinary([...bytes]);
    } catch {
      throw new LocalChainError('A merkle path in the BEEF is wrong.');
    }
  }

  /** Finds a transaction of the chain with its merkle path. @returns an empty BEEF when the chain does not have it */
  async #findBeef(txid: string): Promise<BeefClass> {
    const { Beef, Transaction } = this.toolbox.sdk;
    const beef = new Beef();
    const row = await this.#storage.getTransaction(txid);
    const { merklePath } = await this.services.getMerklePath(txid);
    if (row === undefined || merklePath === undefined) return beef;
    const transaction = Transaction.fromBinary([...row.rawTx]);
    transaction.merklePath = merklePath;
    beef.mergeTransaction(transaction);
    return beef;
  }

  async close(): Promise<void> {
    await this.#verifier.close();
    await this.database.close();
  }

  async #postOne(beef: BeefClass, txid: string, askedBy: string): Promise<PostBeefResult> {
    const name = 'LocalChain';
    try {
      const alreadyKnown = await this.#accept(beef, txid, askedBy);
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

  /** @returns whether the chain had the transaction already */
  async #accept(beef: BeefClass, txid: string, askedBy: string): Promise<boolean> {
    if ((await this.#storage.getTransaction(txid)) !== undefined) return true;
    for (const ancestor of await this.#findMissing(beef, txid)) await this.#verifyAndInsert(ancestor, askedBy);
    return false;
  }

  /** Finds the transaction and those ancestors that the chain does not have, ancestors first. */
  async #findMissing(beef: BeefClass, txid: string): Promise<Transaction[]> {
    const found = new Map<string, Transaction>();
    const open = [txid];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      const raw = beef.findTxid(next)?.rawTx;
      if (raw === undefined) throw new LocalChainError(`Transaction ${next} is neither on the chain nor in the BEEF.`);
      if (raw.length > MAX_TRANSACTION_BYTES) {
        throw new LocalChainError(`A transaction on the local chain has at most ${MAX_TRANSACTION_BYTES} bytes.`);
      }
      const transaction = this.toolbox.sdk.Transaction.fromBinary(raw);
      found.delete(next);
      found.set(next, transaction);
      if (found.size > MAX_NEW_ANCESTORS)
        throw new LocalChainError(`More than ${MAX_NEW_ANCESTORS} ancestors are not on the chain.`);
      for (const { sourceTXID } of transaction.inputs) {
        if (sourceTXID !== undefined && (await this.#storage.getTransaction(sourceTXID)) === undefined)
          open.push(sourceTXID);
      }
    }
    return sortAncestorsFirst(found, txid);
  }

  async #verifyAndInsert(transaction: Transaction, askedBy: string): Promise<void> {
    const { Beef } = this.toolbox.sdk;
    const beef = new Beef();
    for (const { sourceTXID } of transaction.inputs) {
      if (sourceTXID !== undefined) beef.mergeBeef(await this.#findBeef(sourceTXID));
    }
    beef.mergeTransaction(transaction);
    // Checked before the scripts, because it is cheap and the clearer reason.
    await this.#checkUnspent(transaction);
    const bytes = beef.toBinaryAtomic(transaction.id('hex'));
    await this.#verifier.verify(this.#verifier.parse(bytes), askedBy);
    await this.#transact((storage) => this.#insert(storage, transaction));
  }

  async #checkUnspent(transaction: Transaction): Promise<void> {
    for (const { sourceTXID = '', sourceOutputIndex } of transaction.inputs) {
      const utxo = await this.#storage.getUtxo(sourceTXID, sourceOutputIndex);
      if (utxo?.spentByTxid) throw new DoubleSpendError(`${sourceTXID}.${sourceOutputIndex}`, utxo.spentByTxid);
    }
  }

  /** Spends the inputs, adds the transaction and mines a block. One statement checks that an output is unspent and spends it. */
  async #insert(storage: MockChainStorage, transaction: Transaction): Promise<void> {
    const txid = transaction.id('hex');
    if ((await storage.getTransaction(txid)) !== undefined) return;
    for (const { sourceTXID = '', sourceOutputIndex } of transaction.inputs) {
      const taken = await storage
        .knex('mockchain_utxos')
        .where({ txid: sourceTXID, vout: sourceOutputIndex })
        .whereNull('spentByTxid')
        .update({ spentByTxid: txid });
      if (taken !== 1) await this.#throwSpent(storage, sourceTXID, sourceOutputIndex);
    }
    await storage.insertTransaction(txid, transaction.toBinary());
    const { Hash, Utils } = this.toolbox.sdk;
    for (const [index, { lockingScript, satoshis = 0 }] of transaction.outputs.entries()) {
      const script = lockingScript.toBinary();
      await storage.insertUtxo(txid, index, script, satoshis, Utils.toHex(Hash.sha256(script)));
    }
    await this.services.miner.mineBlock(storage);
  }

  async #throwSpent(storage: MockChainStorage, txid: string, outputIndex: number): Promise<never> {
    const utxo = await storage.getUtxo(txid, outputIndex);
    throw new DoubleSpendError(`${txid}.${outputIndex}`, utxo?.spentByTxid ?? undefined);
  }

  /** Creates a transaction that spends the oldest mature coinbase. Each block adds a coinbase, so they never run out. */
  async #spendCoinbase(storage: MockChainStorage): Promise<Transaction> {
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

  /** Runs `work` in a database transaction, under a lock of all processes. `work` may run several times. */
  #transact<T>(work: (storage: MockChainStorage) => Promise<T>): Promise<T> {
    const { MockChainStorage } = this.toolbox;
    const attempt = (knex: Knex) => knex.transaction((transaction) => work(new MockChainStorage(transaction)));
    return this.database.withLock('change', () => retryContention(() => attempt(this.database.knex)));
  }
}

function sortAncestorsFirst(transactions: ReadonlyMap<string, Transaction>, last: string): Transaction[] {
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
