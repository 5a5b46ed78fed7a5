import type { WalletInterface } from '@bsv/sdk';

/** The part of a wallet that the clients of this kit use. A `ProtoWallet` of the SDK is sufficient. */
export type ClientWallet = Pick<
  WalletInterface,
  'getPublicKey' | 'createHmac' | 'verifyHmac' | 'createSignature' | 'verifySignature' | 'encrypt' | 'decrypt'
>;
