import { randomBytes } from 'node:crypto';
import { type AuthMessage, PrivateKey, SimplifiedFetchTransport } from '@bsv/sdk';
import { createAuthenticator, type IssuedSession } from '../src/authenticator.js';
import { loadCurve } from '../src/curve/load-curve.js';
import { AuthError } from '../src/errors.js';
import { parseAuthHeaders } from '../src/http/auth-headers.js';
import { encodeRequestPayloadHead } from '../src/http/request-payload.js';
import { encodeResponsePayloadHead } from '../src/http/response-payload.js';
import { SdkClient, signWithSdk, verifyWithSdk } from './support/sdk-client.js';
import { SEED, SeededRandom } from './support/seeded-random.js';

const ROUNDS = 500;
const ORIGIN = 'http://box.example';
const TOKEN = "abcdefghijklmnopqrstuvwxyz0123456789-_.!#$%&'*+^`|~";
const VALUE = 'abcXYZ019 ,;:="\'{}[]()/\\<>@?%&+-_.~!#$^*|`éÿß';
const TEXT = 'abcXYZ019 \n\t"\'{}\\/éß€汉字😀\u0000';
const PATH = "abcXYZ019-_.~!$&'()*+,;=:@/%20%C3%A9é€ ";

const random = new SeededRandom(SEED);
const client = new SdkClient(new PrivateKey(random.bytes(32).toString('hex'), 16));
const authenticator = createAuthenticator({ privateKey: Buffer.alloc(32, 7), curve: loadCurve() });
const { session } = authenticator.answerHandshake({
  version: '0.1',
  messageType: 'initialRequest',
  identityKey: client.identityKey,
  initialNonce: randomBytes(48).toString('base64'),
});

/** A request as it is sent. */
interface Wire {
  method: string;
  url: string;
  rawHeaders: string[];
  body: Buffer;
}

/** Verifies a request in the steps of the middleware. */
function verify({ method, url, rawHeaders, body }: Wire): IssuedSession {
  const headers = parseAuthHeaders(rawHeaders);
  const opened = authenticator.verifySessionNonce(headers.yourNonce, headers.identityKey);
  const head = encodeRequestPayloadHead({
    requestId: headers.requestId,
    method,
    url,
    rawHeaders,
    bodyBytes: body.length,
  });
  authenticator.verifyGeneral(opened, headers.nonce, Buffer.concat([head, body]), headers.signature);
  return opened;
}

function randomHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  const spell = (name: string) => (random.chance(0.3) ? name.toUpperCase() : name);
  for (let i = random.below(5); i > 0; i--) {
    headers[spell(`x-bsv-x${random.text(TOKEN, 1 + random.below(12))}`)] = random.text(VALUE, random.below(40)).trim();
  }
  if (random.chance(0.3)) headers[spell('authorization')] = `Bearer ${random.text('abc123', 20)}`;
  return headers;
}

/** A random call that an application could make with AuthFetch. */
function randomCall() {
  const method = random.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);
  const url = new URL(`${ORIGIN}/`);
  url.pathname = random.text(PATH, random.below(30));
  if (random.chance(0.5)) url.search = random.text(`${PATH}?&&==`, random.below(40));
  const headers = randomHeaders();
  let body: unknown;
  if (method !== 'GET' && method !== 'HEAD' && random.chance(0.8)) {
    const type = random.pick([
      'application/json',
      'application/json; charset=utf-8',
      'Application/JSON;Charset="UTF-8"',
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/octet-stream',
    ]);
    headers[random.pick(['content-type', 'Content-Type'])] = type;
    const text = random.text(TEXT, random.below(300));
    body = random.pick<unknown>([text, { text, list: [1, 2, { nested: text }] }, '', undefined]);
  }
  return { method, url: url.href, headers, body };
}

