import { createTemporarySqliteDatabase } from '../../devnet/test/support/databases.js';
import { walletSuite } from './support/wallet-suite.js';

describe("the server's wallet on SQLite", () => walletSuite(createTemporarySqliteDatabase));
