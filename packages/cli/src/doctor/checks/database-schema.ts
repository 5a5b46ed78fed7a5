import { access } from 'node:fs/promises';
import path from 'node:path';
import { inspectSchema } from '@messagebox/store';
import { type Check, fail, notApplicable, ok, warn } from '../check.js';
import { type DoctorContext, resultOf } from '../context.js';
import { ProbeError } from '../errors.js';
import { withTimeLimit } from '../time-limit.js';

const MIGRATE = 'Run: npm run migrate (each release says whether services must be stopped for it).';

/** Whether the database has the schema of this version. */
export const databaseSchema: Check = {
  name: 'database schema',
  run: async (context) => {
    const { redis, store } = context.config;
    const config = await findDatabase(context);
    if (config === undefined) return notApplicable('the embedded database is made at the first start');
    const { pending, unknown } = await withTimeLimit(context.limitMs, () => inspectSchema(config)).catch((error) => {
      throw new ProbeError(
        'it can not be read',
        'Is it a database of MessageBox? Does the user have all rights on it?',
        error,
      );
    });
    // Standalone migrates by itself.
    const isStandalone = store?.client !== 'mysql2' || redis === undefined;
    if (pending.length > 0 && !isStandalone)
      return fail(`${pending.length} migrations are missing: ${pending.join(', ')}`, MIGRATE);
    if (pending.length > 0) return ok(`standalone will run ${pending.length} migrations when it starts`);
    if (unknown.length > 0) {
      const advice = 'Use the version that has migrated the database, or a newer one.';
      const seen = `a newer version has migrated it: ${unknown.join(', ')}`;
      return isStandalone
        ? fail(seen, advice)
        : warn(seen, `${advice} After a deliberate step back this version works with it.`);
    }
    return ok('up to date');
  },
};

async function findDatabase(context: DoctorContext) {
  const { store, dataDir } = context.config;
  if (store?.client === 'mysql2') {
    await resultOf(context.database, 'the database');
    return store;
  }
  const filename = store?.filename ?? path.join(dataDir, 'messagebox.sqlite');
  const exists = await access(filename).then(
    () => true,
    () => false,
  );
  return exists ? ({ client: 'better-sqlite3', filename } as const) : undefined;
}
