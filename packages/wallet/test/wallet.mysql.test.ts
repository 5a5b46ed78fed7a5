import { describeWithMysql } from '../../../tests/support/with-mysql.ts';
import { mysqlDatabase } from './databases.js';
import { walletSuite } from './wallet-suite.js';

describeWithMysql("the server's wallet on MySQL", () => walletSuite(mysqlDatabase));
