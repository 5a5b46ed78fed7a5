import type { ParsedTransaction } from '../beef/index.js';

/** What running the scripts of a transaction and its unproven ancestors is expected to cost. */
export interface ScriptEstimate {
  /** Milliseconds of CPU. */
  readonly milliseconds: number;
  /** Whether every script consists of operations whose cost can be told from their number. */
  readonly isPredictable: boolean;
}

/** One signature check of the library, which is pure JavaScript. */
const SIGNATURE_CHECK_MS = 4;
/** Bytes that the library hashes, or reads, in a millisecond. */
const BYTES_PER_MS = 20_000;
const OPERATIONS_PER_MS = 100;
/** A longer script has something else in mind than to be predictable. */
const MAX_SCRIPT_BYTES = 10_000;

const OP_16 = 0x60;
const OP_PUSHDATA1 = 0x4c;
const OP_PUSHDATA2 = 0x4d;
const OP_PUSHDATA4 = 0x4e;
const OP_CHECKSIG = 0xac;
const OP_CHECKSIGVERIFY = 0xad;
/** NOP, VERIFY, RETURN, 2DROP, DROP, DUP, SWAP, EQUAL, EQUALVERIFY. */
const CHEAP = new Set([0x61, 0x69, 0x6a, 0x6d, 0x75, 0x76, 0x7c, 0x87, 0x88]);
/** RIPEMD160, SHA1, SHA256, HASH160, HASH256. */
const HASHING = new Set([0xa6, 0xa7, 0xa8, 0xa9, 0xaa]);
/** OP_RESERVED stands among the small numbers. */
const OP_RESERVED = 0x50;

/**
 * Tells cheap scripts (payments to keys and their hashes, tokens) from those of which nobody knows what they cost before
 * they have run. Works in time linear to the bytes of the scripts.
 *
 * @param unproven transactions whose scripts are run; each spends outputs that `known` has
 */
export function estimateScripts(
  unproven: readonly ParsedTransaction[],
  known: ReadonlyMap<string, ParsedTransaction>,
): ScriptEstimate {
  let milliseconds = 0;
  let isPredictable = true;
  for (const { inputs, raw } of unproven) {
    milliseconds += raw.length / BYTES_PER_MS;
    for (const input of inputs) {
      const source = known.get(input.txid);
      const locking = source?.outputs[input.outputIndex]?.script ?? new Uint8Array(0);
      for (const script of [input.script, locking]) {
        const found = countOperations(script);
        if (found === undefined) {
          isPredictable = false;
          continue;
        }
        // Each check hashes the whole transaction, and what it spends.
        milliseconds += found.signatureChecks * (SIGNATURE_CHECK_MS + raw.length / BYTES_PER_MS);
        // What is hashed may be all that either script has pushed.
        milliseconds += (found.hashes * (input.script.length + locking.length)) / BYTES_PER_MS;
        milliseconds += found.operations / OPERATIONS_PER_MS;
      }
    }
  }
  return { milliseconds, isPredictable };
}

interface Operations {
  readonly operations: number;
  readonly signatureChecks: number;
  readonly hashes: number;
}

/** @returns undefined for a script with an operation that is not known to be cheap */
function countOperations(script: Uint8Array): Operations | undefined {
  if (script.length > MAX_SCRIPT_BYTES) return undefined;
  let operations = 0;
  let signatureChecks = 0;
  let hashes = 0;
  for (let at = 0; at < script.length; operations += 1) {
    const opcode = script[at] ?? 0;
    at += 1;
    if (opcode <= OP_16) {
      if (opcode === OP_RESERVED) return undefined;
      at += pushedBytes(script, at, opcode);
    } else if (opcode === OP_CHECKSIG || opcode === OP_CHECKSIGVERIFY) signatureChecks += 1;
    else if (HASHING.has(opcode)) hashes += 1;
    else if (!CHEAP.has(opcode)) return undefined;
  }
  return { operations, signatureChecks, hashes };
}

/** How many bytes behind the opcode belong to it. */
function pushedBytes(script: Uint8Array, at: number, opcode: number): number {
  if (opcode < OP_PUSHDATA1) return opcode;
  const lengthBytes = { [OP_PUSHDATA1]: 1, [OP_PUSHDATA2]: 2, [OP_PUSHDATA4]: 4 }[opcode];
  if (lengthBytes === undefined) return 0;
  let length = 0;
  for (let i = 0; i < lengthBytes; i += 1) length += (script[at + i] ?? 0) * 256 ** i;
  return lengthBytes + length;
}
