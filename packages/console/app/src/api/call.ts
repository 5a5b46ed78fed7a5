import type { CurrentIdentity } from '../identity/current-identity.js';
import { awaitAnswer, readAnswer } from './answers.js';
import { serverUrl } from './server-url.js';

export { ApiError } from './api-error.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * Sends a request that the identity signs (BRC-104), and reads the JSON of the verified answer. It is typed by who knows the
 * route.
 *
 * @param path below the server's address, with its query: `/permissions/list?limit=10`
 * @throws {ApiError} for every answer that is no success, and when none comes
 */
export async function callApi(
  identity: CurrentIdentity,
  method: Method,
  path: string,
  body?: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const { getAuthFetch } = await import('../identity/clients.js');
  const content =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return readAnswer(await awaitAnswer(getAuthFetch(identity).fetch(`${serverUrl}${path}`, { method, ...content })));
}
