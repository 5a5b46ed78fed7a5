import type { ParsedTransaction } from '../beef/parse-beef.js';

/** The expected cost of the scripts of a transaction and its ancestors without proof. */
export interface ScriptEstimate {
  /** Milliseconds of CPU. */
  readonly milliseconds: number;
  /** Whether every script consists of operations with a known cost. */
  readonly isPredictable: boolean;
}

/** Milliseconds of one signature check in the SDK, which is pure JavaScript. */
const SIGNATURE_CHECK_MS = 4;
/** Bytes that the SDK hashes, or reads, in a millisecond. */
const BYTES_PER_MS = 20_000;
const OPERATIONS_PER_MS = 100;
/** A longer script counts as unpredictable. */
const MAX_SCRIPT_BYTES = 10_000;

const OP_16 = 0x60;
const OP_PUSHDATA1 = 0x4c;
const OP_PUSHDATA2 = 0x4d;
const OP_PUSHDATA4 = 0x4e;
const OP_CHECKSIG = 0xac;
const OP_CHECKSIGVERIFY = 0xad;
/** NOP, VERIFY, RETURN, 2DROP, DROP, DUP, SWAP, EQUAL, EQUALVERIFY. */
const CHEAP_OPCODES = new Set([0x61, 0x69, 0x6a, 0x6d, 0x75, 0x76, 0x7c, 0x87, 0x88]);
/** RIPEMD160, SHA1, SHA256, HASH160, HASH256. */
const HASH_OPCODES = new Set([0xa6, 0xa7, 0xa8, 0xa9, 0xaa]);
/** The one opcode up to OP_16 that does not push data. */
const OP_RESERVED = 0x50;

/**
 * Tells cheap scripts (payments to keys and their hashes, tokens) from scripts whose cost is known only after they have
 * run. Takes time linear in the bytes of the scripts.
 *
 * @param unproven transactions whose scripts will run; `known` has the outputs that they spend
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
        // Each signature check hashes the whole transaction.
        milliseconds += found.signatureChecks * (SIGNATURE_CHECK_MS + raw.length / BYTES_PER_MS);
        // Each hash may cover all the data that both scripts push.
        milliseconds += (found.hashes * (input.script.length + locking.length)) / BYTES_PER_MS;
        milliseconds += found.operations / OPERATIONS_PER_MS;
      }
    }
  }
  return { milliseconds, isPredictable };
}

interface OperationCounts {
  readonly operations: number;
  readonly signatureChecks: number;
  readonly hashes: number;
}

/** @returns undefined for a script with an operation of unknown cost */
function countOperations(script: Uint8Array): OperationCounts | undefined {
  if (script.length > MAX_SCRIPT_BYTES) return undefined;
  let operations = 0;
  let signatureChecks = 0;
  let hashes = 0;
  for (let at = 0; at < script.length; operations += 1) {
    const opcode = script[at] ?? 0;
    at += 1;
    if (opcode <= OP_16) {
      if (opcode === OP_RESERVED) return undefined;
      at += countPushedBytes(script, at, opcode);
    } else if (opcode === OP_CHECKSIG || opcode === OP_CHECKSIGVERIFY) signatureChecks += 1;
    else if (HASH_OPCODES.has(opcode)) hashes += 1;
    else if (!CHEAP_OPCODES.has(opcode)) return undefined;
  }
  return { operations, signatureChecks, hashes };
}

/** @returns the number of bytes after the opcode that belong to it */
function countPushedBytes(script: Uint8Array, at: number, opcode: number): number {
  if (opcode < OP_PUSHDATA1) return opcode;
  const lengthBytes = { [OP_PUSHDATA1]: 1, [OP_PUSHDATA2]: 2, [OP_PUSHDATA4]: 4 }[opcode];
  if (lengthBytes === undefined) return 0;
  let length = 0;
  for (let i = 0; i < lengthBytes; i += 1) length += (script[at + i] ?? 0) * 256 ** i;
  return lengthBytes + length;
}
