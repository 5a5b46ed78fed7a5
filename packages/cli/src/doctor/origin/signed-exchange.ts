import { randomBytes } from 'node:crypto';
import { createNonce, Utils, type WalletInterface } from '@bsv/sdk';
import { getField, getText } from '../../client/fields.js';
import { type ExchangeAnswer, exchange } from './exchange.js';

/** A session with whatever answers at the origin. */
export interface ProbedSession {
  readonly serverKey: string;
  /** The nonce of the server: it comes back with each request. */
  readonly serverNonce: string;
  readonly clientNonce: string;
}

/** The outcome of a handshake (BRC-103). */
export type HandshakeOutcome =
  | { readonly kind: 'session'; readonly session: ProbedSession }
  /** What answers is not a MessageBox server, or its answer was changed. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly reason: 'no JSON' | 'no handshake' | 'bad signature';
    };

/** The outcome of a signed request (BRC-104). */
export type SignedOutcome =
  | { readonly kind: 'verified'; readonly status: number }
  /** The answer has no signature. */
  | { readonly kind: 'unsigned'; readonly status: number; readonly code: string; readonly text: string }
  /** The answer is signed, and the signature is not that of what arrived. */
  | { readonly kind: 'changed'; readonly status: number };

const PROTOCOL = [2, 'auth message signature'] as [2, string];
const HEADER_PREFIX = 'x-bsv-auth-';
/** A signed header of the kind that clients send: an edge that drops or merges it breaks their requests. */
const PROBE_HEADER = ['x-bsv-doctor', 'probe'] as const;

/** Makes a handshake over a connection of its own. */
export async function shakeHands(origin: string, wallet: WalletInterface, limitMs: number): Promise<HandshakeOutcome> {
  const { publicKey: identityKey } = await wallet.getPublicKey({ identityKey: true });
  const clientNonce = await createNonce(wallet);
  const requestedCertificates = { certifiers: [], types: {} };
  const answer = await exchange(
    {
      method: 'POST',
      url: `${origin}/.well-known/auth`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        version: '0.1',
        messageType: 'initialRequest',
        identityKey,
        initialNonce: clientNonce,
        requestedCertificates,
      }),
    },
    limitMs,
  );
  const { status } = answer;
  const message = parseJson(answer.body.toString('utf8'));
  if (message === undefined) return { kind: 'refused', status, reason: 'no JSON' };
  const [serverKey, serverNonce] = [getText(message, 'identityKey'), getText(message, 'initialNonce')];
  const signature = getField(message, 'signature');
  if (status !== 200 || serverKey === '' || serverNonce === '' || !Array.isArray(signature)) {
    return { kind: 'refused', status, reason: 'no handshake' };
  }
  const isValid = await verify(wallet, {
    data: [...Utils.toArray(clientNonce, 'base64'), ...Utils.toArray(serverNonce, 'base64')],
    signature: signature as number[],
    keyID: `${clientNonce} ${serverNonce}`,
    counterparty: serverKey,
  });
  if (!isValid) return { kind: 'refused', status, reason: 'bad signature' };
  return { kind: 'session', session: { serverKey, serverNonce, clientNonce } };
}

/** Sends a signed request over a connection of its own, and verifies the answer over the bytes that arrived. */
export async function sendSigned(
  { serverKey, serverNonce }: ProbedSession,
  wallet: WalletInterface,
  request: { readonly method: 'GET' | 'POST'; readonly url: string; readonly body?: string },
  limitMs: number,
): Promise<SignedOutcome> {
  const { publicKey: identityKey } = await wallet.getPublicKey({ identityKey: true });
  const [requestId, nonce] = [randomBytes(32), randomBytes(32).toString('base64')];
  const { signature } = await wallet.createSignature({
    data: encodeRequest(requestId, request),
    protocolID: PROTOCOL,
    keyID: `${nonce} ${serverNonce}`,
    counterparty: serverKey,
  });
  const [name, value] = PROBE_HEADER;
  const answer = await exchange(
    {
      ...request,
      headers: {
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        [name]: value,
        [`${HEADER_PREFIX}version`]: '0.1',
        [`${HEADER_PREFIX}identity-key`]: identityKey,
        [`${HEADER_PREFIX}nonce`]: nonce,
        [`${HEADER_PREFIX}your-nonce`]: serverNonce,
        [`${HEADER_PREFIX}signature`]: Buffer.from(signature).toString('hex'),
        [`${HEADER_PREFIX}request-id`]: requestId.toString('base64'),
      },
    },
    limitMs,
  );
  return await judge(answer, wallet, requestId, serverKey);
}

