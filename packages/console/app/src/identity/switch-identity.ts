import { switchIdentity } from './current-identity.js';
import { type KeptIdentity, WALLET_CHOICE, writeChoice } from './kept-identities.js';

/** Lets an identity of this browser act in this tab. */
export async function actAs(kept: KeptIdentity): Promise<void> {
  const { createThrowawayIdentity } = await import('./throwaway-identity.js');
  writeChoice(kept.identityKey);
  switchIdentity(createThrowawayIdentity(kept));
}

/**
 * Lets the wallet of this machine act in this tab.
 *
 * @throws {Error} when no wallet answers, or its owner refuses
 */
export async function actAsWallet(): Promise<void> {
  const { connectWallet } = await import('./connect-wallet.js');
  const identity = await connectWallet();
  writeChoice(WALLET_CHOICE);
  switchIdentity(identity);
}
