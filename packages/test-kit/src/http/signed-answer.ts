import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import { PayloadWriter } from './payload-writer.js';

const MAX_HEADERS = 512;
const MAX_NAME_BYTES = 1_024;
const MAX_VALUE_BYTES = 32 * 1_024;
const MAX_HEADER_BYTES = 256 * 1_024;

/**
 * Converts a response to the general message that it carries (BRC-104). Does not verify it.
 *
 * @throws ProtocolViolationError when its headers are not those of a general message
 */
export function toGeneralMessage(answer: Response, body: Uint8Array, requestId: string): object {
  const header = (name: string) => answer.headers.get(`x-bsv-auth-${name}`) ?? undefined;
  const signature = header('signature') ?? '';
  if (!/^(?:[0-9a-f]{2})+$/i.test(signature)) throw signedAnswerError('the signature of a response is not hexadecimal');
  if (header('request-id') !== requestId) throw signedAnswerError('a response names another request than its own');
  return {
    version: header('version'),
    messageType: header('message-type') ?? 'general',
    identityKey: header('identity-key'),
    nonce: header('nonce'),
    yourNonce: header('your-nonce'),
    payload: encodeAnswerPayload(answer, body, requestId),
    signature: [...Buffer.from(signature, 'hex')],
  };
}

/** Whether a response claims to be signed. */
export function isSignedAnswer({ headers }: Response): boolean {
  return ['version', 'identity-key', 'signature'].every((name) => (headers.get(`x-bsv-auth-${name}`) ?? '') !== '');
}

function encodeAnswerPayload(answer: Response, body: Uint8Array, requestId: string): Uint8Array {
  // For an empty body, clients in the registry and current clients expect different lengths in the signature: -1 and 0.
  if (body.length === 0) throw signedAnswerError('a signed response has no body, which not all clients can verify');
  return new PayloadWriter()
    .writeBytes(Buffer.from(requestId, 'base64'))
    .writeNumber(answer.status)
    .writeHeaders(selectSignedHeaders(answer))
    .writeCounted(body)
    .finish();
}

function selectSignedHeaders({ headers }: Response): [string, string][] {
  const signed = [...headers].filter(
    ([name]) => name === 'authorization' || (name.startsWith('x-bsv-') && !name.startsWith('x-bsv-auth')),
  );
  let total = 0;
  for (const [name, value] of signed) {
    if (Buffer.byteLength(name) > MAX_NAME_BYTES || Buffer.byteLength(value) > MAX_VALUE_BYTES) {
      throw signedAnswerError(`the signed header ${name.slice(0, 64)} is too long`);
    }
    total += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (signed.length > MAX_HEADERS || total > MAX_HEADER_BYTES)
    throw signedAnswerError('the signed headers are too many or too long');
  return signed;
}

const signedAnswerError = (text: string) => new ProtocolViolationError('3', text);
