import { access } from 'node:fs/promises';
import path from 'node:path';
import { type Check, ok } from '../check.js';

/** Whether the database can be reached and used. */
export const database: Check = {
  name: 'database',
  run: async (context) => {
    const { store, dataDir } = context.config;
    if (store?.client === 'mysql2') {
      const { product } = await context.database;
      return ok(`${product} answers`);
    }
    const file = store?.filename ?? path.join(dataDir, 'messagebox.sqlite');
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    return ok(exists ? `SQLite: ${file}` : `SQLite: ${file} is made at the first start`);
  },
};
