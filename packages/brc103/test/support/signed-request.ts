import { randomBytes } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { InitialResponse } from '../../src/authenticator.js';
import { type PlainResponse, type SdkClient, sendPlainRequest, signWithSdk, verifyWithSdk } from './sdk-client.js';

export function createInitialRequest(client: SdkClient): Record<string, unknown> {
  return {
    version: '0.1',
    messageType: 'initialRequest',
    identityKey: client.identityKey,
    initialNonce: randomBytes(48).toString('base64'),
    requestedCertificates: { certifiers: [], types: {} },
  };
}

/** Makes a handshake over HTTP. */
export async function shakeHands(url: string, client: SdkClient): Promise<InitialResponse> {
  const options = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const { text } = await sendPlainRequest(
    `${url}/.well-known/auth`,
    options,
    JSON.stringify(createInitialRequest(client)),
  );
  return JSON.parse(text) as InitialResponse;
}

/** A request that the SDK has signed. Tests can change it before they send it. */
export interface SignedRequest {
  url: string;
  path: string;
  method: string;
  headers: OutgoingHttpHeaders;
  body: string | Uint8Array | undefined;
}

export interface SignedRequestOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export async function signRequest(
  url: string,
  client: SdkClient,
  handshake: InitialResponse,
  {
    method = 'POST',
    path = '/echo?a=1',
    headers = { 'content-type': 'application/json' },
    body = '{"a":1}',
  }: SignedRequestOptions = {},
): Promise<SignedRequest> {
  const requestId = randomBytes(32);
  const nonce = randomBytes(32).toString('base64');
  const payload = await client.payload(method, url + path, headers, body, requestId);
  const keyID = `${nonce} ${handshake.initialNonce}`;
  const signature = await signWithSdk(client.wallet, payload, keyID, handshake.identityKey);
  return {
    url,
    path,
    method,
    headers: {
      ...headers,
      'x-bsv-auth-version': '0.1',
      'x-bsv-auth-identity-key': client.identityKey,
      'x-bsv-auth-nonce': nonce,
      'x-bsv-auth-your-nonce': handshake.initialNonce,
      'x-bsv-auth-signature': Buffer.from(signature).toString('hex'),
      'x-bsv-auth-request-id': requestId.toString('base64'),
    },
    body: body === '' ? undefined : body,
  };
}

export function sendSignedRequest({ url, path, method, headers, body }: SignedRequest): Promise<PlainResponse> {
  const { hostname, port } = new URL(url);
  return sendPlainRequest(url, { hostname, port, path, method, headers }, body);
}

/** Whether the server of `handshake` has signed a JSON response without custom headers for this request. */
export async function isSignedResponse(
  client: SdkClient,
  handshake: InitialResponse,
  request: SignedRequest,
  response: PlainResponse,
): Promise<boolean> {
  const header = (name: string) => String(response.headers[`x-bsv-auth-${name}`]);
  if (header('request-id') !== request.headers['x-bsv-auth-request-id']) return false;
  const body = Buffer.from(response.text);
  // Request id, status (three bytes from 253 on), no headers, length of the body (below 253), body.
  const statusBytes = response.status < 253 ? [response.status] : [0xfd, response.status & 0xff, response.status >> 8];
  const payload = [...Buffer.from(header('request-id'), 'base64'), ...statusBytes, 0, body.length, ...body];
  const signature = [...Buffer.from(header('signature'), 'hex')];
  const keyID = `${header('nonce')} ${handshake.yourNonce}`;
  return verifyWithSdk(client.wallet, payload, signature, keyID, handshake.identityKey);
}
