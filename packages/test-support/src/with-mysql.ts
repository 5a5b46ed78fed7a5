import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';

/** A database of a test's own on the server that `TEST_MYSQL_URL` names. */
export interface TestDatabase {
  readonly config: { readonly client: 'mysql2'; readonly connection: string };
  /** `mysql://…/mb_test_…` */
  readonly url: string;
  drop(): Promise<void>;
}

/**
 * `describe` for suites that need a MySQL or MariaDB server. Where none can be had, says so loudly, and is a failure
 * in CI: a suite that silently didn't run looks just like one that passed.
 */
export function describeWithMysql(name: string, suite: () => void): void {
  describe(name, () => {
    if (process.env['TEST_MYSQL_URL']) return suite();
    test('needs a MySQL or MariaDB server (TEST_MYSQL_URL)', () => {
      if (process.env['CI']) throw new Error(`No MySQL or MariaDB server: "${name}" could not run.`);
      process.stderr.write(`\n!!! NOT TESTED: "${name}". No MySQL or MariaDB server; set TEST_MYSQL_URL.\n\n`);
    });
  });
}

export async function createMysqlDatabase(): Promise<TestDatabase> {
  const name = `mb_test_${randomBytes(8).toString('hex')}`;
  await runOnMysqlServer(`CREATE DATABASE ${name}`);
  const url = new URL(getMysqlUrl());
  url.pathname = `/${name}`;
  return {
    config: { client: 'mysql2', connection: url.href },
    url: url.href,
    drop: () => runOnMysqlServer(`DROP DATABASE IF EXISTS ${name}`),
  };
}

async function runOnMysqlServer(statement: string): Promise<void> {
  const connection = await createConnection({ uri: getMysqlUrl() });
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}

function getMysqlUrl(): string {
  const url = process.env['TEST_MYSQL_URL'];
  if (!url) throw new Error('TEST_MYSQL_URL is not set.');
  return url;
}
