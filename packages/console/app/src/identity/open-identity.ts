import type { CurrentIdentity } from './current-identity.js';
import { type KeptIdentity, keptIdentities, readChoice, writeChoice } from './kept-identities.js';
import { createThrowawayIdentity, keepNewIdentity } from './throwaway-identity.js';

/** The name of the identity that the first visit makes. */
const FIRST_NAME = 'First identity';

/**
 * The identity that the address names, else the one that this tab chose before, else the oldest of this browser, else a new
 * one. A wallet is asked by the visitor only, so a tab that used one begins with a kept identity.
 */
export function openIdentity(): CurrentIdentity {
  const kept = takeFromAddress() ?? findKept(readChoice()) ?? keptIdentities.value[0] ?? keepNewIdentity(FIRST_NAME);
  writeChoice(kept.identityKey);
  return createThrowawayIdentity(kept);
}

/** `#/messages/as/KEY` opens a tab for another identity, and `#/messages/as/new` for a new one. */
function takeFromAddress(): KeptIdentity | undefined {
  const [, view, wanted] = /^#\/([a-z]+)\/as\/([0-9a-z]+)$/.exec(window.location.hash) ?? [];
  if (view === undefined || wanted === undefined) return undefined;
  // Loading the page again must not make another one.
  window.history.replaceState(null, '', `#/${view}`);
  return wanted === 'new' ? keepNewIdentity(nextName()) : findKept(wanted);
}

/** A name for one more identity of this browser. */
export function nextName(): string {
  const count = keptIdentities.value.length;
  return count === 0 ? FIRST_NAME : count === 1 ? 'Second identity' : `Identity ${count + 1}`;
}

function findKept(identityKey: string | undefined): KeptIdentity | undefined {
  return keptIdentities.value.find((kept) => kept.identityKey === identityKey);
}
