import type { Header, HttpAnswer, HttpExchange } from '../observe/traffic.js';
import { parseJson, readAuthMessage } from '../wire/auth-message.js';
import { decodeUtf8, fromBase64 } from '../wire/bytes.js';
import { serialiseAnswer, serialiseRequest } from '../wire/serialise-request.js';
import { readHexHeader } from './check-signature.js';
import { explainEncryption, findEncryptedBodies } from './explain-encryption.js';
import { explainInitialRequest, explainInitialResponse } from './explain-handshake.js';
import { explainMessageId } from './explain-message-id.js';
import { explainNonceCheck } from './explain-nonce.js';
import { type ExplainSources, explainSignature } from './explain-signature.js';
import { code, type Explanation, type Fact, type Step, text } from './steps.js';

const HANDSHAKE_PATH = '/.well-known/auth';

/** Whether a request is the handshake of BRC-104. */
export const isHttpHandshake = ({ url }: HttpExchange): boolean => new URL(url).pathname === HANDSHAKE_PATH;

/** The value of an auth header of BRC-104, such as `nonce`. */
export function readAuthHeader(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([header]) => header.toLowerCase() === `x-bsv-auth-${name}`)?.[1];
}

/** Explains a request and its answer. */
export async function explainHttp(exchange: HttpExchange, sources: ExplainSources): Promise<Explanation> {
  if (isHttpHandshake(exchange)) return explainHandshake(exchange, sources);
  const isSigned = readAuthHeader(exchange.requestHeaders, 'signature') !== undefined;
  if (!isSigned) {
    return {
      summary: 'A request without authentication.',
      steps: [
        {
          title: 'Nothing is signed',
          text: 'This request names no identity, and neither does the answer: no header x-bsv-auth-signature was sent. Public routes, such as health checks and overlay look-ups, work this way.',
          facts: describeOutcome(exchange),
          verified: undefined,
        },
      ],
    };
  }
  return {
    summary:
      'A request that names you and that only you could have signed, and an answer that only the server could have signed (BRC-104).',
    steps: [...(await explainRequest(exchange, sources)), ...(await explainAnswer(exchange, sources))],
  };
}

async function explainHandshake(exchange: HttpExchange, sources: ExplainSources): Promise<Explanation> {
  const request = readAuthMessage(parseJson(decodeUtf8(exchange.requestBody?.bytes ?? new Uint8Array())));
  const body = exchange.answer?.body;
  const response = body && readAuthMessage(parseJson(decodeUtf8(body.bytes)));
  const steps: Step[] = [];
  if (request?.messageType === 'initialRequest') steps.push(...(await explainInitialRequest(request, 'own', sources)));
  if (response?.messageType === 'initialResponse') {
    steps.push(...(await explainInitialResponse(response, 'peer', request?.identityKey, sources)));
  } else {
    steps.push({
      title: 'The handshake did not succeed',
      text: 'The answer is no initialResponse, so there is no session.',
      facts: describeOutcome(exchange),
      verified: exchange.answer === undefined && exchange.failure === undefined ? undefined : false,
    });
  }
  return { summary: 'The handshake: two parties learn each other’s identity and begin a session (BRC-103).', steps };
}

async function explainRequest(exchange: HttpExchange, sources: ExplainSources): Promise<Step[]> {
  const { requestHeaders, requestBody } = exchange;
  const header = (name: string) => readAuthHeader(requestHeaders, name) ?? '';
  const requestId = fromBase64(header('request-id')) ?? new Uint8Array();
  const json = parseJson(decodeUtf8(requestBody?.bytes ?? new Uint8Array()));
  const ownKey = header('identity-key');
  const data = serialiseRequest({ ...exchange, requestId, headers: requestHeaders, body: requestBody });
  return [
    ...explainMessageId(json, sources),
    ...(await explainEncryption(findEncryptedBodies(json), 'sent', ownKey, sources)),
    {
      title: 'The request is written as bytes',
      text: 'What is signed must be the same for both sides, byte for byte: the request id, method, path, search, the headers that matter, and the body (BRC-104). Lengths stand before each part, so that no part can be taken for another. Other headers are not covered.',
      facts: [
        code('Method and path', `${exchange.method} ${new URL(exchange.url).pathname}${new URL(exchange.url).search}`),
        code('Request id', header('request-id')),
        text('Length', `${data.bytes.length + data.missingBytes} bytes`),
      ],
      bytes: [{ title: 'Request as it is signed', content: data }],
      verified: undefined,
    },
    ...(await explainSignature(
      {
        subject: 'the request',
        data,
        signature: readHexHeader(header('signature')),
        keyID: `${header('nonce')} ${header('your-nonce')}`,
        keyIDParts: 'nonce of this request, session nonce of the server',
        signer: 'own',
        ownKey,
        peerKey:
          sources.calls.find('createSignature', readHexHeader(header('signature')))[0]?.counterparty ??
          readAuthHeader(exchange.answer?.headers ?? [], 'identity-key'),
      },
      sources,
    )),
    {
      title: 'The headers of BRC-104 are added',
      text: 'They carry what the server needs to verify the request: who you are, both nonces, the request id and the signature.',
      facts: requestHeaders
        .filter(([name]) => name.toLowerCase().startsWith('x-bsv-auth'))
        .map(([name, value]) => code(name.toLowerCase(), value)),
      verified: undefined,
    },
  ];
}

