import { ProtocolViolationError } from '../rules/protocol-violation-error.js';

/**
 * Reads the body of a response.
 *
 * @throws ProtocolViolationError of rule 9.3 when it announces or has more bytes than the limit
 */
export async function readBody(answer: Response, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new ProtocolViolationError('9.3', `a response has more than ${maxBytes} bytes`);
  if (Number(answer.headers.get('content-length') ?? 0) > maxBytes) {
    await answer.body?.cancel();
    throw tooLarge();
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the rest of the body.
  for await (const part of answer.body ?? []) {
    length += part.byteLength;
    if (length > maxBytes) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}
