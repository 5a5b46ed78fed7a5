import type { Config } from '@messagebox/shared';
import { inspectMysql, type MysqlFacts } from '@messagebox/store';
import { describeNetworkError } from '../../client/network-errors.js';
import { NotApplicableError, ProbeError } from '../errors.js';
import { TimeLimitError, withTimeLimit } from '../time-limit.js';

/** Asks the configured MySQL or MariaDB server. @throws {ProbeError} when it can't be used, with what to do */
export async function probeDatabase(config: Config, limitMs: number): Promise<MysqlFacts> {
  const { store } = config;
  if (store?.client !== 'mysql2') throw new NotApplicableError('the database is embedded');
  try {
    return await withTimeLimit(limitMs, (signal) => inspectMysql(store, { connectTimeoutMs: limitMs, signal }));
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): ProbeError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  switch (code) {
    case 'ER_ACCESS_DENIED_ERROR':
    case 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR':
      return new ProbeError(
        'it refuses the user or the password',
        'Correct user and password in KNEX_DB_CONNECTION (or DB_PASSWORD). Some servers list users for each client address.',
      );
    case 'ER_BAD_DB_ERROR':
      return new ProbeError(
        'it has no database of this name',
        'Correct "database" in KNEX_DB_CONNECTION, or create it: CREATE DATABASE … CHARACTER SET utf8mb4',
      );
    case 'ER_DBACCESS_DENIED_ERROR':
      return new ProbeError(
        'the user may not use this database',
        'Correct "database" in KNEX_DB_CONNECTION, or let the user in: GRANT ALL ON database.* TO user',
      );
    case 'ER_CON_COUNT_ERROR':
    case 'ER_TOO_MANY_USER_CONNECTIONS':
      return new ProbeError('all its connections are in use', 'Raise max_connections, or lower DB_POOL_SIZE.');
    case 'ER_HOST_NOT_PRIVILEGED':
    case 'ER_HOST_IS_BLOCKED':
      return new ProbeError('it refuses this host', 'Let this host in at the server.');
  }
  // The driver has a limit of its own, which may end first.
  if (error instanceof TimeLimitError || code === 'ETIMEDOUT') {
    return new ProbeError(
      'it does not answer in time',
      'Is host and port in KNEX_DB_CONNECTION that of a MySQL or MariaDB server? Is it overloaded, or behind a firewall?',
    );
  }
  const network = describeNetworkError(error);
  if (network !== undefined) {
    return new ProbeError(
      `it can't be reached: ${network}`,
      'Correct host and port in KNEX_DB_CONNECTION, and start the database server.',
    );
  }
  return new ProbeError(`it can't be used (${String(code ?? message)})`, 'Check KNEX_DB_CONNECTION.');
}
