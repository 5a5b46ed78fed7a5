import { signal } from '@preact/signals';
import { readStored, writeStored } from '../ui/storage.js';

/** A throw-away identity as this browser keeps it. */
export interface KeptIdentity {
  /** 64 hex characters. */
  readonly privateKey: string;
  /** 66 hex characters. */
  readonly identityKey: string;
  /** What the visitor calls it. */
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

const KEPT = 'messagebox.identities';
const CHOSEN = 'messagebox.identity';
/** In the place of an identity key: a wallet acts in this tab. */
export const WALLET_CHOICE = 'wallet';
/** A browser gives a page about 5 MB; a person needs a handful. */
export const MAX_KEPT = 50;

/** The identities of this browser, oldest first. Other tabs change them as well. */
export const keptIdentities = signal<readonly KeptIdentity[]>(readKeptIdentities());

window.addEventListener('storage', (event) => {
  if (event.key === KEPT || event.key === null) keptIdentities.value = readKeptIdentities();
});

/**
 * Changes the identities of this browser: reads them anew, since another tab may have changed them.
 *
 * @returns false when the browser keeps nothing: what was changed then ends with the tab
 */
export function updateKeptIdentities(
  change: (identities: readonly KeptIdentity[]) => readonly KeptIdentity[],
): boolean {
  const stored = readKeptIdentities();
  // A browser that keeps nothing has only what this tab knows.
  keptIdentities.value = change(stored.length === 0 ? keptIdentities.value : stored).slice(0, MAX_KEPT);
  return writeStored(localStorage, KEPT, JSON.stringify(keptIdentities.value));
}

/** Which identity acts in this tab: the identity key of a kept one, or WALLET_CHOICE; undefined in a new tab. */
export function readChoice(): string | undefined {
  return readStored(sessionStorage, CHOSEN);
}

/** Keeps the choice for this tab alone: another tab may act as somebody else. */
export function writeChoice(choice: string): void {
  writeStored(sessionStorage, CHOSEN, choice);
}

/** What the visitor calls an identity of this browser. */
export function findName(identityKey: string): string | undefined {
  return keptIdentities.value.find((kept) => kept.identityKey === identityKey)?.name;
}

function readKeptIdentities(): readonly KeptIdentity[] {
  try {
    const stored: unknown = JSON.parse(readStored(localStorage, KEPT) ?? '[]');
    return Array.isArray(stored) ? stored.filter(isKeptIdentity) : [];
  } catch {
    // Something else wrote there; the visitor begins anew.
    return [];
  }
}

function isKeptIdentity(value: unknown): value is KeptIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { privateKey, identityKey, name, createdAt } = value as Record<string, unknown>;
  return (
    typeof privateKey === 'string' &&
    /^[0-9a-f]{64}$/.test(privateKey) &&
    typeof identityKey === 'string' &&
    /^0[23][0-9a-f]{64}$/.test(identityKey) &&
    typeof name === 'string' &&
    typeof createdAt === 'string'
  );
}