/** Sends one call through the SDK's code, captures the request before it is sent, and passes `answer` back to the SDK. */
async function sendThroughSdk(call: ReturnType<typeof randomCall>, answer: Response) {
  const nonce = randomBytes(32).toString('base64');
  const payload = await client.payload(call.method, call.url, call.headers, call.body, randomBytes(32));
  const keyID = `${nonce} ${session.nonce}`;
  const message: AuthMessage = {
    version: '0.1',
    messageType: 'general',
    identityKey: client.identityKey,
    nonce,
    yourNonce: session.nonce,
    payload,
    signature: await signWithSdk(client.wallet, payload, keyID, authenticator.identityKey),
  };
  let request: Request | undefined;
  let received: AuthMessage | undefined;
  const transport = new SimplifiedFetchTransport(ORIGIN, async (url, init) => {
    request = new Request(url, init);
    return answer;
  });
  await transport.onData(async (incoming) => {
    received = incoming;
  });
  await transport.send(message);
  if (!request) throw new Error('nothing was sent');
  const url = new URL(request.url);
  const wire: Wire = {
    method: request.method,
    url: url.pathname + url.search,
    rawHeaders: [...request.headers].flat(),
    body: Buffer.from(await request.arrayBuffer()),
  };
  return { wire, received };
}

function randomAnswer() {
  const status = random.pick([200, 201, 204, 304, 400, 401, 404, 429, 500, 599]);
  const isBodiless = status === 204 || status === 304;
  const body = isBodiless || random.chance(0.2) ? Buffer.alloc(0) : random.bytes(random.below(400));
  const headers = randomHeaders();
  const requestId = random.bytes(32);
  const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const signed = { ...lowerCase, 'content-type': 'x/y' };
  const head = encodeResponsePayloadHead({ requestId, status, headers: signed, bodyBytes: body.length });
  const { nonce, signature } = authenticator.signGeneral(session, Buffer.concat([head, body]));
  const response = new Response(isBodiless ? null : body, {
    status,
    headers: {
      ...lowerCase,
      'content-type': 'x/y',
      'x-bsv-auth-version': '0.1',
      'x-bsv-auth-identity-key': authenticator.identityKey,
      'x-bsv-auth-nonce': nonce,
      'x-bsv-auth-your-nonce': session.clientNonce,
      'x-bsv-auth-signature': Buffer.from(signature).toString('hex'),
      'x-bsv-auth-request-id': requestId.toString('base64'),
    },
  });
  return { status, response };
}

const label = (round: number, detail: unknown) => `round ${round} of BRC103_SEED=${SEED}: ${JSON.stringify(detail)}`;
const samples: Wire[] = [];

test(`${ROUNDS} requests of the SDK verify, and the SDK verifies ${ROUNDS} signed responses`, async () => {
  const failures: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const call = randomCall();
    const { status, response } = randomAnswer();
    const { wire, received } = await sendThroughSdk(call, response);
    try {
      expect(verify(wire).identityKey).toBe(client.identityKey);
      samples.push(wire);
    } catch (error) {
      failures.push(label(round, { error: String(error), call, wire }));
    }
    const keyID = `${received?.nonce} ${session.clientNonce}`;
    const [data, signature] = [received?.payload ?? [], received?.signature ?? []];
    if (!(await verifyWithSdk(client.wallet, data, signature, keyID, authenticator.identityKey))) {
      failures.push(label(round, { status, answer: [...response.headers] }));
    }
  }
  expect(failures).toEqual([]);
}, 120_000);

type Mutation = (wire: Wire) => void;
const headerAt = (wire: Wire, name: string) => {
  for (let i = 0; i < wire.rawHeaders.length; i += 2) if (wire.rawHeaders[i] === name) return i + 1;
  throw new Error(`no header ${name}`);
};
/** Replaces one character by another one. */
const changeText = (text: string, alphabet: string, from = 0): string => {
  const at = from + random.below(text.length - from);
  const others = [...alphabet].filter((character) => character !== text[at]);
  return text.slice(0, at) + others[random.below(others.length)] + text.slice(at + 1);
};
const changeHeader =
  (name: string, alphabet: string): Mutation =>
  (wire) => {
    const at = headerAt(wire, name);
    wire.rawHeaders[at] = changeText(wire.rawHeaders[at] ?? '', alphabet);
  };
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const HEX = '0123456789abcdef';

