import { ProtocolViolation } from '../rules/protocol-violation.js';
import { PayloadWriter } from './payload-writer.js';

const MAX_HEADERS = 512;
const MAX_NAME_BYTES = 1_024;
const MAX_VALUE_BYTES = 32 * 1_024;
const MAX_HEADER_BYTES = 256 * 1_024;

/**
 * The general message that an answer over HTTP is (BRC-104), not verified yet.
 * @throws ProtocolViolation when its headers are none of such a message
 */
export function messageOfAnswer(answer: Response, body: Uint8Array, requestId: string): object {
  const header = (name: string) => answer.headers.get(`x-bsv-auth-${name}`) ?? undefined;
  const signature = header('signature') ?? '';
  if (!/^(?:[0-9a-f]{2})+$/i.test(signature)) throw broken('the signature of an answer is not hexadecimal');
  if (header('request-id') !== requestId) throw broken('an answer names another request than the one it answers');
  return {
    version: header('version'),
    messageType: header('message-type') ?? 'general',
    identityKey: header('identity-key'),
    nonce: header('nonce'),
    yourNonce: header('your-nonce'),
    payload: payloadOf(answer, body, requestId),
    signature: [...Buffer.from(signature, 'hex')],
  };
}

/** Whether an answer claims to be signed. */
export function isSigned({ headers }: Response): boolean {
  return ['version', 'identity-key', 'signature'].every((name) => (headers.get(`x-bsv-auth-${name}`) ?? '') !== '');
}

function payloadOf(answer: Response, body: Uint8Array, requestId: string): Uint8Array {
  // Of today's clients and the registry's, one signs -1 for it and the other 0.
  if (body.length === 0) throw broken('a signed answer has no body, which not all clients can verify');
  return new PayloadWriter()
    .bytes(Buffer.from(requestId, 'base64'))
    .number(answer.status)
    .headers(signedHeaders(answer))
    .counted(body)
    .finish();
}

function signedHeaders({ headers }: Response): [string, string][] {
  const signed = [...headers].filter(
    ([name]) => name === 'authorization' || (name.startsWith('x-bsv-') && !name.startsWith('x-bsv-auth')),
  );
  let total = 0;
  for (const [name, value] of signed) {
    if (Buffer.byteLength(name) > MAX_NAME_BYTES || Buffer.byteLength(value) > MAX_VALUE_BYTES) {
      throw broken(`the signed header ${name.slice(0, 64)} is too long`);
    }
    total += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (signed.length > MAX_HEADERS || total > MAX_HEADER_BYTES)
    throw broken('the signed headers are too many or too long');
  return signed;
}

const broken = (text: string) => new ProtocolViolation('3', text);
