import type { Config, Logger, ShutdownHooks } from '@messagebox/shared';
import type { StoreConfig } from '@messagebox/store';
import { TransactionVerifier } from '@messagebox/transactions';
import { type Chain, createChain } from './create-chain.js';
import { createServerWallet, type ServerWallet } from './server-wallet.js';

/** Chain, verifiers and wallet of one process. Nothing is loaded or opened before its first use. */
export interface BsvServices {
  readonly chain: Chain;
  /** For payments. */
  readonly verifier: TransactionVerifier;
  /** For the transactions that anybody may submit to the overlay. Separate, so that they never delay payments. */
  readonly overlayVerifier: TransactionVerifier;
  readonly wallet: ServerWallet;
}

/** Options of {@link createBsvServices}. */
export interface BsvServicesOptions {
  readonly config: Pick<Config, 'network' | 'serverPrivateKey' | 'walletStorageUrl' | 'limits'>;
  /** On the local network, chain and wallet are stored in this database or next to it. */
  readonly storeConfig: StoreConfig;
  readonly shutdown: ShutdownHooks;
  readonly log: Logger;
}

/** Creates chain, verifiers and wallet, which close with `shutdown`. */
export function createBsvServices({ config, storeConfig: database, shutdown, log }: BsvServicesOptions): BsvServices {
  const { network, serverPrivateKey: privateKey, walletStorageUrl: storageUrl, limits } = config;
  if (privateKey === undefined) throw new Error('A wallet needs SERVER_PRIVATE_KEY.');
  const chain = createChain({ network, database, log });
  shutdown.add('chain', () => chain.close());
  // A payment that fits into a request can be verified: the request writes each byte as two characters at least.
  const verifier = new TransactionVerifier(() => chain.getTracker(), { bytes: limits.requestBody });
  const overlayVerifier = new TransactionVerifier(() => chain.getTracker());
  shutdown.add('verifiers', () => Promise.all([verifier.close(), overlayVerifier.close()]));
  const wallet = createServerWallet({ privateKey, storageUrl, chain, database, log });
  shutdown.add('wallet', () => wallet.close());
  return { chain, verifier, overlayVerifier, wallet };
}
