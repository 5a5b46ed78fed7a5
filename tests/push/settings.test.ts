import { generateVapidKeys } from '@messagebox/shared';
import { startService } from '../support/service-process.js';
import { createLocalDeployment } from './push-deployment.js';

test.each<[string, Record<string, string>, RegExp]>([
  ['no project', {}, /^.*FIREBASE_PROJECT_ID is missing/m],
  ['no account', { FIREBASE_PROJECT_ID: 'project' }, /FIREBASE_SERVICE_ACCOUNT_PATH are missing/],
  [
    'an account that is none',
    { FIREBASE_PROJECT_ID: 'project', FIREBASE_SERVICE_ACCOUNT_JSON: '{"private_key":"zq-secret-9f31"}' },
    /FIREBASE_SERVICE_ACCOUNT_JSON must hold/,
  ],
  [
    'a public key of VAPID without its private key',
    { ENABLE_FIREBASE: 'false', VAPID_PUBLIC_KEY: generateVapidKeys().publicKey },
    /VAPID_PRIVATE_KEY is missing/,
  ],
])('with push enabled and %s a process ends with a line that says so', async (_name, env, reason) => {
  const place = await createLocalDeployment();
  const common = { HOST: '127.0.0.1', ENABLE_FIREBASE: 'true', ...place.env, ...env };
  try {
    const failure: unknown = await startService({ name: 'standalone', env: common }).then(
      async (service) => service.kill(),
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Error);
    expect(String(failure)).toMatch(reason);
    expect(String(failure)).not.toMatch(/zq-secret|Could not start/);
  } finally {
    await place.remove();
  }
});
