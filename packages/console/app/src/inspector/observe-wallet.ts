import type { WalletInterface } from '@bsv/sdk';
import { recordWallet } from './observe/wallet-observer.js';
import { pageInspector } from './page-inspector.js';

/**
 * Gives clients a wallet whose calls the inspector records. The wallet does the same as before.
 *
 * @param identityKey the wallet's identity, 66 hex characters
 */
export function observeWallet<T extends WalletInterface>(wallet: T, identityKey: string): T {
  pageInspector.keys.add(identityKey, wallet);
  return recordWallet(wallet, pageInspector.calls, identityKey);
}
