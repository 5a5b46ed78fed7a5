/** The maximum length of a DER signature: two integers of 33 bytes with their headers, and the header of the sequence. */
export const MAX_DER_BYTES = 72;

/**
 * Encodes a compact ECDSA signature as DER (X.690): `30 len 02 len r 02 len s`, with minimal integers.
 *
 * @param compact `r || s`, 64 bytes
 * @throws {RangeError} for another length
 */
export function encodeDer(compact: Uint8Array): Uint8Array {
  if (compact.length !== 64) throw new RangeError('A compact signature must have 64 bytes');
  const r = encodeInteger(compact.subarray(0, 32));
  const s = encodeInteger(compact.subarray(32));
  return Uint8Array.of(0x30, r.length + s.length, ...r, ...s);
}

/**
 * Reads strict DER: both integers are positive, minimal and of at most 32 bytes, and nothing follows. `@bsv/sdk` writes
 * this form. It also reads negative integers (as positive ones), but no library writes those.
 *
 * @returns `r || s`, 64 bytes, not checked to be below n; undefined for anything else
 */
export function decodeDer(der: Uint8Array): Uint8Array | undefined {
  if (der.length > MAX_DER_BYTES || der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const compact = new Uint8Array(64);
  const next = decodeInteger(der, 2, compact, 32);
  if (next === undefined) return undefined;
  return decodeInteger(der, next, compact, 64) === der.length ? compact : undefined;
}

function encodeInteger(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  const sign = (digits[0] ?? 0) >= 0x80 ? [0] : [];
  return Uint8Array.of(0x02, sign.length + digits.length, ...sign, ...digits);
}

/** Writes the integer at `der[at]` right-aligned before `target[end]`. Returns the position after the integer. */
function decodeInteger(der: Uint8Array, at: number, target: Uint8Array, end: number): number | undefined {
  const length = der[at + 1];
  if (der[at] !== 0x02 || length === undefined || length < 1 || length > 33) return undefined;
  const digits = der.subarray(at + 2, at + 2 + length);
  const first = digits[0];
  if (digits.length !== length || first === undefined || first >= 0x80) return undefined;
  if (first !== 0) {
    if (length > 32) return undefined;
    target.set(digits, end - length);
  } else {
    // A leading zero is allowed only where it keeps the number positive. This also refuses zero itself.
    if ((digits[1] ?? 0) < 0x80) return undefined;
    target.set(digits.subarray(1), end - length + 1);
  }
  return at + 2 + length;
}
