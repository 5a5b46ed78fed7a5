import type * as AuthSocket from '@bsv/authsocket-client';
import { everySuite } from './every-suite.js';
import { composed } from './stack.js';

/** Every client, those inside of the real MessageBoxClient too, never gets beyond long polling, unless it insists. */
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
  everySuite(composed);
});
