import type { ChainTracker } from '@bsv/sdk';
import type { WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import type { Network, StoreConfig, StoreLog } from '@messagebox/shared';
import type { MerkleProof } from '../beef/index.js';
import type { LocalChain, PostBeefResult } from '../local/local-chain.js';
import { OpenedOnce } from '../local/opened-once.js';
import { type Broadcast, type BroadcastServices, broadcast, type Verdict } from './broadcast.js';
import { findProof } from './find-proof.js';

/** The block chain of the configured network. */
export interface Chain {
  readonly network: Network;
  /** What merkle roots are asked of. The first call opens it; on main and test no request is made before it is asked. */
  tracker(): Promise<ChainTracker>;
  /**
   * Gives a transaction to the network, which may have it already.
   *
   * @param beef AtomicBEEF of `txid`, of somebody who is trusted or verified
   * @throws {ChainUnavailableError} when nobody took it and nobody said why: worth another try
   */
  broadcast(txid: string, beef: Uint8Array): Promise<Broadcast>;
  /**
   * The merkle path of a transaction that is in a block, as far as the network knows.
   *
   * @throws {ChainUnavailableError}
   */
  proof(txid: string): Promise<MerkleProof | undefined>;
  /** The network as a wallet of the toolbox asks it. */
  services(): Promise<WalletServices>;
  /** The chain itself, where it is our own. @throws {Error} on main and test */
  local(): Promise<LocalChain>;
  close(): Promise<void>;
}

export interface ChainOptions {
  readonly network: Network;
  /** Where the local chain is kept; see `LocalDatabase`. Not used on main and test. */
  readonly database: StoreConfig;
  readonly log?: StoreLog;
}

/** Opens nothing and loads nothing yet. */
export function openChain({ network, database, log }: ChainOptions): Chain {
  if (network !== 'local') {
    const opened = new OpenedOnce(async () => {
      const { networkTracker } = await import('./network-tracker.js');
      return networkTracker(network);
    });
    const services = new OpenedOnce(async () => {
      const { loadToolbox } = await import('../toolbox.js');
      return new (await loadToolbox()).Services(network);
    });
    return {
      network,
      tracker: () => opened.get(),
      broadcast: async (txid, beef) => {
        const { networkServices } = await import('./network-services.js');
        return broadcast(networkServices(await services.get()), txid, beef);
      },
      proof: async (txid) => findProof(await services.get(), await opened.get(), txid),
      services: () => services.get(),
      local: () => Promise.reject(new Error(`There is no local chain: the network is ${network}.`)),
      close: async () => undefined,
    };
  }
  const opened = new OpenedOnce(async () => {
    const { LocalChain } = await import('../local/local-chain.js');
    return LocalChain.open(database, log);
  });
  return {
    network,
    tracker: async () => (await opened.get()).tracker,
    broadcast: async (txid, beef) => broadcast(localServices(await opened.get()), txid, beef),
    proof: async (txid) => {
      const { services, tracker } = await opened.get();
      return await findProof(services, tracker, txid);
    },
    services: async () => (await opened.get()).services,
    local: () => opened.get(),
    close: () => opened.close((chain) => chain.close()),
  };
}

/** What the local chain says is true, so all of it is taken at its word. */
function localServices(chain: LocalChain): BroadcastServices {
  return {
    post: async (beef, txid) => {
      const results = await chain.postBeef(chain.parseBeef(beef), [txid], 'server');
      return results.flatMap(({ txidResults }) => txidResults).map(verdictOf);
    },
    has: async (txid) => {
      const { results } = await chain.services.getStatusForTxids([txid]);
      return results.some(({ status }) => status === 'mined' || status === 'known');
    },
  };
}

function verdictOf({ status, doubleSpend, serviceError }: PostBeefResult['txidResults'][number]): Verdict {
  if (status === 'success') return 'taken';
  if (doubleSpend === true) return 'double spend';
  return serviceError === true ? 'unknown' : 'invalid';
}
