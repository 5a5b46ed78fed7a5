import { createDatabase, describeWithMysql } from '../../../tests/support/with-mysql.js';
import { engineSuite } from './engine-suite.js';

describeWithMysql('engine on MySQL', () => {
  engineSuite('the promises', createDatabase);
});
