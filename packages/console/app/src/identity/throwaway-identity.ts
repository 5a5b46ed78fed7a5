import { CachedKeyDeriver, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import { observeWallet } from '../inspector/observe-wallet.js';
import type { CurrentIdentity } from './current-identity.js';
import { type KeptIdentity, updateKeptIdentities } from './kept-identities.js';

/** An identity of a key alone. */
export function createThrowawayIdentity({ privateKey, identityKey }: KeptIdentity): CurrentIdentity {
  // Without the cache each message of the same sender would cost a multiplication on the curve, about 10 ms.
  const keys = new CachedKeyDeriver(PrivateKey.fromHex(privateKey));
  // Clients that send and receive messages without payments call nothing that ProtoWallet lacks.
  const wallet = new ProtoWallet(keys) as unknown as WalletInterface;
  return { identityKey, wallet: observeWallet(wallet, identityKey), kind: 'throwaway' };
}

/**
 * Makes an identity, and keeps it in this browser.
 *
 * @param name what the visitor calls it
 */
export function keepNewIdentity(name: string): KeptIdentity {
  return keepIdentity(name, PrivateKey.fromRandom());
}

/**
 * Keeps an identity that was exported from here or made elsewhere. One that is kept already stays as it is.
 *
 * @param text a private key as 64 hex characters, as WIF, or the JSON of an exported file
 * @throws {Error} with a text for people, when it is none of these
 */
export function importIdentity(text: string, name: string): KeptIdentity {
  return keepIdentity(name, parsePrivateKey(text.trim()));
}

function keepIdentity(name: string, key: PrivateKey): KeptIdentity {
  const made: KeptIdentity = {
    privateKey: key.toHex().padStart(64, '0'),
    identityKey: key.toPublicKey().toString(),
    name,
    createdAt: new Date().toISOString(),
  };
  let kept = made;
  updateKeptIdentities((identities) => {
    const known = identities.find(({ identityKey }) => identityKey === made.identityKey);
    if (known !== undefined) kept = known;
    return known === undefined ? [...identities, made] : identities;
  });
  return kept;
}

function parsePrivateKey(text: string): PrivateKey {
  const key = text.startsWith('{') ? readExport(text) : text;
  try {
    if (/^[0-9a-f]{64}$/i.test(key)) return parseHex(key.toLowerCase());
    if (/^[5KLc9][1-9A-HJ-NP-Za-km-z]{50,51}$/.test(key)) return PrivateKey.fromWif(key);
  } catch {
    // It looks like a key, and is none: the curve has no such number, or a character is wrong.
  }
  throw new Error(
    'This is no private key. It must be 64 hex characters, a key in WIF, or the content of an exported file.',
  );
}

/** The SDK takes the remainder of a number that is not below the order of the curve. That would be another key than the given. */
function parseHex(hex: string): PrivateKey {
  const key = PrivateKey.fromHex(hex);
  if (key.isZero() || key.toHex().padStart(64, '0') !== hex) throw new RangeError('not on the curve');
  return key;
}

function readExport(text: string): string {
  try {
    const { privateKey } = JSON.parse(text) as { privateKey?: unknown };
    return typeof privateKey === 'string' ? privateKey : '';
  } catch {
    return '';
  }
}
