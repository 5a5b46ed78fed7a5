/** The settings that decide whether there is a wallet. */
interface WalletSettings {
  readonly network: 'main' | 'test' | 'local';
  readonly walletStorageUrl: string | undefined;
}

/** Whether this server can be paid. On main and test its wallet needs a storage. */
export function hasWallet({ network, walletStorageUrl }: WalletSettings): boolean {
  return network === 'local' || walletStorageUrl !== undefined;
}
