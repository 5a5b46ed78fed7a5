import type { Closing, Config, Logger, StoreConfig } from '@messagebox/shared';
import { type Chain, openChain } from './chain/open-chain.js';
import { TransactionVerifier } from './verify/transaction-verifier.js';
import { openServerWallet, type ServerWallet } from './wallet/server-wallet.js';

/** What a service needs to deal with transactions. Nothing is loaded or opened before its first use. */
export interface Money {
  readonly chain: Chain;
  /** For payments. */
  readonly verifier: TransactionVerifier;
  /** For what the overlay is given, by whoever: kept apart, so that nobody there holds up payments. */
  readonly overlayVerifier: TransactionVerifier;
  readonly wallet: ServerWallet;
}

export interface MoneyParts {
  readonly config: Pick<Config, 'network' | 'serverPrivateKey' | 'walletStorageUrl'>;
  /** On the local network, chain and wallet are kept beside or in this database. */
  readonly storeConfig: StoreConfig;
  readonly closing: Closing;
  readonly log: Logger;
}

/** The one place that puts chain, verifier and wallet together; closed with `closing`. */
export function openMoney({ config, storeConfig: database, closing, log }: MoneyParts): Money {
  const { network, serverPrivateKey: privateKey, walletStorageUrl: storageUrl } = config;
  if (privateKey === undefined) throw new Error('A wallet needs SERVER_PRIVATE_KEY.');
  const chain = openChain({ network, database, log });
  closing.add('chain', () => chain.close());
  const verifier = new TransactionVerifier(() => chain.tracker());
  const overlayVerifier = new TransactionVerifier(() => chain.tracker());
  closing.add('verifiers', () => Promise.all([verifier.close(), overlayVerifier.close()]));
  const wallet = openServerWallet({ privateKey, storageUrl, chain, database, log });
  closing.add('wallet', () => wallet.close());
  return { chain, verifier, overlayVerifier, wallet };
}
