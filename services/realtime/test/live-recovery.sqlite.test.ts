import { recoverySuite } from './support/recovery-suite.js';

describe('live recovery on SQLite', () => recoverySuite(() => ({})));
