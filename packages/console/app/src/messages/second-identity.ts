import type { CurrentIdentity } from '../identity/current-identity.js';
import { keptIdentities } from '../identity/kept-identities.js';
import { readStored, writeStored } from '../ui/storage.js';

const KEY = 'messagebox.second';

/** Whether this tab showed two identities before it was loaded again. */
export function wasSideBySide(): boolean {
  return readStored(sessionStorage, KEY) === 'yes';
}

/** Keeps for this tab whether it shows two identities. */
export function keepSideBySide(isSideBySide: boolean): void {
  writeStored(sessionStorage, KEY, isSideBySide ? 'yes' : undefined);
}

/** Another identity of this browser than the given one. One is made when there is none. */
export async function openSecondIdentity(first: CurrentIdentity): Promise<CurrentIdentity> {
  const { createThrowawayIdentity, keepNewIdentity } = await import('../identity/throwaway-identity.js');
  const { nextName } = await import('../identity/open-identity.js');
  const other = keptIdentities.value.find(({ identityKey }) => identityKey !== first.identityKey);
  return createThrowawayIdentity(other ?? keepNewIdentity(nextName()));
}
