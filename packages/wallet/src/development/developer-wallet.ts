import { randomBytes } from 'node:crypto';
import type { WalletInterface } from '@bsv/sdk';

/** A wallet for development and tests on the local chain of a running server. */
export interface DeveloperWallet {
  readonly wallet: WalletInterface;
  /** Compressed public key, hex. */
  readonly identityKey: string;
  /** Takes money from the server's faucet. */
  fund(satoshis: number): Promise<void>;
  /** Satoshis that can be spent. */
  balance(): Promise<number>;
  /** Sends what waits and collects proofs. The wallet does so too, before each action. */
  maintain(): Promise<void>;
  close(): Promise<void>;
}

export interface DeveloperWalletOptions {
  /** Of the server, such as http://localhost:8080. */
  readonly origin: string;
  /** 64 hex characters. Default: a new one. */
  readonly privateKey?: string;
  /** SQLite file for its records. Default: memory. */
  readonly file?: string;
}

/** An ordinary wallet of the toolbox with records of its own. It takes the place of a user's wallet, not the server's. */
export async function openDeveloperWallet({
  origin,
  privateKey = randomBytes(32).toString('hex'),
  file = ':memory:',
}: DeveloperWalletOptions): Promise<DeveloperWallet> {
  const { loadToolbox } = await import('../toolbox.js');
  const { LocalDatabase } = await import('../local/local-database.js');
  const { LocalWallet } = await import('../local/local-wallet.js');
  const { RemoteLocalChain } = await import('./remote-local-chain.js');
  const network = new RemoteLocalChain(origin, await loadToolbox());
  const database = new LocalDatabase({ client: 'better-sqlite3', filename: file }, 'wallet');
  return await LocalWallet.open(privateKey, database, network);
}
