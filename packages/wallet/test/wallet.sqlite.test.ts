import { sqliteFile } from './databases.js';
import { walletSuite } from './wallet-suite.js';

describe("the server's wallet on SQLite", () => walletSuite(sqliteFile));
