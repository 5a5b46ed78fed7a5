import type { ChainTracker } from '@bsv/sdk';
import type { Network, StoreConfig, StoreLog } from '@messagebox/shared';
import type { LocalChain } from '../local/local-chain.js';
import { OpenedOnce } from '../local/opened-once.js';

/** The block chain of the configured network. */
export interface Chain {
  readonly network: Network;
  /** What merkle roots are asked of. The first call opens it; on main and test no request is made before it is asked. */
  tracker(): Promise<ChainTracker>;
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
    return {
      network,
      tracker: () => opened.get(),
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
    local: () => opened.get(),
    close: () => opened.close((chain) => chain.close()),
  };
}
