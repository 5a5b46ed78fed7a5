import type * as AuthSocket from '@bsv/authsocket-client';
import type { Socket } from 'socket.io-client';
import { pollingClients } from '../acceptance/clients.js';
import { createPeople } from '../acceptance/people.js';
import { describeEverySuite } from './every-suite.js';
import { edgeUrl, requireComposeStack } from './stack.js';

/** Every client, those inside of the real MessageBoxClient too, keeps to long polling, unless a test says otherwise. */
jest.mock('@bsv/authsocket-client', () => {
  const actual = jest.requireActual<typeof AuthSocket>('@bsv/authsocket-client');
  const AuthSocketClient: typeof actual.AuthSocketClient = (url, options) =>
    actual.AuthSocketClient(url, {
      ...options,
      managerOptions: { transports: ['polling'], ...options.managerOptions },
    });
  return { ...actual, AuthSocketClient };
});

describe('the compose project, with long polling', () => {
  const someone = createPeople();

  test('the clients use nothing else', async () => {
    const app = someone().createApp(edgeUrl);
    await app.listen('inbox');
    const socket = await someone().connect(edgeUrl);
    const { ioSocket } = app.client.testSocket as unknown as { ioSocket: Socket };
    for (const { io } of [ioSocket, socket.io]) expect(io.opts.transports).toEqual(['polling']);
  });

  describeEverySuite(requireComposeStack, false);
});

describe('the compose project, with long polling, for clients as strict as today`s', () => {
  const someone = createPeople(pollingClients);

  test('the clients use nothing else', async () => {
    const app = someone().createApp(edgeUrl);
    await app.listen('inbox');
    const socket = await someone().connect(edgeUrl);
    const { io } = app.client.testSocket as unknown as { io: Socket };
    for (const each of [io, socket.io]) expect(each.io.opts.transports).toEqual(['polling']);
  });

  describeEverySuite(requireComposeStack, false, pollingClients);
});
