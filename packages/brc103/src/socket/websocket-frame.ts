/**
 * The head of an unmasked text frame, as a server sends it (RFC 6455, section 5.2).
 *
 * @param payloadBytes bytes of the text that follows
 */
export function textFrameHead(payloadBytes: number): Buffer {
  if (payloadBytes < 126) return Buffer.from([FINAL_TEXT, payloadBytes]);
  if (payloadBytes < 65_536) {
    const head = Buffer.from([FINAL_TEXT, 126, 0, 0]);
    head.writeUInt16BE(payloadBytes, 2);
    return head;
  }
  const head = Buffer.alloc(10);
  head[0] = FINAL_TEXT;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(payloadBytes), 2);
  return head;
}

const FINAL_TEXT = 0x81;
