import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { createTemporaryMysqlDatabase } from '../../devnet/test/support/databases.js';
import { walletSuite } from './support/wallet-suite.js';

describeWithMysql("the server's wallet on MySQL", () => walletSuite(createTemporaryMysqlDatabase));
