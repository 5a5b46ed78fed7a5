import type { WalletInterface } from '@bsv/sdk';
import type { StoreConfig, StoreLog } from '@messagebox/store';
import pTimeout from 'p-timeout';
import type { Chain } from './create-chain.js';
import { LazyResource } from './lazy-resource.js';
import { WalletUnavailableError } from './wallet-errors.js';

const STORAGE_TIMEOUT_MS = 15_000;

/** The wallet of this server, with the server's identity. */
export interface ServerWallet {
  /**
   * Returns the wallet, which the first call opens.
   *
   * @throws {WalletUnavailableError} when the wallet is not configured, or its storage does not answer
   */
  getWallet(): Promise<WalletInterface>;
  /** Returns the satoshis that can be spent. @throws {WalletUnavailableError} */
  balance(): Promise<number>;
  /**
   * Makes sure that the balance is at least `satoshis`. On the local network the faucet fills it up.
   *
   * @throws {WalletUnavailableError} when the balance is lower on main or test
   */
  ensureFunds(satoshis: number): Promise<void>;
  /**
   * Does the regular work: sends waiting transactions, collects proofs, and gives up abandoned actions. On main and test
   * the storage does this by itself.
   */
  maintain(): Promise<void>;
  close(): Promise<void>;
}

/** Options of {@link createServerWallet}. */
export interface ServerWalletOptions {
  /** SERVER_PRIVATE_KEY: 32 bytes. */
  readonly privateKey: Uint8Array;
  /** WALLET_STORAGE_URL. Not used on the local network. */
  readonly storageUrl: string | undefined;
  readonly chain: Chain;
  /** Where the wallet of the local network keeps its records, see `LocalDatabase`. Not used on main and test. */
  readonly database: StoreConfig;
  readonly log?: StoreLog;
}

/** The common interface of both kinds of open wallet. */
interface OpenedWallet {
  readonly wallet: WalletInterface;
  balance(): Promise<number>;
  ensureFunds(satoshis: number): Promise<void>;
  maintain(): Promise<void>;
  close(): Promise<void>;
}

/** Creates the server's wallet. Nothing is opened or loaded before the first call. */
export function createServerWallet(options: ServerWalletOptions): ServerWallet {
  const opened = new LazyResource<OpenedWallet>(() =>
    options.chain.network === 'local' ? openLocalWallet(options) : openRemoteWallet(options),
  );
  return {
    getWallet: async () => (await opened.get()).wallet,
    balance: async () => (await opened.get()).balance(),
    ensureFunds: async (satoshis) => (await opened.get()).ensureFunds(satoshis),
    maintain: async () => (await opened.get()).maintain(),
    close: () => opened.close((wallet) => wallet.close()),
  };
}

async function openLocalWallet({ privateKey, chain, database, log }: ServerWalletOptions): Promise<OpenedWallet> {
  const { LocalDatabase, LocalWallet } = await import('@messagebox/devnet');
  const local = await chain.getLocalChain();
  return await LocalWallet.open(toHex(privateKey), LocalDatabase.createBeside(database, 'wallet', log), {
    services: local.services,
    fund: (request) => local.fund(request),
    findChainTip: () => local.tracker.findChainTipHeader(),
  });
}

async function openRemoteWallet({ privateKey, storageUrl, chain }: ServerWalletOptions): Promise<OpenedWallet> {
  const { network } = chain;
  if (storageUrl === undefined || network === 'local') {
    throw new WalletUnavailableError(
      `WALLET_STORAGE_URL is missing: set it to the wallet storage server that keeps this server's wallet on ${network}.`,
    );
  }
  const { loadToolbox } = await import('@messagebox/transactions');
  const { sdk, WalletStorageManager, Wallet, StorageClient } = await loadToolbox();
  const keyDeriver = new sdk.CachedKeyDeriver(sdk.PrivateKey.fromHex(toHex(privateKey)));
  const storage = new WalletStorageManager(keyDeriver.identityKey);
  const wallet = new Wallet({ chain: network, keyDeriver, storage, services: await chain.getServices() });
  try {
    await pTimeout(storage.addWalletStorageProvider(new StorageClient(wallet, storageUrl)), {
      milliseconds: STORAGE_TIMEOUT_MS,
    });
    await pTimeout(storage.makeAvailable(), { milliseconds: STORAGE_TIMEOUT_MS });
  } catch (error) {
    throw new WalletUnavailableError('The wallet storage at WALLET_STORAGE_URL can not be used.', error);
  }
  return {
    wallet,
    balance: () => wallet.balance(),
    ensureFunds: async (satoshis) => {
      const balance = await wallet.balance();
      if (balance >= satoshis) return;
      throw new WalletUnavailableError(
        `The server's wallet has ${balance} satoshis, and ${satoshis} are needed: pay to ${keyDeriver.identityKey}.`,
      );
    },
    maintain: async () => undefined,
    close: () => storage.destroy(),
  };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
