import type { WalletInterface } from '@bsv/sdk';
import { type StoreConfig, type StoreLog, within } from '@messagebox/shared';
import type { Chain } from '../chain/open-chain.js';
import { OpenedOnce } from '../local/opened-once.js';
import { WalletUnavailableError } from './wallet-errors.js';

const STORAGE_TIMEOUT_MS = 15_000;

/** The wallet of this server. Its identity is the server's. */
export interface ServerWallet {
  /**
   * The wallet, opened by the first call.
   *
   * @throws {WalletUnavailableError} when it is not configured, or its storage does not answer
   */
  wallet(): Promise<WalletInterface>;
  /** Satoshis that can be spent. @throws {WalletUnavailableError} */
  balance(): Promise<number>;
  /**
   * Makes sure that there are `satoshis`. On the local network the faucet gives what is missing.
   *
   * @throws {WalletUnavailableError} when there are fewer and the network is not the local one
   */
  ensureFunds(satoshis: number): Promise<void>;
  /**
   * What has to be done from time to time: send what waits, collect proofs, give up what was abandoned. On main and test
   * the storage does it by itself.
   */
  maintain(): Promise<void>;
  close(): Promise<void>;
}

export interface ServerWalletOptions {
  /** SERVER_PRIVATE_KEY: 32 bytes. */
  readonly privateKey: Uint8Array;
  /** WALLET_STORAGE_URL. Not used on the local network. */
  readonly storageUrl: string | undefined;
  readonly chain: Chain;
  /** Where the local network's wallet keeps its records; see `LocalDatabase`. Not used on main and test. */
  readonly database: StoreConfig;
  readonly log?: StoreLog;
}

/** What both kinds of wallet can do once they are open. */
interface OpenWallet {
  readonly wallet: WalletInterface;
  balance(): Promise<number>;
  ensureFunds(satoshis: number): Promise<void>;
  maintain(): Promise<void>;
  close(): Promise<void>;
}

/** Opens nothing and loads nothing yet. */
export function openServerWallet(options: ServerWalletOptions): ServerWallet {
  const opened = new OpenedOnce<OpenWallet>(() =>
    options.chain.network === 'local' ? openOnLocalChain(options) : openWithRemoteStorage(options),
  );
  return {
    wallet: async () => (await opened.get()).wallet,
    balance: async () => (await opened.get()).balance(),
    ensureFunds: async (satoshis) => (await opened.get()).ensureFunds(satoshis),
    maintain: async () => (await opened.get()).maintain(),
    close: () => opened.close((wallet) => wallet.close()),
  };
}

async function openOnLocalChain({ privateKey, chain, database, log }: ServerWalletOptions): Promise<OpenWallet> {
  const { LocalWallet } = await import('../local/local-wallet.js');
  const { LocalDatabase } = await import('../local/local-database.js');
  const local = await chain.local();
  return await LocalWallet.open(hex(privateKey), LocalDatabase.beside(database, 'wallet', log), {
    services: local.services,
    fund: (request) => local.fund(request),
    chainTip: () => local.tracker.findChainTipHeader(),
  });
}

async function openWithRemoteStorage({ privateKey, storageUrl, chain }: ServerWalletOptions): Promise<OpenWallet> {
  const { network } = chain;
  if (storageUrl === undefined || network === 'local') {
    throw new WalletUnavailableError(
      `WALLET_STORAGE_URL is missing: set it to the wallet storage server that keeps this server's wallet on ${network}.`,
    );
  }
  const { loadToolbox } = await import('../toolbox.js');
  const { sdk, WalletStorageManager, Wallet, StorageClient } = await loadToolbox();
  const keyDeriver = new sdk.CachedKeyDeriver(sdk.PrivateKey.fromHex(hex(privateKey)));
  const storage = new WalletStorageManager(keyDeriver.identityKey);
  const wallet = new Wallet({ chain: network, keyDeriver, storage, services: await chain.services() });
  try {
    await within(STORAGE_TIMEOUT_MS, storage.addWalletStorageProvider(new StorageClient(wallet, storageUrl)));
    await within(STORAGE_TIMEOUT_MS, storage.makeAvailable());
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

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
