import { everySuite } from './every-suite.js';
import { composed } from './stack.js';

describe('the compose project, with default transports', () => everySuite(composed));
