import { pollingClients } from './clients.js';
import { deployScaled, deployStandalone, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { createPeople } from './people.js';
import { describeMessageSuites } from './suites/index.js';

describe('one process, for clients as strict as today`s with long polling only', () => {
  const at = useDeployment(() => deployStandalone());
  const someone = createPeople(pollingClients);

  test('the clients use nothing else', async () => {
    const socket = await someone().connect(at().realtimes[0]);
    expect(socket.io.io.opts.transports).toEqual(['polling']);
    expect(socket.io.io.engine.transport.name).toBe('polling');
  });

  describeMessageSuites(at, pollingClients, false);
});

describeScaled('two api and two realtime processes, for clients as strict as today`s with long polling only', () => {
  describeMessageSuites(
    useDeployment(() => deployScaled()),
    pollingClients,
    false,
  );
});
