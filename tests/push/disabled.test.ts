import { startFcmServer } from '@messagebox/test-support/fcm-server';
import { BOB } from './fixtures.js';
import { createLocalDeployment, startInstance } from './push-deployment.js';

// Without push, Google's library must not be loaded.
jest.mock('google-auth-library', () => {
  throw new Error('the library was loaded');
});

test('without ENABLE_FIREBASE=true nothing is pushed, loaded or logged', async () => {
  const server = await startFcmServer();
  const place = await createLocalDeployment();
  const at = await startInstance(place, server, {
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
    expect(await at.outbox.countUpTo(10)).toBe(0);
    expect(server.tokenRequests).toBe(0);
    expect(at.lines.filter((line) => !line.includes('database schema'))).toEqual([]);
  } finally {
    await at.close();
    await place.remove();
    await server.close();
  }
});

test('with ENABLE_FIREBASE=true the library is not loaded before there is something to push', async () => {
  const server = await startFcmServer();
  const place = await createLocalDeployment();
  const at = await startInstance(place, server);
  try {
    expect(await at.push()).toBeDefined();
    expect(at.lines.filter((line) => !line.includes('database schema'))).toEqual([]);
  } finally {
    await at.close();
    await place.remove();
    await server.close();
  }
});
