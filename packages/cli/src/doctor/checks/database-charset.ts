import { type Check, fail, ok, warn } from '../check.js';
import { resultOf } from '../context.js';

/** Whether texts keep all of their characters. */
export const databaseCharset: Check = {
  name: 'database character set',
  run: async (context) => {
    const { charset, collation, narrowColumns } = await resultOf(context.database, 'the database');
    if (narrowColumns.length > 0) {
      return fail(
        `these columns can not hold every character: ${narrowColumns.join(', ')}`,
        'Convert their tables: ALTER TABLE name CONVERT TO CHARACTER SET utf8mb4',
      );
    }
    if (charset !== 'utf8mb4') {
      return warn(
        `the database's default is ${charset} (${collation})`,
        'ALTER DATABASE name CHARACTER SET utf8mb4, so that tables which others create there are right.',
      );
    }
    return ok(`${charset}, ${collation}`);
  },
};
