/** A PushDrop output (BRC-48), lock first: the key that can spend it, and its data. */
export interface PushDropToken {
  /** 33 bytes, which need not be a point of the curve. */
  readonly lockingKey: Uint8Array;
  readonly fields: readonly Uint8Array[];
}

const OP_CHECKSIG = 0xac;
const OP_DROP = 0x75;
const OP_2DROP = 0x6d;
const OP_PUSHDATA1 = 0x4c;
const OP_PUSHDATA2 = 0x4d;
const KEY_BYTES = 33;
/** Enough for each kind of token that the topics admit. */
const MAX_SCRIPT_BYTES = 1_024;

/**
 * Decodes exactly `PUSH(33 bytes) CHECKSIG PUSH… 2DROP… [DROP]` with this number of fields, as the SDK's template writes
 * it. The template writes a field of one small number as an opcode; such fields are refused, since no token here has one.
 *
 * @returns undefined for any other script
 */
export function decodePushDrop(script: Uint8Array, fieldCount: number): PushDropToken | undefined {
  if (script.length > MAX_SCRIPT_BYTES || script[0] !== KEY_BYTES || script[KEY_BYTES + 1] !== OP_CHECKSIG) {
    return undefined;
  }
  const fields: Uint8Array[] = [];
  let at = KEY_BYTES + 2;
  while (fields.length < fieldCount) {
    const push = readPush(script, at);
    if (push === undefined) return undefined;
    fields.push(push.data);
    at = push.next;
  }
  const drops = Buffer.alloc(Math.ceil(fieldCount / 2), OP_2DROP);
  if (fieldCount % 2 === 1) drops[drops.length - 1] = OP_DROP;
  if (!drops.equals(script.subarray(at))) return undefined;
  return { lockingKey: script.subarray(1, 1 + KEY_BYTES), fields };
}

function readPush(script: Uint8Array, at: number): { data: Uint8Array; next: number } | undefined {
  const opcode = script[at] ?? 0;
  let start = at + 1;
  let length = opcode;
  if (opcode === OP_PUSHDATA1) {
    length = script[at + 1] ?? 0;
    start = at + 2;
  } else if (opcode === OP_PUSHDATA2) {
    length = (script[at + 1] ?? 0) + (script[at + 2] ?? 0) * 256;
    start = at + 3;
  } else if (opcode > OP_PUSHDATA2) {
    return undefined;
  }
  const data = script.subarray(start, start + length);
  return length > 0 && data.length === length ? { data, next: start + length } : undefined;
}
