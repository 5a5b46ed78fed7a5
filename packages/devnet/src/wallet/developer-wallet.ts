import { randomBytes } from 'node:crypto';
import type { WalletInterface } from '@bsv/sdk';

/** A wallet for development and tests, on the play chain of a running server. */
export interface DeveloperWallet {
  readonly wallet: WalletInterface;
  /** Compressed public key, hex. */
  readonly identityKey: string;
  /** Takes money from the server's faucet. */
  fund(satoshis: number): Promise<void>;
  /** Satoshis that can be spent. */
  balance(): Promise<number>;
  /** Sends waiting transactions and collects proofs. The wallet also collects proofs before each action. */
  maintain(): Promise<void>;
  close(): Promise<void>;
}

/** Options of {@link openDeveloperWallet}. */
export interface DeveloperWalletOptions {
  /** The origin of the server, such as http://localhost:8080. */
  readonly origin: string;
  /** 64 hex characters. Default: a new one. */
  readonly privateKey?: string;
  /** SQLite file for its records. Default: memory. */
  readonly file?: string;
}

/** Opens an ordinary wallet of the toolbox with its own records. It stands for the wallet of a user. */
export async function openDeveloperWallet({
  origin,
  privateKey = randomBytes(32).toString('hex'),
  file = ':memory:',
}: DeveloperWalletOptions): Promise<DeveloperWallet> {
  const { loadToolbox } = await import('@messagebox/transactions');
  const { LocalDatabase } = await import('../chain/local-database.js');
  const { LocalWallet } = await import('./local-wallet.js');
  const { RemoteLocalChain } = await import('../routes/remote-local-chain.js');
  const network = new RemoteLocalChain(origin, await loadToolbox());
  const database = new LocalDatabase({ client: 'better-sqlite3', filename: file }, 'wallet');
  return await LocalWallet.open(privateKey, database, network);
}
