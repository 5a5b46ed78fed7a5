import { routingPrefixSuite } from '../acceptance/suites/routing-prefix.js';
import { requireComposeStack } from './stack.js';

// It was started with ROUTING_PREFIX=/api.
describe('the compose project', () => routingPrefixSuite(async () => requireComposeStack()));
