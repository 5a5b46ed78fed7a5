import type { Knex } from 'knex';

/** The wallet file of a server with an embedded database, on the local network. */
export const WALLET_FILE = 'messagebox-local-wallet.sqlite';

/** Satoshis in the wallet of an identity, read from where the toolbox keeps them. */
export async function readWalletBalance(knex: Knex, identityKey: string): Promise<number> {
  if (!(await knex.schema.hasTable('output_baskets'))) return 0;
  const [row] = await knex('outputs')
    .join('users', 'users.userId', 'outputs.userId')
    .join('output_baskets', 'output_baskets.basketId', 'outputs.basketId')
    .where({ 'users.identityKey': identityKey, 'output_baskets.name': 'default', spendable: true })
    .sum('outputs.satoshis as satoshis');
  return Number(row?.['satoshis'] ?? 0);
}
