import { createDatabase, describeWithMysql } from '../../../tests/support/with-mysql.ts';
import { deskSuite } from './support/desk-suite.js';

describeWithMysql('the payment desk on MySQL', () => {
  deskSuite(async () => {
    const { config, drop } = await createDatabase();
    return { config, remove: drop };
  });
});
