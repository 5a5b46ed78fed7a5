import { type Check, fail, ok } from '../check.js';
import { resultOf } from '../context.js';

/** Whether this user may write. */
export const databaseWrites: Check = {
  name: 'database writes',
  run: async (context) => {
    const { writeProblem } = await resultOf(context.database, 'the database');
    if (writeProblem === undefined) return ok('allowed');
    if (writeProblem === 'ER_TABLEACCESS_DENIED_ERROR') {
      return fail('the user may not write', 'GRANT ALL ON database.* TO user');
    }
    return fail(`refused (${writeProblem})`, 'Is it a replica, or set to read-only, or full? Use the primary server.');
  },
};
