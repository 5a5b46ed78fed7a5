import { pollingClients } from './clients.js';
import { deployed, scaled, standalone } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { people } from './people.js';
import { messageSuites } from './suites/index.js';

describe('one process, for clients as strict as today`s with long polling only', () => {
  const at = deployed(() => standalone());
  const someone = people(pollingClients);

  test('the clients use nothing else', async () => {
    const socket = await someone().connect(at().realtimes[0]);
    expect(socket.io.io.opts.transports).toEqual(['polling']);
    expect(socket.io.io.engine.transport.name).toBe('polling');
  });

  messageSuites(at, pollingClients, false);
});

describeScaled('two api and two realtime processes, for clients as strict as today`s with long polling only', () => {
  messageSuites(
    deployed(() => scaled()),
    pollingClients,
    false,
  );
});