const mutations: readonly [[string, Mutation], ...[string, Mutation][]] = [
  ['method', (wire) => (wire.method = wire.method === 'POST' ? 'PUT' : 'POST')],
  [
    'path',
    (wire) => {
      const searchAt = wire.url.indexOf('?');
      const path = searchAt < 0 ? wire.url : wire.url.slice(0, searchAt);
      wire.url =
        (random.chance(0.5) && path.length > 1 ? changeText(path, 'abc/.%', 1) : `${path}x`) +
        wire.url.slice(path.length);
    },
  ],
  ['path under another spelling', (wire) => (wire.url = `/.${wire.url}`)],
  [
    'query',
    (wire) => {
      const searchAt = wire.url.indexOf('?');
      wire.url = searchAt < 0 ? `${wire.url}?` : random.chance(0.5) ? wire.url.slice(0, searchAt) : `${wire.url}&`;
    },
  ],
  ['query boundary', (wire) => (wire.url = wire.url.includes('?') ? wire.url.replace('?', '%3F') : `${wire.url}?a=1`)],
  ['another header', (wire) => wire.rawHeaders.push('X-BSV-added', random.text('abc', random.below(4)))],
  [
    'an authorization',
    (wire) => {
      if (wire.rawHeaders.includes('authorization')) changeHeader('authorization', 'xyz')(wire);
      else wire.rawHeaders.push('Authorization', '');
    },
  ],
  [
    'a content-type',
    (wire) => {
      if (wire.rawHeaders.includes('content-type')) wire.rawHeaders[headerAt(wire, 'content-type')] = 'text/html';
      else wire.rawHeaders.push('Content-Type', 'text/html');
    },
  ],
  [
    'body',
    (wire) => {
      const kind = random.below(5);
      if (wire.body.length === 0 || kind === 0) wire.body = Buffer.concat([wire.body, Buffer.of(random.below(256))]);
      else if (kind === 1) wire.body = wire.body.subarray(1);
      else {
        const at = random.below(wire.body.length);
        wire.body[at] = (wire.body[at] ?? 0) ^ (1 << random.below(8));
      }
    },
  ],
  ['nonce', changeHeader('x-bsv-auth-nonce', BASE64)],
  ['your-nonce', changeHeader('x-bsv-auth-your-nonce', BASE64)],
  [
    'another session of the same client',
    (wire) => {
      wire.rawHeaders[headerAt(wire, 'x-bsv-auth-your-nonce')] = authenticator.mintSession(client.identityKey).nonce;
    },
  ],
  ['signature', changeHeader('x-bsv-auth-signature', `${HEX}ABCDEF`)],
  ['request-id', changeHeader('x-bsv-auth-request-id', BASE64)],
  ['identity', changeHeader('x-bsv-auth-identity-key', HEX)],
  [
    'another client',
    (wire) => {
      wire.rawHeaders[headerAt(wire, 'x-bsv-auth-identity-key')] = authenticator.identityKey;
    },
  ],
  ['version', changeHeader('x-bsv-auth-version', '0123.')],
  [
    'a missing auth header',
    (wire) => {
      const name = `x-bsv-auth-${random.pick(['version', 'identity-key', 'nonce', 'your-nonce', 'signature', 'request-id'])}`;
      wire.rawHeaders.splice(headerAt(wire, name) - 1, 2);
    },
  ],
  [
    'a doubled header',
    (wire) => {
      const at = random.below(wire.rawHeaders.length / 2) * 2;
      wire.rawHeaders.push(...wire.rawHeaders.slice(at, at + 2));
    },
  ],
  [
    'a changed custom header',
    (wire) => {
      const custom = wire.rawHeaders.findIndex((name, i) => i % 2 === 0 && /^x-bsv-x/.test(name));
      const kind = random.below(3);
      if (custom < 0) wire.rawHeaders.push('x-bsv-x', '');
      else if (kind === 0) wire.rawHeaders.splice(custom, 2);
      else if (kind === 1) wire.rawHeaders[custom] += 'x';
      else wire.rawHeaders[custom + 1] += 'x';
    },
  ],
];

test(`${ROUNDS} requests with one changed part are refused with an AuthError`, () => {
  const failures: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const original = samples[round % samples.length];
    if (!original) throw new Error('the first test creates the samples');
    const wire = { ...original, rawHeaders: [...original.rawHeaders], body: Buffer.from(original.body) };
    const [name, mutate] = mutations[round % mutations.length] ?? mutations[0];
    mutate(wire);
    try {
      verify(wire);
      failures.push(label(round, { accepted: name, original, wire }));
    } catch (error) {
      if (!(error instanceof AuthError)) failures.push(label(round, { error: String(error), name, wire }));
    }
    expect(verify(original).identityKey).toBe(client.identityKey);
  }
  expect(failures).toEqual([]);
});
