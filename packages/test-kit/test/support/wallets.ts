import { PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';

export interface Party {
  readonly key: string;
  readonly wallet: WalletInterface;
}

/** A party that can sign and verify. */
export function createParty(): Party {
  const privateKey = PrivateKey.fromRandom();
  return {
    key: privateKey.toPublicKey().toString(),
    wallet: new ProtoWallet(privateKey) as unknown as WalletInterface,
  };
}
