import { createDecipheriv, createECDH, createPublicKey, type ECDH, hkdfSync, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createThrowawayAuthority, type ThrowawayAuthority } from './throwaway-authority.js';

/** A browser's subscription, as it is registered. */
export interface Subscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

/** A push that was signed and encrypted as it must be. */
export interface ReceivedWebPush {
  readonly endpoint: string;
  /** The decrypted bytes, as text. */
  readonly text: string;
  /** That text as JSON. */
  readonly payload: Record<string, unknown>;
  readonly ttl: number;
  readonly topic: string | undefined;
  readonly urgency: string | undefined;
  /** The public key and the claims of the server that pushes. */
  readonly vapid: { readonly key: string; readonly subject: string };
  readonly at: number;
}

export interface WebPushAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/**
 * A push service on loopback, over https: RFC 8030 for servers. It checks the signature of the server (RFC 8292) and decrypts
 * what browsers would (RFC 8291), without the library that the server uses.
 */
export interface WebPushService {
  /** `https://localhost:PORT`. */
  readonly origin: string;
  /** The certificate authority, in PEM. */
  readonly certificateAuthority: string;
  /** Pushes that were signed and encrypted as they must be. */
  readonly received: readonly ReceivedWebPush[];
  /** Why other requests were refused. */
  readonly refused: readonly string[];
  /** Requests that have not been answered. */
  readonly openRequests: number;
  /** The most such requests so far. */
  readonly maxConcurrent: number;
  /** Subscribes a browser. @param applicationServerKey the only server that may push to it; undefined: any */
  subscribe(applicationServerKey?: string): Subscription;
  /** The answer to a push; undefined: success. */
  answer: (push: ReceivedWebPush) => WebPushAnswer | undefined | Promise<WebPushAnswer | undefined>;
  /** Resolves when this many pushes have come. */
  waitUntilReceived(count: number): Promise<void>;
  close(): Promise<void>;
}

interface Browser {
  readonly ecdh: ECDH;
  readonly auth: Buffer;
  readonly applicationServerKey: string | undefined;
}

/** A request that no push service accepts. */
class BadPushError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const RECORD_HEADER_BYTES = 21;
const TAG_BYTES = 16;
const MAX_BYTES = 4_096;
const DAY_SECONDS = 86_400;

