import { join } from 'node:path';
import { createKnex } from '@messagebox/store';
import type { Knex } from 'knex';
import type { Deployment } from './deployments.js';

/**
 * Does something in a deployment's database, past its processes.
 *
 * @param file which one, where there are several
 */
export async function withDatabase<T>(
  deployment: Deployment,
  work: (knex: Knex) => Promise<T>,
  file = 'messagebox.sqlite',
): Promise<T> {
  const { databaseUrl, env } = deployment;
  const knex = createKnex(
    databaseUrl === undefined
      ? { client: 'better-sqlite3', filename: join(String(env['DATA_DIR']), file) }
      : { client: 'mysql2', connection: databaseUrl },
  );
  try {
    return await work(knex);
  } finally {
    await knex.destroy();
  }
}
