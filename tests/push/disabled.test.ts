import { startFcmServer } from '../support/fcm-server.js';
import { BOB } from './fixtures.js';
import { alone, openInstance } from './pusher.js';

// Who does not push does not pay for Google's library.
jest.mock('google-auth-library', () => {
  throw new Error('the library was loaded');
});

test('without ENABLE_FIREBASE=true nothing is pushed, loaded or complained about', async () => {
  const server = await startFcmServer();
  const place = await alone();
  const at = await openInstance(place, server, {
    ENABLE_FIREBASE: 'false',
    FIREBASE_PROJECT_ID: '',
    FIREBASE_SERVICE_ACCOUNT_JSON: 'not even JSON',
  });
  try {
    expect(await at.push()).toBeUndefined();
    const alice = `02${'a1'.repeat(32)}`;
    await at.device(alice);
    await at.foundation.store.storeMessages([
      { recipient: alice, messageBox: 'notifications', messageId: '1', sender: BOB, body: 'b' },
    ]);
    expect(await at.outbox.size(10)).toBe(0);
    expect(server.tokenRequests).toBe(0);
    expect(at.lines.filter((line) => !line.includes('database schema'))).toEqual([]);
  } finally {
    await at.close();
    await place.remove();
    await server.close();
  }
});

test('with it the library is not loaded before there is something to push', async () => {
  const server = await startFcmServer();
  const place = await alone();
  const at = await openInstance(place, server);
  try {
    expect(await at.push()).toBeDefined();
    expect(at.lines.filter((line) => !line.includes('database schema'))).toEqual([]);
  } finally {
    await at.close();
    await place.remove();
    await server.close();
  }
});
