import { randomBytes } from 'node:crypto';
import type { AtomicBEEF, WalletInterface } from '@bsv/sdk';
import type { Monitor } from '@bsv/wallet-toolbox/out/src/monitor/Monitor.js';
import type { BlockHeader, WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import type { Wallet } from '@bsv/wallet-toolbox/out/src/Wallet.js';
import { loadToolbox, type Toolbox } from '../toolbox.js';
import type { Funding, FundingRequest } from './local-chain.js';
import type { LocalDatabase } from './local-database.js';
import { migrateWalletTables } from './wallet-tables.js';

/** The local chain as a wallet sees it: in this process, or behind a server's routes for development. */
export interface LocalNetwork {
  readonly services: WalletServices;
  fund(request: FundingRequest): Promise<Funding>;
  chainTip(): Promise<BlockHeader>;
}

/** BRC-29: payments to a key that payer and payee derive. */
const PAYMENT_PROTOCOL: [2, string] = [2, '3241645161d8'];
/** So that not every action comes by the faucet. */
const LEAST_FUNDING = 100_000;
/** The wallet keeps every transaction that it sees; beyond this it is made to forget them. */
const MOST_REMEMBERED = 1_000;

/**
 * A wallet of the toolbox on the local chain, with its records in a database of ours. What changes it happens one by
 * one, with MySQL among all processes that have this wallet open: the toolbox would give the same output to two.
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
   * Makes the tables where they are missing.
   *
   * @param privateKey 64 hex characters, the root of all its keys
   * @param database is closed with the wallet, also when opening fails
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
      await database.alone('open', async () => {
        await migrateWalletTables(toolbox, records, randomBytes(33).toString('hex'));
        await records.makeAvailable();
        await records.findOrInsertUser(keys.identityKey);
      });
      const storage = new toolbox.WalletStorageManager(keys.identityKey, records);
      await storage.makeAvailable();
      const { services } = network;
      const wallet = new toolbox.Wallet({ chain: 'mock', keyDeriver: keys, storage, services });
      const monitor = createMonitor(toolbox, wallet, services);
      const orderly = takeTurns(wallet, (work) =>
        database.alone('wallet', async () => {
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

  /** Takes money from the faucet if there is less than `satoshis`; of several who ask at once, one does. */
  async ensureFunds(satoshis: number): Promise<void> {
    await this.database.alone('funds', async () => {
      if ((await this.balance()) < satoshis) await this.fund(Math.max(satoshis, LEAST_FUNDING));
    });
  }

  /** Sends what waits, collects proofs, gives up what was begun and abandoned: what the toolbox's monitor does. */
  async maintain(): Promise<void> {
    await this.database.alone('wallet', async () => {
      await this.monitor.runTask(this.toolbox.TaskSendWaiting.taskName);
      await collectProofs(this.monitor, this.network);
      await this.monitor.runTask(this.toolbox.TaskFailAbandoned.taskName);
      const { beef, userParty } = this.toolboxWallet;
      if (beef.txs.length > MOST_REMEMBERED) this.toolboxWallet.beef = new this.toolbox.sdk.BeefParty([userParty]);
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
    // Only tasks that are not used here ask it.
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

/** Here a transaction has its proof at once; with it, those that build on it carry no ancestors along. */
async function collectProofs(monitor: Monitor, network: LocalNetwork): Promise<void> {
  monitor.lastNewHeader = await network.chainTip();
  await monitor.runTask('CheckForProofs');
}

/** The same wallet, but for what changes it, which goes by way of `turn`. */
function takeTurns(wallet: Wallet, turn: <T>(work: () => Promise<T>) => Promise<T>): Wallet {
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