async function explainAnswer(exchange: HttpExchange, sources: ExplainSources): Promise<Step[]> {
  const { answer, requestHeaders } = exchange;
  if (answer === undefined || answer.body === undefined) {
    const facts = describeOutcome(exchange);
    const isFailed = exchange.failure !== undefined;
    return [
      {
        title: isFailed ? 'There is no answer' : 'The answer has not arrived yet',
        text: isFailed ? 'The request failed before an answer came.' : 'The server has not answered yet.',
        facts,
        verified: isFailed ? false : undefined,
      },
    ];
  }
  const header = (name: string) => readAuthHeader(answer.headers, name);
  const signature = header('signature');
  if (signature === undefined) return [explainUnsigned(exchange, answer)];

  const requestId = header('request-id') ?? '';
  const isSameRequest = requestId === readAuthHeader(requestHeaders, 'request-id');
  const data = serialiseAnswer({
    requestId: fromBase64(requestId) ?? new Uint8Array(),
    status: answer.status,
    headers: answer.headers,
    body: answer.body,
  });
  const ownKey = readAuthHeader(requestHeaders, 'identity-key');
  const yourNonce = header('your-nonce') ?? '';
  return [
    {
      title: 'The server answers',
      text: 'The answer is written as bytes in the same way: the id of your request, the status, the headers that matter, and the body. An answer to another request would have another id.',
      facts: [
        ...describeOutcome(exchange),
        code('Identity of the server', header('identity-key') ?? ''),
        code('Request id', requestId),
        text('Same request id', isSameRequest ? 'Yes' : 'No: this is the answer to another request.'),
      ],
      bytes: [{ title: 'Answer as it is signed', content: data }],
      verified: isSameRequest,
    },
    explainNonceCheck(yourNonce, sources),
    ...(await explainSignature(
      {
        subject: 'the answer',
        data,
        signature: readHexHeader(signature),
        keyID: `${header('nonce') ?? ''} ${yourNonce}`,
        keyIDParts: 'nonce of this answer, your session nonce',
        signer: 'peer',
        ownKey,
        peerKey: header('identity-key'),
      },
      sources,
    )),
    ...(await explainEncryption(
      findEncryptedBodies(parseJson(decodeUtf8(answer.body.bytes))),
      'received',
      ownKey,
      sources,
    )),
  ];
}

function explainUnsigned(exchange: HttpExchange, answer: HttpAnswer): Step {
  const facts = describeOutcome(exchange);
  if (answer.status === 401) {
    return {
      title: 'The server does not accept the session',
      text: 'The answer is not signed, because there is no session to sign it in. The client makes a new handshake and sends the request again.',
      facts,
      verified: false,
    };
  }
  return {
    title: 'The answer is not signed',
    text: 'Nothing proves that the server sent it. The client does not use it.',
    facts,
    verified: false,
  };
}

function describeOutcome({ answer, failure, at }: HttpExchange): Fact[] {
  if (failure !== undefined) return [text('Failure', failure)];
  if (answer === undefined) return [text('Status', 'no answer yet')];
  return [
    text('Status', `${answer.status} ${answer.statusText}`.trim()),
    text('Time until the answer', `${answer.at - at} ms`),
  ];
}
