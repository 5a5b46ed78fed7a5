import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { createMysqlFixture, createSqliteFixture } from './fixtures.js';
import { pushStoreSuite } from './push-store-suite.js';

pushStoreSuite('the tables of pushes on SQLite', createSqliteFixture);
describeWithMysql('the tables of pushes', () => pushStoreSuite('on MySQL or MariaDB', createMysqlFixture));
