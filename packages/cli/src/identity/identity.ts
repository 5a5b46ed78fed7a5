import { CompletedProtoWallet, PrivateKey, type WalletInterface } from '@bsv/sdk';

/** An identity that this command can act as. */
export interface Identity {
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  /** 64 lower-case hex characters. A secret: never printed unless the user asks for it. */
  readonly privateKey: string;
  /** Signs and encrypts for this identity. It holds no money. */
  readonly wallet: WalletInterface;
  /** Where the key comes from: the path of a file, or the name of a variable. */
  readonly source: string;
}

/** @returns undefined when the text is not a private key of 64 hex characters */
export function parsePrivateKey(text: string, source: string): Identity | undefined {
  const hex = text.trim().toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex)) return undefined;
  const key = PrivateKey.fromHex(hex);
  // The SDK takes the remainder of a number that is not below the order of the curve. That would be another key than the given.
  if (key.isZero() || toHex(key) !== hex) return undefined;
  return toIdentity(key, source);
}

/** A new random identity. */
export function createIdentity(source: string): Identity {
  return toIdentity(PrivateKey.fromRandom(), source);
}

function toIdentity(key: PrivateKey, source: string): Identity {
  return {
    identityKey: key.toPublicKey().toString(),
    privateKey: toHex(key),
    wallet: new CompletedProtoWallet(key),
    source,
  };
}

function toHex(key: PrivateKey): string {
  return key.toHex().padStart(64, '0');
}
