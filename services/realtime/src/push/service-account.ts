import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getField } from '@messagebox/messages';
import { type Config, ConfigError, parseUrl } from '@messagebox/shared';

/** The fields of a service account's key file that are needed. */
export interface ServiceAccount {
  readonly email: string;
  /** PEM. */
  readonly privateKey: string;
  readonly keyId: string | undefined;
  /** The endpoint that issues access tokens. */
  readonly tokenUri: string;
}

export interface FirebaseProject {
  readonly projectId: string;
  readonly account: ServiceAccount;
}

const TOKEN_URI = 'https://oauth2.googleapis.com/token';

/**
 * Reads and checks the settings of push.
 *
 * @throws {ConfigError} names the variable, and never contains the content of the file
 */
export async function readFirebaseProject(push: NonNullable<Config['push']>): Promise<FirebaseProject> {
  if (push.projectId === undefined) {
    throw new ConfigError([
      'FIREBASE_PROJECT_ID is missing: ENABLE_FIREBASE=true needs the id of the Firebase project',
    ]);
  }
  return { projectId: push.projectId, account: await readAccount(push) };
}

async function readAccount(push: NonNullable<Config['push']>): Promise<ServiceAccount> {
  if (push.serviceAccountJson !== undefined) {
    return parseAccount(push.serviceAccountJson, 'FIREBASE_SERVICE_ACCOUNT_JSON');
  }
  const { serviceAccountPath: path } = push;
  if (path === undefined) {
    throw new ConfigError([
      'FIREBASE_SERVICE_ACCOUNT_JSON and FIREBASE_SERVICE_ACCOUNT_PATH are missing: ENABLE_FIREBASE=true needs one of them',
    ]);
  }
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError([`FIREBASE_SERVICE_ACCOUNT_PATH names a file that can't be read (${error.code}): ${path}`]);
  });
  return parseAccount(text, 'FIREBASE_SERVICE_ACCOUNT_PATH');
}

function parseAccount(text: string, variable: string): ServiceAccount {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new ConfigError([`${variable} must hold JSON: the key file of a service account`]);
  }
  const [email, privateKey, keyId, tokenUri] = ['client_email', 'private_key', 'private_key_id', 'token_uri'].map(
    (name) => {
      const value = getField(file, name);
      return typeof value === 'string' && value !== '' ? value : undefined;
    },
  );
  if (email === undefined || privateKey === undefined) {
    throw new ConfigError([
      `${variable} must hold client_email and private_key, as the key file of a service account does`,
    ]);
  }
  if (!isRsaKey(privateKey)) throw new ConfigError([`${variable} holds a private_key that is no RSA key in PEM`]);
  if (tokenUri !== undefined && !/^https?:$/.test(parseUrl(tokenUri)?.protocol ?? '')) {
    throw new ConfigError([`${variable} holds a token_uri that is no URL`]);
  }
  return { email, privateKey, keyId, tokenUri: tokenUri ?? TOKEN_URI };
}

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
