import { registryClients, strictClients } from '../acceptance/clients.js';
import { everySuite } from './every-suite.js';
import { composed } from './stack.js';

describe.each([
  ['the clients of the registry', registryClients],
  ['clients as strict as today`s', strictClients],
])('the compose project, with default transports, for %s', (_whose, clients) => everySuite(composed, true, clients));
