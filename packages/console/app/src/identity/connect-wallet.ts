import { WalletClient } from '@bsv/sdk';
import { observeWallet } from '../inspector/observe-wallet.js';
import type { CurrentIdentity } from './current-identity.js';

/**
 * Uses the BRC-100 wallet of this machine. The wallet asks its owner, so call it only when the visitor wants that.
 *
 * @throws {Error} when no wallet answers, or its owner refuses
 */
export async function connectWallet(): Promise<CurrentIdentity> {
  const wallet = new WalletClient('auto');
  await wallet.connectToSubstrate();
  const { publicKey } = await wallet.getPublicKey({ identityKey: true });
  return { identityKey: publicKey, wallet: observeWallet(wallet, publicKey), kind: 'wallet' };
}
