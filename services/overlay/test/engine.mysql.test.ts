import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import { engineSuite } from './engine-suite.js';

describeWithMysql('engine on MySQL', () => {
  engineSuite('the contract', createMysqlDatabase);
});