async function judge(
  answer: ExchangeAnswer,
  wallet: WalletInterface,
  requestId: Buffer,
  serverKey: string,
): Promise<SignedOutcome> {
  const { status } = answer;
  const [signature, nonce, yourNonce, signer] = ['signature', 'nonce', 'your-nonce', 'identity-key'].map((name) =>
    getHeader(answer, `${HEADER_PREFIX}${name}`),
  );
  if (signature === undefined || nonce === undefined || yourNonce === undefined || signer === undefined) {
    const text = answer.body.toString('utf8');
    const body = parseJson(text);
    return {
      kind: 'unsigned',
      status,
      code: getText(body, 'code'),
      text: getText(body, 'description') || getText(body, 'message'),
    };
  }
  const isValid =
    signer === serverKey &&
    (await verify(wallet, {
      data: encodeAnswer(requestId, answer),
      signature: [...Buffer.from(signature, 'hex')],
      keyID: `${nonce} ${yourNonce}`,
      counterparty: serverKey,
    }));
  return isValid ? { kind: 'verified', status } : { kind: 'changed', status };
}

/** The payload of BRC-104 that a request's signature is made over. */
function encodeRequest(
  requestId: Buffer,
  { method, url, body }: { readonly method: string; readonly url: string; readonly body?: string },
): number[] {
  const { pathname, search } = new URL(url);
  const writer = new Utils.Writer();
  writer.write([...requestId]);
  writeText(writer, method);
  writeText(writer, pathname);
  if (search === '') writer.writeVarIntNum(-1);
  else writeText(writer, search);
  const headers = [...(body === undefined ? [] : [['content-type', 'application/json']]), [...PROBE_HEADER]];
  writer.writeVarIntNum(headers.length);
  for (const text of headers.flat()) writeText(writer, text);
  if (body === undefined) writer.writeVarIntNum(-1);
  else writeText(writer, body);
  return writer.toArray();
}

/** The payload of BRC-104 that an answer's signature is made over. */
function encodeAnswer(requestId: Buffer, { status, headers, body }: ExchangeAnswer): number[] {
  const signed = Object.entries(headers)
    .filter(([name]) => (name.startsWith('x-bsv-') && !name.startsWith('x-bsv-auth')) || name === 'authorization')
    .map(([name, value]): [string, string] => [name, String(value)])
    .sort(([a], [b]) => a.localeCompare(b));
  const writer = new Utils.Writer();
  writer.write([...requestId]);
  writer.writeVarIntNum(status);
  writer.writeVarIntNum(signed.length);
  for (const text of signed.flat()) writeText(writer, text);
  writer.writeVarIntNum(body.length);
  writer.write([...body]);
  return writer.toArray();
}

function writeText(writer: Utils.Writer, text: string): void {
  const bytes = Utils.toArray(text, 'utf8');
  writer.writeVarIntNum(bytes.length);
  writer.write(bytes);
}

async function verify(
  wallet: WalletInterface,
  args: {
    readonly data: number[];
    readonly signature: number[];
    readonly keyID: string;
    readonly counterparty: string;
  },
): Promise<boolean> {
  try {
    return (await wallet.verifySignature({ ...args, protocolID: PROTOCOL })).valid;
  } catch {
    return false; // the wallet throws for an invalid signature
  }
}

function getHeader({ headers }: ExchangeAnswer, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
