/**
 * Encodes the header of an unmasked text frame, as a server sends it (RFC 6455, section 5.2).
 *
 * @param payloadBytes the length of the text that follows. Bytes
 */
export function encodeTextFrameHeader(payloadBytes: number): Buffer {
  if (payloadBytes < 126) return Buffer.from([FINAL_TEXT_FRAME, payloadBytes]);
  if (payloadBytes < 65_536) {
    const head = Buffer.from([FINAL_TEXT_FRAME, 126, 0, 0]);
    head.writeUInt16BE(payloadBytes, 2);
    return head;
  }
  const head = Buffer.alloc(10);
  head[0] = FINAL_TEXT_FRAME;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(payloadBytes), 2);
  return head;
}

const FINAL_TEXT_FRAME = 0x81;
