import { ProtocolViolation } from '../rules/protocol-violation.js';

/**
 * Reads the body of an answer.
 * @throws ProtocolViolation of rule 9.3 when it has more bytes than the limit, said or sent
 */
export async function readBody(answer: Response, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new ProtocolViolation('9.3', `an answer has more than ${maxBytes} bytes`);
  if (Number(answer.headers.get('content-length') ?? 0) > maxBytes) {
    await answer.body?.cancel();
    throw tooLarge();
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels what is still to come.
  for await (const part of answer.body ?? []) {
    length += part.byteLength;
    if (length > maxBytes) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}