export async function startWebPushService(
  authority: ThrowawayAuthority = createThrowawayAuthority(),
): Promise<WebPushService> {
  const browsers = new Map<string, Browser>();
  const received: ReceivedWebPush[] = [];
  const refused: string[] = [];
  const waiting = new Set<() => void>();
  let openRequests = 0;
  let maxConcurrent = 0;

  const https = createServer(authority.issue('localhost', '127.0.0.1'), (request, response) => {
    openRequests += 1;
    maxConcurrent = Math.max(maxConcurrent, openRequests);
    response.on('close', () => {
      openRequests -= 1;
    });
    handle(request, response).catch((error: unknown) => {
      refused.push(error instanceof Error ? error.message : String(error));
      response.writeHead(error instanceof BadPushError ? error.status : 500).end();
    });
  });
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  const origin = `https://localhost:${(https.address() as AddressInfo).port}`;

  const service: WebPushService = {
    origin,
    certificateAuthority: authority.certificate,
    received,
    refused,
    get openRequests() {
      return openRequests;
    },
    get maxConcurrent() {
      return maxConcurrent;
    },
    subscribe(applicationServerKey) {
      const ecdh = createECDH('prime256v1');
      ecdh.generateKeys();
      const auth = randomBytes(16);
      const endpoint = `${origin}/push/${randomBytes(12).toString('base64url')}`;
      browsers.set(endpoint, { ecdh, auth, applicationServerKey });
      return {
        endpoint,
        keys: { p256dh: ecdh.getPublicKey('base64url', 'uncompressed'), auth: auth.toString('base64url') },
      };
    },
    answer: () => undefined,
    async waitUntilReceived(count) {
      if (received.length >= count) return;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`${received.length} of ${count} pushes came within 30 s; refused: ${refused.join('; ')}`));
        }, 30_000);
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
      const closed = once(https, 'close');
      https.close();
      https.closeAllConnections();
      await closed;
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (request.method !== 'POST') throw new BadPushError(405, `the method was ${request.method}`);
    const endpoint = `${origin}${request.url}`;
    const browser = browsers.get(endpoint);
    if (browser === undefined) throw new BadPushError(404, 'the endpoint is unknown');
    const push = readPush(endpoint, browser, request, body);
    received.push(push);
    for (const look of [...waiting]) look();
    const { status, headers, body: text } = (await service.answer(push)) ?? { status: 201 };
    response.writeHead(status, { location: `${origin}/message/1`, ...headers }).end(text);
  }

  function readPush(endpoint: string, browser: Browser, { headers }: IncomingMessage, body: Buffer): ReceivedWebPush {
    const { ttl, topic, urgency } = headers;
    if (typeof ttl !== 'string' || !/^\d{1,10}$/.test(ttl)) throw new BadPushError(400, 'there is no TTL');
    if (topic !== undefined && !/^[\w-]{1,32}$/.test(String(topic))) throw new BadPushError(400, 'the topic is bad');
    if (headers['content-encoding'] !== 'aes128gcm') throw new BadPushError(415, 'the encoding is not aes128gcm');
    if (body.length > MAX_BYTES) throw new BadPushError(413, `the body has ${body.length} bytes`);
    const vapid = checkVapid(headers.authorization, origin, browser.applicationServerKey);
    const text = decrypt(browser, body).toString();
    return {
      endpoint,
      text,
      payload: JSON.parse(text) as Record<string, unknown>,
      ttl: Number(ttl),
      topic: topic?.toString(),
      urgency: urgency?.toString(),
      vapid,
      at: Date.now(),
    };
  }

  return service;
}

/** Checks who pushes (RFC 8292). */
function checkVapid(header: string | undefined, origin: string, expectedKey: string | undefined) {
  const [, token = '', key = ''] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(header ?? '') ?? [];
  const [head = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  if (point.length !== 65) throw new BadPushError(401, 'there is no VAPID key');
  if (expectedKey !== undefined && key !== expectedKey) throw new BadPushError(403, 'the VAPID key is another one');
  const publicKey = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!isSigned) throw new BadPushError(403, 'the VAPID signature is wrong');
  const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg?: unknown };
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
  const now = Date.now() / 1_000;
  const isGood =
    alg === 'ES256' &&
    aud === origin &&
    Number(exp) > now &&
    Number(exp) <= now + DAY_SECONDS &&
    typeof sub === 'string';
  if (!isGood) throw new BadPushError(403, `the VAPID claims are wrong: aud is ${String(aud)}`);
  return { key, subject: String(sub) };
}

/** Decrypts as a browser does: aes128gcm (RFC 8188) with the keys of RFC 8291. One record. */
function decrypt({ ecdh, auth }: Browser, body: Buffer): Buffer {
  const salt = body.subarray(0, 16);
  const keyLength = body[20] ?? 0;
  const sender = body.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + keyLength);
  const record = body.subarray(RECORD_HEADER_BYTES + keyLength);
  const derive = (secret: Buffer, from: Buffer, info: Buffer, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, from, info, length));
  const keyInfo = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), sender]);
  const inputKey = derive(ecdh.computeSecret(sender), auth, keyInfo, 32);
  const contentKey = derive(inputKey, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = derive(inputKey, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
  const decipher = createDecipheriv('aes-128-gcm', contentKey, nonce);
  decipher.setAuthTag(record.subarray(-TAG_BYTES));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -TAG_BYTES)), decipher.final()]);
  const end = padded.lastIndexOf(2);
  if (end < 0) throw new BadPushError(400, 'the padding is wrong');
  return padded.subarray(0, end);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
