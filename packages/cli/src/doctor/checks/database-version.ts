import { type Check, ok, warn } from '../check.js';
import { resultOf } from '../context.js';
import { isOlder } from '../is-older.js';

const MIN_VERSIONS = { MySQL: '8.4.0', MariaDB: '10.11.0' } as const;

/** Whether the database server is one that the tests run on. */
export const databaseVersion: Check = {
  name: 'database version',
  run: async (context) => {
    const { product, version } = await resultOf(context.database, 'the database');
    if (!isOlder(version, MIN_VERSIONS[product])) return ok(`${product} ${version}`);
    return warn(
      `${product} ${version}`,
      `Use ${product} ${MIN_VERSIONS[product]} or newer; older ones are not tested.`,
    );
  },
};
