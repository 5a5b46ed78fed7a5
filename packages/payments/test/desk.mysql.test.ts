import { createDatabase, describeWithMysql } from '../../../tests/support/with-mysql.ts';
import { deskSuite } from './support/desk-suite.js';
import { repeatsSuite } from './support/repeats-suite.js';

describeWithMysql('the payment desk on MySQL', () => {
  const create = async () => {
    const { config, drop } = await createDatabase();
    return { config, remove: drop };
  };
  deskSuite(create);
  describe('asked again', () => repeatsSuite(create));
});
