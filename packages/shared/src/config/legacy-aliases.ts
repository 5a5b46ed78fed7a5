/*
 * Values that the reference server 1.1.5 uses, so that its settings work here unchanged. `BSV_NETWORK` is its name for
 * `NETWORK`. New deployments use the values on the right.
 */

/** Values of NETWORK and BSV_NETWORK. */
export const networkAliases = { mainnet: 'main', testnet: 'test', regtest: 'local' } as const;

/** Values of KNEX_DB_CLIENT. */
export const databaseClientAliases = { mysql: 'mysql2', sqlite3: 'better-sqlite3' } as const;

/** The standard spelling of a value that may be an alias. */
export function resolveAlias<Name extends string, Aliases extends Readonly<Record<string, Name>>>(
  aliases: Aliases,
  value: Name | Extract<keyof Aliases, string>,
): Name {
  return Object.hasOwn(aliases, value) ? (aliases[value] as Name) : (value as Name);
}
