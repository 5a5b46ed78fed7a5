import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError, readConfig } from '@messagebox/shared';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { readFirebaseProject } from '../src/push/index.js';

const pem = (type: 'rsa' | 'ed25519') =>
  (type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
const account = { client_email: 'a@b.example', private_key: pem('rsa'), private_key_id: 'k' };
const SECRET = 'zq-secret-9f31';

describe('what pushing needs', () => {
  const folder = createTemporaryFolder();
  afterAll(() => folder.remove());
  const file = (text: string) => {
    const name = path.join(folder.path, 'account.json');
    writeFileSync(name, text);
    return name;
  };
  const read = (env: Record<string, string>) => {
    const { push } = readConfig({ ENABLE_FIREBASE: 'true', FIREBASE_PROJECT_ID: 'project', ...env });
    if (push === undefined) throw new Error('push is disabled');
    return readFirebaseProject(push);
  };
  const refusal = async (env: Record<string, string>): Promise<string> => {
    const error: unknown = await read(env).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    const { message } = error as ConfigError;
    expect(message.split('\n')).toHaveLength(1);
    expect(message).not.toMatch(new RegExp(`${SECRET}|PRIVATE KEY`));
    return message;
  };

  test('is disabled unless asked for', () => {
    expect(readConfig({ FIREBASE_PROJECT_ID: 'project', FIREBASE_SERVICE_ACCOUNT_JSON: '{' }).push).toBeUndefined();
    expect(readConfig({ ENABLE_FIREBASE: 'false' }).push).toBeUndefined();
  });

  test('the account as JSON or as a file; JSON wins', async () => {
    const json = JSON.stringify(account);
    const { private_key: privateKey } = account;
    const expected = { email: 'a@b.example', privateKey, keyId: 'k', tokenUri: 'https://oauth2.googleapis.com/token' };
    expect(await read({ FIREBASE_SERVICE_ACCOUNT_JSON: json })).toEqual({ projectId: 'project', account: expected });
    expect(await read({ FIREBASE_SERVICE_ACCOUNT_PATH: file(json) })).toMatchObject({ account: expected });
    const both = { FIREBASE_SERVICE_ACCOUNT_JSON: json, FIREBASE_SERVICE_ACCOUNT_PATH: '/nowhere' };
    expect(await read(both)).toMatchObject({ account: expected });
    const elsewhere = JSON.stringify({ ...account, token_uri: 'http://127.0.0.1:1/token' });
    expect(await read({ FIREBASE_SERVICE_ACCOUNT_JSON: elsewhere })).toMatchObject({
      account: { tokenUri: 'http://127.0.0.1:1/token' },
    });
  });

  test('no project', async () => {
    const env = { FIREBASE_PROJECT_ID: '', FIREBASE_SERVICE_ACCOUNT_JSON: JSON.stringify(account) };
    expect(await refusal(env)).toMatch(/^FIREBASE_PROJECT_ID is missing/);
  });

  test('a project that is none', () => {
    const env = { ENABLE_FIREBASE: 'true', FIREBASE_PROJECT_ID: 'a/../b' };
    expect(() => readConfig(env)).toThrow(/^FIREBASE_PROJECT_ID must be/);
  });

  test('no account', async () => {
    expect(await refusal({})).toMatch(/FIREBASE_SERVICE_ACCOUNT_JSON and FIREBASE_SERVICE_ACCOUNT_PATH are missing/);
  });

  test('a file that is not there, and one that is a folder', async () => {
    const name = path.join(folder.path, 'none.json');
    expect(await refusal({ FIREBASE_SERVICE_ACCOUNT_PATH: name })).toMatch(/^FIREBASE_SERVICE_ACCOUNT_PATH .*ENOENT/);
    expect(await refusal({ FIREBASE_SERVICE_ACCOUNT_PATH: folder.path })).toMatch(/EISDIR/);
  });

  test.each<[string, string, RegExp]>([
    ['no JSON', `{"private_key": "${SECRET}"`, /must hold JSON/],
    ['null', 'null', /client_email and private_key/],
    ['a list', `["${SECRET}"]`, /client_email and private_key/],
    ['a text', `"${SECRET}"`, /client_email and private_key/],
    ['no email', JSON.stringify({ ...account, client_email: undefined }), /client_email and private_key/],
    ['wrong types', JSON.stringify({ ...account, private_key: { key: SECRET } }), /client_email and private_key/],
    ['no key', JSON.stringify({ ...account, private_key: '' }), /client_email and private_key/],
    ['a key that is no PEM', JSON.stringify({ ...account, private_key: SECRET }), /no RSA key/],
    ['a key of another kind', JSON.stringify({ ...account, private_key: pem('ed25519') }), /no RSA key/],
    ['a token_uri that is no URL', JSON.stringify({ ...account, token_uri: SECRET }), /token_uri/],
    ['a token_uri that is no web address', JSON.stringify({ ...account, token_uri: 'file:///etc' }), /token_uri/],
  ])('%s', async (_name, text, reason) => {
    for (const env of [{ FIREBASE_SERVICE_ACCOUNT_JSON: text }, { FIREBASE_SERVICE_ACCOUNT_PATH: file(text) }]) {
      const message = await refusal(env);
      expect(message).toMatch(reason);
      expect(message.startsWith(Object.keys(env)[0] as string)).toBe(true);
    }
  });
});
