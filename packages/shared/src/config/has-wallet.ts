import type { Config } from './read-config.js';

/** Whether this server can be paid. On main and test its wallet needs a storage. */
export function hasWallet({ network, walletStorageUrl }: Pick<Config, 'network' | 'walletStorageUrl'>): boolean {
  return network === 'local' || walletStorageUrl !== undefined;
}
