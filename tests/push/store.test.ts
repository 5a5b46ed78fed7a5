import { describeWithMysql } from '../support/with-mysql.js';
import { mysqlFixture, sqliteFixture } from './fixtures.js';
import { pushStoreSuite } from './store-suite.js';

pushStoreSuite('what is kept for pushes, on SQLite', sqliteFixture);
describeWithMysql('what is kept for pushes', () => pushStoreSuite('on MySQL or MariaDB', mysqlFixture));
