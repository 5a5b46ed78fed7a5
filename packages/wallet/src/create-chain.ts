import type { ChainTracker } from '@bsv/sdk';
import type { WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import type { LocalChain, PostBeefResult } from '@messagebox/devnet';
import type { Network } from '@messagebox/shared';
import type { StoreConfig, StoreLog } from '@messagebox/store';
import {
  type BroadcastResult,
  type BroadcastServices,
  type BroadcastVerdict,
  broadcast,
  findProof,
  type MerkleProof,
} from '@messagebox/transactions';
import { LazyResource } from './lazy-resource.js';

/** The block chain of the configured network. */
export interface Chain {
  readonly network: Network;
  /** Loads the code of all that is below, which takes seconds. Opens nothing, and asks nobody. */
  preload(): Promise<void>;
  /** Verifies merkle roots. The first call opens the tracker, which makes no request on main and test. */
  getTracker(): Promise<ChainTracker>;
  /**
   * Gives a transaction to the network, which may have it already.
   *
   * @param beef AtomicBEEF of `txid`, from a trusted source or verified
   * @throws {ChainUnavailableError} when no service accepted it and none gave a reason; worth a retry
   */
  broadcast(txid: string, beef: Uint8Array): Promise<BroadcastResult>;
  /**
   * Finds the merkle path of a transaction.
   *
   * @returns undefined when the transaction is in no block yet
   * @throws {ChainUnavailableError}
   */
  findProof(txid: string): Promise<MerkleProof | undefined>;
  /** The services of the network for a wallet of the toolbox. */
  getServices(): Promise<WalletServices>;
  /** The play chain itself. @throws {Error} on main and test */
  getLocalChain(): Promise<LocalChain>;
  close(): Promise<void>;
}

/** Options of {@link createChain}. */
export interface ChainOptions {
  readonly network: Network;
  /** Where the play chain is stored, see `LocalDatabase`. Not used on main and test. */
  readonly database: StoreConfig;
  readonly log?: StoreLog;
}

/** Creates the chain of a network. Nothing is opened or loaded before the first call. */
export function createChain({ network, database, log }: ChainOptions): Chain {
  if (network !== 'local') {
    const opened = new LazyResource(async () => {
      const { createNetworkTracker } = await import('./network-tracker.js');
      return createNetworkTracker(network);
    });
    const services = new LazyResource(async () => {
      const { loadToolbox } = await import('@messagebox/transactions');
      return new (await loadToolbox()).Services(network);
    });
    return {
      network,
      preload: async () => {
        const { loadToolbox } = await import('@messagebox/transactions');
        await Promise.all([loadToolbox(), import('./network-tracker.js'), import('./network-services.js')]);
      },
      getTracker: () => opened.get(),
      broadcast: async (txid, beef) => {
        const { createNetworkServices } = await import('./network-services.js');
        return broadcast(createNetworkServices(await services.get()), txid, beef);
      },
      findProof: async (txid) => findProof(await services.get(), await opened.get(), txid),
      getServices: () => services.get(),
      getLocalChain: () => Promise.reject(new Error(`There is no local chain: the network is ${network}.`)),
      close: async () => undefined,
    };
  }
  const opened = new LazyResource(async () => {
    const { LocalChain } = await import('@messagebox/devnet');
    return LocalChain.open(database, log);
  });
  return {
    network,
    preload: async () => {
      const { loadToolbox } = await import('@messagebox/transactions');
      await Promise.all([loadToolbox(), import('@messagebox/devnet')]);
    },
    getTracker: async () => (await opened.get()).tracker,
    broadcast: async (txid, beef) => broadcast(createLocalServices(await opened.get()), txid, beef),
    findProof: async (txid) => {
      const { services, tracker } = await opened.get();
      return await findProof(services, tracker, txid);
    },
    getServices: async () => (await opened.get()).services,
    getLocalChain: () => opened.get(),
    close: () => opened.close((chain) => chain.close()),
  };
}

/** The play chain is always right, so its answers need no interpretation. */
function createLocalServices(chain: LocalChain): BroadcastServices {
  return {
    post: async (beef, txid) => {
      const results = await chain.postBeef(chain.parseBeef(beef), [txid], 'server');
      return results.flatMap(({ txidResults }) => txidResults).map(toLocalVerdict);
    },
    has: async (txid) => {
      const { results } = await chain.services.getStatusForTxids([txid]);
      return results.some(({ status }) => status === 'mined' || status === 'known');
    },
  };
}

function toLocalVerdict({
  status,
  doubleSpend,
  serviceError,
}: PostBeefResult['txidResults'][number]): BroadcastVerdict {
  if (status === 'success') return 'taken';
  if (doubleSpend === true) return 'double spend';
  return serviceError === true ? 'unknown' : 'invalid';
}
