import { registryClients, strictClients } from '../acceptance/clients.js';
import { todaysClientsSuite } from '../acceptance/suites/todays-clients.js';
import { describeEverySuite } from './every-suite.js';
import { requireComposeStack } from './stack.js';

describe.each([
  ['the clients of the registry', registryClients],
  ['clients as strict as today`s', strictClients],
])('the compose project, with default transports, for %s', (_whose, clients) =>
  describeEverySuite(requireComposeStack, true, clients),
);

describe('the compose project, for what today`s clients need', () => todaysClientsSuite(requireComposeStack));
