import { PublicKey, Signature } from '@bsv/sdk';
import { fromHex } from '../wire/bytes.js';
import { type ByteRange, type LabelledBytes, LabelledBytesBuilder } from '../wire/labelled-bytes.js';

/**
 * Verifies an ECDSA signature over the SHA-256 of `data`. The inspector does this itself, with the bytes seen on the wire,
 * so that its verdict does not rest on what the client reported.
 *
 * @param signature DER
 * @param publicKey compressed, hex
 */
export function checkSignature(data: Uint8Array, signature: Uint8Array, publicKey: string): boolean {
  try {
    return PublicKey.fromString(publicKey).verify([...data], Signature.fromDER([...signature]));
  } catch {
    return false; // no signature in DER
  }
}

/** Names the parts of a signature in DER (X.690): two integers, r and s. A signature of another form is one part. */
export function labelSignature(signature: Uint8Array): LabelledBytes {
  const rLength = signature[3] ?? 0;
  const sAt = 4 + rLength;
  const isDer =
    signature[0] === 0x30 &&
    signature[1] === signature.length - 2 &&
    signature[2] === 0x02 &&
    signature[sAt] === 0x02 &&
    sAt + 2 + (signature[sAt + 1] ?? 0) === signature.length;
  if (!isDer) {
    return new LabelledBytesBuilder().add(signature, 'signature', 'signature', 'This is no signature in DER.').build();
  }
  return new LabelledBytesBuilder()
    .add(signature.subarray(0, 2), 'length', 'sequence', 'DER: a sequence and its length')
    .add(signature.subarray(2, 4), 'length', 'integer', 'DER: an integer and its length')
    .add(signature.subarray(4, sAt), 'signature', 'r', 'The x coordinate of the random point of this signature.')
    .add(signature.subarray(sAt, sAt + 2), 'length', 'integer', 'DER: an integer and its length')
    .add(signature.subarray(sAt + 2), 'signature', 's', 'Proves that the signer knows the private key.')
    .build();
}

/** The first difference between what was seen on the wire and what the wallet worked on. */
export interface Difference {
  /** The offset of the first byte that differs. */
  readonly offset: number;
  /** The part it is in. Undefined after the end. */
  readonly range: ByteRange | undefined;
}

/** Compares byte strings of which the last part may be missing. Undefined when what there is of both is the same. */
export function findDifference(
  seen: LabelledBytes,
  worked: { readonly bytes: Uint8Array; readonly totalBytes: number | undefined },
): Difference | undefined {
  const length = Math.min(seen.bytes.length, worked.bytes.length);
  let offset = 0;
  while (offset < length && seen.bytes[offset] === worked.bytes[offset]) offset += 1;
  const isSame = offset === length && seen.bytes.length + seen.missingBytes === worked.totalBytes;
  if (isSame) return undefined;
  return { offset, range: seen.ranges.find(({ start, end }) => start <= offset && offset < end) };
}

/** Decodes hex of a header; empty for a value that is none, which no signature equals. */
export const readHexHeader = (value: string | undefined): Uint8Array => fromHex(value ?? '') ?? new Uint8Array();
