import { InvalidTransactionError, type InvalidTransactionKind } from '../beef/invalid-transaction-error.js';
import type { ParsedBeef, ParsedTransaction } from '../beef/parse-beef.js';
import { isPruned, pruneBeef } from '../beef/prune-beef.js';
import { toOutpointKey } from '../beef/transaction.js';
import { estimateScripts, type ScriptEstimate } from './estimate-scripts.js';
import { findLockTimes, type LockTimes } from './lock-times.js';

/** Limits for what the subject of a BEEF needs. */
export interface InspectionLimits {
  /** Bytes of the pruned BEEF. */
  readonly bytes: number;
  /** Transactions, the subject included. */
  readonly transactions: number;
  /** Inputs of all transactions without proof. */
  readonly inputs: number;
  /** Hashes of all merkle paths. */
  readonly hashes: number;
}

/** The part of a verification that is left after the structure of a BEEF was checked. */
export interface InspectedBeef {
  /** A plain BEEF V2: ancestors before descendants, the subject last, and nothing else. */
  readonly beef: Uint8Array;
  /** Heights of the blocks of coinbase transactions that are spent. */
  readonly spentCoinbases: readonly number[];
  /** The lock times of the transactions without proof. */
  readonly lockTimes: LockTimes;
  /** The expected cost of the scripts. */
  readonly estimate: ScriptEstimate;
}

/**
 * The SDK visits an ancestor once for each path to it. A few dozen transactions, each with two inputs that spend the one
 * before, would take it longer than a lifetime.
 */
const MAX_ANCESTOR_PATHS = 10_000;
const COINBASE_TXID = '00'.repeat(32);

/**
 * Checks the subject of a BEEF and its ancestors, back to those with a merkle path, as far as that is possible without
 * running scripts or asking the chain. Takes time linear in the bytes.
 *
 * @throws {InvalidTransactionError} `incomplete`, `malformed`, `inputs`, `amounts`, `limit`
 */
export function inspectBeef(given: ParsedBeef, limits: InspectionLimits): InspectedBeef {
  const { subject, transactions, proofs, bytes } = isPruned(given) ? given : pruneBeef(given);
  if (bytes.length > limits.bytes) throw tooLargeError(limits.bytes);
  if (transactions.size > limits.transactions) {
    throw invalidTransactionError('limit', `The BEEF has more than ${limits.transactions} transactions.`);
  }
  const needed = [...transactions.values()];
  const unproven = needed.filter(({ proof }) => proof === undefined);
  const inputs = unproven.reduce((sum, transaction) => sum + transaction.inputs.length, 0);
  if (inputs > limits.inputs)
    throw invalidTransactionError('limit', `More than ${limits.inputs} inputs would have to be verified.`);
  for (const transaction of unproven) checkSpends(transaction, transactions);
  checkAncestorPaths(needed);
  const hashes = proofs.reduce((sum, { size }) => sum + size, 0);
  if (hashes > limits.hashes)
    throw invalidTransactionError('limit', `The merkle paths have more than ${limits.hashes} hashes.`);
  const ancestors = needed.filter((transaction) => transaction !== subject);
  return {
    beef: bytes,
    spentCoinbases: ancestors.flatMap(findCoinbaseHeight),
    lockTimes: findLockTimes(unproven),
    estimate: estimateScripts(unproven, transactions),
  };
}

/** The BEEF has more bytes than a verification may take. */
export function tooLargeError(maxBytes: number): InvalidTransactionError {
  const message = `The BEEF is larger than the limit, which is ${maxBytes.toLocaleString('en-US')} bytes.`;
  return new InvalidTransactionError('limit', message, maxBytes);
}

/** Checks that a transaction without proof spends existing outputs, each once, and pays out no more than they hold. */
function checkSpends(transaction: ParsedTransaction, known: ReadonlyMap<string, ParsedTransaction>): void {
  const { txid, inputs, outputs } = transaction;
  if (inputs.length === 0) throw invalidTransactionError('inputs', `Transaction ${txid} has no inputs.`);
  if (outputs.length === 0) throw invalidTransactionError('amounts', `Transaction ${txid} has no outputs.`);
  const spent = new Set<string>();
  let available = 0n;
  for (const input of inputs) {
    const outpoint = toOutpointKey(input);
    if (spent.has(outpoint))
      throw invalidTransactionError('inputs', `Transaction ${txid} spends the output ${outpoint} twice.`);
    spent.add(outpoint);
    const source = known.get(input.txid)?.outputs[input.outputIndex];
    if (source === undefined) {
      throw invalidTransactionError(
        'inputs',
        `Transaction ${txid} spends the output ${outpoint}, which does not exist.`,
      );
    }
    available += BigInt(source.satoshis);
  }
  if (outputs.reduce((sum, { satoshis }) => sum + BigInt(satoshis), 0n) > available) {
    throw invalidTransactionError('amounts', `Transaction ${txid} pays out more than it takes in.`);
  }
}

/** @param needed ancestors first */
function checkAncestorPaths(needed: readonly ParsedTransaction[]): void {
  /** Steps of a walk from each transaction through all its ancestors that has no memory. */
  const ways = new Map<string, number>();
  for (const { txid, inputs, proof } of needed) {
    const sources = proof === undefined ? inputs : [];
    const steps = sources.reduce((sum, input) => sum + (ways.get(input.txid) ?? 0), 1);
    if (steps > MAX_ANCESTOR_PATHS) throw invalidTransactionError('limit', 'The unproven ancestors are too entangled.');
    ways.set(txid, steps);
  }
}

/** @returns the height of the block if the transaction is a coinbase, else nothing */
function findCoinbaseHeight({ inputs, proof }: ParsedTransaction): number[] {
  const isCoinbase = inputs.length === 1 && inputs[0]?.txid === COINBASE_TXID;
  return isCoinbase && proof !== undefined ? [proof.blockHeight] : [];
}

function invalidTransactionError(kind: InvalidTransactionKind, message: string): InvalidTransactionError {
  return new InvalidTransactionError(kind, message);
}
