import { createVerify, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request to send, as the server got it. */
export interface ReceivedPush {
  readonly token: string;
  readonly message: Record<string, unknown>;
  /** The trace that the server handed on. */
  readonly traceparent: string | undefined;
  readonly at: number;
}

export interface FcmAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** An object is answered as JSON. */
  readonly body?: unknown;
}

/**
 * A stand-in for Google on loopback: its token endpoint (RFC 7523, checking the signed assertion) and FCM HTTP v1. The
 * server accepts only access tokens that it has issued itself, and only texts as data.
 */
export interface FcmServer {
  readonly url: string;
  readonly projectId: string;
  /** The service account's key file, as JSON; its token_uri is this server's. */
  readonly accountJson: string;
  /** Pushes that arrived at `messages:send` with a valid access token. */
  readonly received: readonly ReceivedPush[];
  /** Assertions that came to the token endpoint. */
  readonly tokenRequests: number;
  /** The most requests to send at once so far. */
  readonly maxConcurrent: number;
  /** The answer to a push; undefined: success. */
  answer: (push: ReceivedPush) => FcmAnswer | undefined | Promise<FcmAnswer | undefined>;
  /** The answer to a valid assertion; undefined: a token. */
  answerToken: () => FcmAnswer | undefined;
  /** Access tokens given out so far are no longer taken. */
  revokeTokens(): void;
  /** Resolves when this many pushes have come. */
  waitUntilReceived(count: number): Promise<void>;
  close(): Promise<void>;
}

/** FCM's answer for a device token that is no longer registered. */
export const UNREGISTERED_ANSWER: FcmAnswer = createFcmError(
  404,
  'NOT_FOUND',
  'Requested entity was not found.',
  'UNREGISTERED',
);

/** FCM's answer when it throttles the project, or the device that the answer names. */
export function createThrottledAnswer(of?: 'device', retryAfter?: number): FcmAnswer {
  const answer = createFcmError(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded.', 'QUOTA_EXCEEDED');
  const { error } = answer.body as { error: { details: object[] } };
  if (of !== undefined) {
    error.details.push({
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ subject: `${of}:some-token`, description: 'Device message rate exceeded' }],
    });
  }
  return { ...answer, headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) } };
}

/** An error in the format of FCM. */
export function createFcmError(status: number, name: string, message: string, errorCode?: string): FcmAnswer {
  const details = [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }];
  return { status, body: { error: { code: status, message, status: name, ...(errorCode ? { details } : {}) } } };
}

export async function startFcmServer(projectId = 'test-project'): Promise<FcmServer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const email = `pusher@${projectId}.iam.gserviceaccount.com`;
  const received: ReceivedPush[] = [];
  const waiting = new Set<() => void>();
  let accessTokens = new Set<string>();
  let tokenRequests = 0;
  let atOnce = 0;
  let mostAtOnce = 0;

  const http = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const tokenUri = `${url}/token`;

  const server: FcmServer = {
    url,
    projectId,
    accountJson: JSON.stringify({
      type: 'service_account',
      project_id: projectId,
      private_key_id: 'key-1',
      private_key: privateKey,
      client_email: email,
      token_uri: tokenUri,
    }),
    received,
    get tokenRequests() {
      return tokenRequests;
    },
    get maxConcurrent() {
      return mostAtOnce;
    },
    answer: () => undefined,
    answerToken: () => undefined,
    revokeTokens() {
      accessTokens = new Set();
    },
    async waitUntilReceived(count) {
      if (received.length >= count) return;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`${received.length} of ${count} pushes came within 30 s`)),
          30_000,
        );
        const look = () => {
          if (received.length < count) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
    },
    async close() {
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readRequestBody(request);
    if (request.method === 'POST' && request.url === '/token') return sendReply(response, giveToken(body));
    if (request.method === 'POST' && request.url === `/v1/projects/${projectId}/messages:send`) {
      if (!accessTokens.has(request.headers.authorization?.replace(/^Bearer /, '') ?? '')) {
        return sendReply(
          response,
          createFcmError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
        );
      }
      const { message } = JSON.parse(body) as { message: Record<string, unknown> };
      if (!hasTextsOnly(message['data'])) {
        return sendReply(response, createFcmError(400, 'INVALID_ARGUMENT', 'Invalid value at message.data'));
      }
      const traceparent = request.headers['traceparent']?.toString();
      const push = { token: String(message['token']), message, traceparent, at: Date.now() };
      received.push(push);
      for (const look of [...waiting]) look();
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      try {
        const taken = { status: 200, body: { name: `projects/${projectId}/messages/${randomUUID()}` } };
        sendReply(response, (await server.answer(push)) ?? taken);
      } finally {
        atOnce -= 1;
      }
      return;
    }
    sendReply(response, { status: 404, body: '<html>Not here.</html>' });
  }

  function giveToken(body: string): FcmAnswer {
    tokenRequests += 1;
    const form = new URLSearchParams(body);
    const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    const proven = createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url');
    const { iss, aud, scope, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString() || '{}');
    const good =
      proven &&
      form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
      iss === email &&
      aud === tokenUri &&
      scope === 'https://www.googleapis.com/auth/firebase.messaging' &&
      exp > Date.now() / 1000;
    if (!good) return { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } };
    const answer = server.answerToken();
    if (answer !== undefined) return answer;
    const token = randomUUID();
    accessTokens.add(token);
    return { status: 200, body: { access_token: token, expires_in: 3600, token_type: 'Bearer' } };
  }

  return server;
}

/** FCM takes a map of strings to strings as data. */
function hasTextsOnly(data: unknown): boolean {
  if (data === undefined) return true;
  if (typeof data !== 'object' || data === null) return false;
  return Object.values(data).every((value) => typeof value === 'string');
}

async function readRequestBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function sendReply(response: ServerResponse, { status, headers = {}, body = '' }: FcmAnswer): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'Content-Type': isText ? 'text/html' : 'application/json', ...headers });
  response.end(isText ? body : JSON.stringify(body));
}
