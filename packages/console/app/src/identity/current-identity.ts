import type { WalletInterface } from '@bsv/sdk';
import { type ReadonlySignal, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** Who acts in this tab. */
export interface CurrentIdentity {
  /** 66 hex characters. */
  readonly identityKey: string;
  /** As clients get it: it has passed `observeWallet`. */
  readonly wallet: WalletInterface;
  /** A key that this browser made and keeps, or a BRC-100 wallet of this machine. */
  readonly kind: 'throwaway' | 'wallet';
}

const current = signal<CurrentIdentity>();
let opening: Promise<CurrentIdentity> | undefined;

/** The identity in use; undefined until it is open. */
export const currentIdentity: ReadonlySignal<CurrentIdentity | undefined> = current;

/** Opens the identity of this tab, and makes one at the first visit. Later calls get the same one. */
export function openCurrentIdentity(): Promise<CurrentIdentity> {
  opening ??= import('./open-identity.js')
    .then(({ openIdentity }) => openIdentity())
    .then(switchIdentity)
    .catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
  return opening;
}

/** Lets another identity act in this tab. */
export function switchIdentity(identity: CurrentIdentity): CurrentIdentity {
  current.value = identity;
  opening = Promise.resolve(identity);
  return identity;
}

/** For components: the identity in use, which is opened when nobody has yet. */
export function useCurrentIdentity(): CurrentIdentity | undefined {
  useEffect(() => {
    openCurrentIdentity().catch(() => {
      // The next component that asks tries again; a view says that the identity is missing.
    });
  }, []);
  return current.value;
}
