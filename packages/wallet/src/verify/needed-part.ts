import {
  InvalidTransactionError,
  type InvalidTransactionKind,
  outpointKey,
  type ParsedBeef,
  type ParsedTransaction,
  serializeBeef,
  withAncestors,
} from '../beef/index.js';
import { estimateScripts, type ScriptEstimate } from './estimate-scripts.js';
import { type LockedUntil, lockedUntil } from './finality.js';

export interface NeededLimits {
  /** Most inputs, of all transactions without proof. */
  readonly inputs: number;
  /** Most hashes, of all merkle paths. */
  readonly hashes: number;
}

/** What the validity of one transaction rests on. */
export interface NeededPart {
  /** A plain V2 BEEF: ancestors before descendants, the subject last, and nothing else in it. */
  readonly beef: Uint8Array;
  /** Heights of the blocks of coinbase transactions that are spent. */
  readonly spentCoinbases: readonly number[];
  /** What the lock times of those without proof ask for. */
  readonly lockedUntil: LockedUntil;
  /** What running the scripts is expected to cost. */
  readonly estimate: ScriptEstimate;
}

/**
 * Libraries walk from a transaction to its ancestors without remembering where they have been, so that a few dozen
 * transactions, each spending two outputs of the one before, take them longer than anybody lives.
 */
const MAX_WAYS = 10_000;
const COINBASE_SOURCE = '00'.repeat(32);

/**
 * Finds the subject's ancestors back to those with a merkle path, and checks of them all that can be checked without
 * running scripts or asking the chain.
 *
 * @throws {InvalidTransactionError} `incomplete`, `inputs`, `amounts`, `limit`
 */
export function neededPart({ subject, transactions }: ParsedBeef, limits: NeededLimits): NeededPart {
  const needed = withAncestors(subject.txid, (txid) => transactions.get(txid));
  const unproven = needed.filter(({ proof }) => proof === undefined);
  const inputs = unproven.reduce((sum, transaction) => sum + transaction.inputs.length, 0);
  if (inputs > limits.inputs) throw invalid('limit', `More than ${limits.inputs} inputs would have to be verified.`);
  for (const transaction of unproven) checkSpends(transaction, transactions);
  checkWays(needed);
  const proofs = new Set(needed.flatMap(({ proof }) => proof ?? []));
  const hashes = [...proofs].reduce((sum, { size }) => sum + size, 0);
  if (hashes > limits.hashes) throw invalid('limit', `The merkle paths have more than ${limits.hashes} hashes.`);
  const ancestors = needed.filter((transaction) => transaction !== subject);
  return {
    beef: new Uint8Array(serializeBeef(needed)),
    spentCoinbases: ancestors.flatMap(blockOfCoinbase),
    lockedUntil: lockedUntil(unproven),
    estimate: estimateScripts(unproven, transactions),
  };
}

/** Whether a transaction without proof spends, each once, outputs that are there, and no more than they hold. */
function checkSpends(transaction: ParsedTransaction, known: ReadonlyMap<string, ParsedTransaction>): void {
  const { txid, inputs, outputs } = transaction;
  if (inputs.length === 0) throw invalid('inputs', `Transaction ${txid} has no inputs.`);
  if (outputs.length === 0) throw invalid('amounts', `Transaction ${txid} has no outputs.`);
  const spent = new Set<string>();
  let available = 0n;
  for (const input of inputs) {
    const outpoint = outpointKey(input);
    if (spent.has(outpoint)) throw invalid('inputs', `Transaction ${txid} spends the output ${outpoint} twice.`);
    spent.add(outpoint);
    const source = known.get(input.txid)?.outputs[input.outputIndex];
    if (source === undefined) {
      throw invalid('inputs', `Transaction ${txid} spends the output ${outpoint}, which does not exist.`);
    }
    available += BigInt(source.satoshis);
  }
  if (outputs.reduce((sum, { satoshis }) => sum + BigInt(satoshis), 0n) > available) {
    throw invalid('amounts', `Transaction ${txid} pays out more than it takes in.`);
  }
}

/** @param needed ancestors first */
function checkWays(needed: readonly ParsedTransaction[]): void {
  /** How many steps such a walk takes from each. */
  const ways = new Map<string, number>();
  for (const { txid, inputs, proof } of needed) {
    const sources = proof === undefined ? inputs : [];
    const steps = sources.reduce((sum, input) => sum + (ways.get(input.txid) ?? 0), 1);
    if (steps > MAX_WAYS) throw invalid('limit', 'The unproven ancestors are too entangled.');
    ways.set(txid, steps);
  }
}

/** The height of its block, when it is a coinbase. */
function blockOfCoinbase({ inputs, proof }: ParsedTransaction): number[] {
  const isCoinbase = inputs.length === 1 && inputs[0]?.txid === COINBASE_SOURCE;
  return isCoinbase && proof !== undefined ? [proof.blockHeight] : [];
}

function invalid(kind: InvalidTransactionKind, message: string): InvalidTransactionError {
  return new InvalidTransactionError(kind, message);
}
