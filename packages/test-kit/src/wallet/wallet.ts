import type { WalletInterface } from '@bsv/sdk';

/** What the clients of this kit ask of a wallet. A `ProtoWallet` of the SDK will do. */
export type ClientWallet = Pick<
  WalletInterface,
  'getPublicKey' | 'createHmac' | 'verifyHmac' | 'createSignature' | 'verifySignature' | 'encrypt' | 'decrypt'
>;
