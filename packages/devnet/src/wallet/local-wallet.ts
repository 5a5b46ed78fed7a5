import { randomBytes } from 'node:crypto';
import type { AtomicBEEF, WalletInterface } from '@bsv/sdk';
import type { Monitor } from '@bsv/wallet-toolbox/out/src/monitor/Monitor.js';
import type { BlockHeader, WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import type { Wallet } from '@bsv/wallet-toolbox/out/src/Wallet.js';
import { loadToolbox, type Toolbox } from '@messagebox/transactions';
import type { Funding, FundingRequest } from '../chain/local-chain.js';
import type { LocalDatabase } from '../chain/local-database.js';
import { migrateWalletTables } from './wallet-tables.js';

/** The play chain as a wallet sees it: in this process, or behind the development routes of a server. */
export interface LocalNetwork {
  readonly services: WalletServices;
  fund(request: FundingRequest): Promise<Funding>;
  findChainTip(): Promise<BlockHeader>;
}

/** The protocol of BRC-29, by which payer and payee derive the key of a payment. */
const PAYMENT_PROTOCOL: [2, string] = [2, '3241645161d8'];
/** Large enough that most actions need no faucet. */
const MIN_FUNDING = 100_000;
/** The toolbox's wallet never removes a transaction from its memory. Beyond this number the cache is emptied. */
const MAX_CACHED_TRANSACTIONS = 1_000;

/**
 * A wallet of the toolbox on the play chain, with its records in our database. Changes run one after the other, among all
 * processes that have the wallet open. Otherwise the toolbox would use the same output twice.
 */
export class LocalWallet {
  private constructor(
    readonly wallet: WalletInterface & { balance(): Promise<number> },
    private readonly toolboxWallet: Wallet,
    private readonly monitor: Monitor,
    readonly identityKey: string,
    private readonly database: LocalDatabase,
    private readonly network: LocalNetwork,
    private readonly toolbox: Toolbox,
  ) {}

  /**
   * Opens a wallet, and creates missing tables.
   *
   * @param privateKey 64 hex characters, the root of all keys
   * @param database closed with the wallet, and when opening fails
   */
  static async open(privateKey: string, database: LocalDatabase, network: LocalNetwork): Promise<LocalWallet> {
    try {
      const toolbox = await loadToolbox();
      const keys = new toolbox.sdk.KeyDeriver(toolbox.sdk.PrivateKey.fromHex(privateKey));
      const records = new toolbox.StorageKnex({
        chain: 'mock',
        knex: database.knex,
        commissionSatoshis: 0,
        feeModel: { model: 'sat/kb', value: 1 },
      });
      await database.withLock('open', async () => {
        await migrateWalletTables(toolbox, records, randomBytes(33).toString('hex'));
        await records.makeAvailable();
        await records.findOrInsertUser(keys.identityKey);
      });
      const storage = new toolbox.WalletStorageManager(keys.identityKey, records);
      await storage.makeAvailable();
      const { services } = network;
      const wallet = new toolbox.Wallet({ chain: 'mock', keyDeriver: keys, storage, services });
      const monitor = createMonitor(toolbox, wallet, services);
      const orderly = serializeCalls(wallet, (work) =>
        database.withLock('wallet', async () => {
          await collectProofs(monitor, network);
          return await work();
        }),
      );
      return new LocalWallet(orderly, wallet, monitor, keys.identityKey, database, network, toolbox);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** Satoshis that can be spent. */
  async balance(): Promise<number> {
    return await this.wallet.balance();
  }

  /** Takes money from the faucet. */
  async fund(satoshis: number): Promise<void> {
    const { KeyDeriver, P2PKH, PrivateKey } = this.toolbox.sdk;
    const payer = PrivateKey.fromRandom();
    const [derivationPrefix, derivationSuffix] = [randomBytes(16), randomBytes(16)].map((b) => b.toString('base64'));
    const keyId = `${derivationPrefix} ${derivationSuffix}`;
    const payee = new KeyDeriver(payer).derivePublicKey(PAYMENT_PROTOCOL, keyId, this.identityKey);
    const lockingScript = new P2PKH().lock(payee.toAddress()).toHex();
    const { atomicBeef, outputIndex } = await this.network.fund({ lockingScript, satoshis });
    await this.wallet.internalizeAction({
      tx: atomicBeef as AtomicBEEF,
      description: 'faucet of the local network',
      outputs: [
        {
          outputIndex,
          protocol: 'wallet payment',
          paymentRemittance: {
            derivationPrefix: derivationPrefix ?? '',
            derivationSuffix: derivationSuffix ?? '',
            senderIdentityKey: payer.toPublicKey().toString(),
          },
        },
      ],
    });
  }

  /** Takes money from the faucet if the balance is below `satoshis`. Concurrent calls take it once. */
  async ensureFunds(satoshis: number): Promise<void> {
    await this.database.withLock('funds', async () => {
      if ((await this.balance()) < satoshis) await this.fund(Math.max(satoshis, MIN_FUNDING));
    });
  }

  /** Runs the tasks of the toolbox's monitor: sends waiting transactions, collects proofs, gives up abandoned actions. */
  async maintain(): Promise<void> {
    await this.database.withLock('wallet', async () => {
      await this.monitor.runTask(this.toolbox.TaskSendWaiting.taskName);
      await collectProofs(this.monitor, this.network);
      await this.monitor.runTask(this.toolbox.TaskFailAbandoned.taskName);
      const { beef, userParty } = this.toolboxWallet;
      if (beef.txs.length > MAX_CACHED_TRANSACTIONS)
        this.toolboxWallet.beef = new this.toolbox.sdk.BeefParty([userParty]);
    });
  }

  async close(): Promise<void> {
    await this.database.close();
  }
}

function createMonitor(toolbox: Toolbox, { storage }: Wallet, services: WalletServices): Monitor {
  const monitor = new toolbox.Monitor({
    chain: 'mock',
    services,
    storage,
    // Used only by tasks that are not added here.
    chaintracks: undefined as never,
    msecsWaitPerMerkleProofServiceReq: 0,
    taskRunWaitMsecs: 0,
    abandonedMsecs: 5 * 60_000,
    unprovenAttemptsLimitTest: 100,
    unprovenAttemptsLimitMain: 100,
    maxRebroadcastAttempts: 0,
  });
  monitor.addTask(new toolbox.TaskSendWaiting(monitor, 0, 0));
  monitor.addTask(new toolbox.TaskCheckForProofs(monitor, 0));
  monitor.addTask(new toolbox.TaskFailAbandoned(monitor, 0));
  return monitor;
}

/** A transaction of the play chain has its proof at once. With the proof, its descendants need no ancestors. */
async function collectProofs(monitor: Monitor, network: LocalNetwork): Promise<void> {
  monitor.lastNewHeader = await network.findChainTip();
  await monitor.runTask('CheckForProofs');
}

/** Wraps a wallet, so that the methods which change it run through `turn`. */
function serializeCalls(wallet: Wallet, turn: <T>(work: () => Promise<T>) => Promise<T>): Wallet {
  const changing = new Set(['createAction', 'signAction', 'abortAction', 'internalizeAction', 'relinquishOutput']);
  return new Proxy(wallet, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      if (typeof name !== 'string' || !changing.has(name)) return method;
      return (...args: unknown[]) => turn(async () => await method(...args));
    },
  });
}
