import { MessageBoxClient } from '@bsv/message-box-client';
import { AuthFetch } from '@bsv/sdk';
import { awaitAnswer, readAnswer } from '../api/answers.js';
import { ApiError } from '../api/api-error.js';
import { serverUrl } from '../api/server-url.js';
import type { CurrentIdentity } from './current-identity.js';

// This file brings the SDK along: import it with `import()`, so that the first view does not wait for it.

const authFetches = new WeakMap<CurrentIdentity, AuthFetch>();
const messageBoxClients = new WeakMap<CurrentIdentity, MessageBoxClient>();
const refusals = new WeakMap<MessageBoxClient, ApiError>();

/** Signs requests for the identity. One for each identity, because it keeps the session with the server. */
export function getAuthFetch(identity: CurrentIdentity): AuthFetch {
  return getOrMake(authFetches, identity, () => new AuthFetch(identity.wallet));
}

/** The public client for this server. One for each identity; it has no live connection. */
export function getMessageBoxClient(identity: CurrentIdentity): MessageBoxClient {
  return getOrMake(messageBoxClients, identity, () => makeMessageBoxClient(identity));
}

/** The public client, for who needs a live connection of their own. Give it `serverUrl` as the host of each call. */
export function makeMessageBoxClient(identity: CurrentIdentity): MessageBoxClient {
  const client = new MessageBoxClient({ host: serverUrl, walletClient: identity.wallet, networkPreset: 'local' });
  const { authFetch } = client;
  const fetch = authFetch.fetch.bind(authFetch);
  // The client tells the status of a refusal, and not its reason.
  authFetch.fetch = async (url, config) => {
    try {
      const response = await awaitAnswer(fetch(url, config));
      if (!response.ok) await readAnswer(response);
      return response;
    } catch (error) {
      if (error instanceof ApiError) refusals.set(client, error);
      throw error;
    }
  };
  return client;
}

/**
 * Does something with a client, and fails with the server's own reason where there is one.
 *
 * @throws {ApiError | Error}
 */
export async function withReason<T>(
  client: MessageBoxClient,
  work: (client: MessageBoxClient) => Promise<T>,
): Promise<T> {
  refusals.delete(client);
  try {
    return await work(client);
  } catch (error) {
    throw refusals.get(client) ?? error;
  }
}

function getOrMake<T>(known: WeakMap<CurrentIdentity, T>, identity: CurrentIdentity, make: () => T): T {
  const found = known.get(identity);
  if (found !== undefined) return found;
  const made = make();
  known.set(identity, made);
  return made;
}
