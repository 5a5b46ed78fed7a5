import { type ScannedBeef, type ScannedBump, type ScannedTransaction, writeBeef } from './scan-beef.js';
import { InvalidTransactionError } from './verify-errors.js';

export interface NeededLimits {
  /** Most inputs, of all transactions without proof. */
  readonly inputs: number;
  /** Most hashes, of all merkle paths. */
  readonly hashes: number;
}

/** What the validity of one transaction rests on. */
export interface NeededPart {
  readonly txid: string;
  /** The transaction itself. */
  readonly raw: Uint8Array;
  /** Whether the transaction itself has a merkle path, which then is to be verified. */
  readonly proven: boolean;
  /** A plain V2 BEEF: ancestors before descendants, the subject last, and nothing else in it. */
  readonly beef: Uint8Array;
  /** Heights of the blocks of coinbase transactions that are spent. */
  readonly spentCoinbases: readonly number[];
}

/**
 * Libraries walk from a transaction to its ancestors without remembering where they have been, so that a few dozen
 * transactions, each spending two outputs of the one before, take them longer than anybody lives.
 */
const MAX_WAYS = 10_000;
const COINBASE_SOURCE = '00'.repeat(32);

/**
 * Finds the subject (the one of an AtomicBEEF, else the last transaction) and its ancestors back to those with a merkle
 * path, and checks of them all that can be checked without running scripts or asking the chain.
 *
 * @throws {InvalidTransactionError} `malformed`, `incomplete`, `inputs`, `amounts`, `proof`, `limit`
 */
export function neededPart(scanned: ScannedBeef, limits: NeededLimits): NeededPart {
  const known = byTxid(scanned);
  const subject = subjectIn(scanned, known);
  const bumps = new NeededBumps(scanned.bumps);
  const ordered: { raw: Uint8Array; bump: number | undefined }[] = [];
  const spentCoinbases: number[] = [];
  /** Of each transaction that was dealt with: how many steps such a walk takes from it. */
  const ways = new Map<string, number>();
  let inputs = 0;

  // Depth first, without recursion: a chain of ancestors may be longer than the stack is deep.
  const path: { transaction: ScannedTransaction; next: number }[] = [{ transaction: subject, next: 0 }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const { transaction } = top;
    const bump = bumps.indexFor(transaction);
    if (top.next === 0 && bump === undefined) {
      inputs += transaction.inputs.length;
      if (inputs > limits.inputs)
        throw invalid('limit', `More than ${limits.inputs} inputs would have to be verified.`);
      checkSpends(transaction, known);
    }
    const input = bump === undefined ? transaction.inputs[top.next++] : undefined;
    if (input !== undefined) {
      const source = known.get(input.txid);
      if (source !== undefined && !ways.has(input.txid)) path.push({ transaction: source, next: 0 });
      continue;
    }
    path.pop();
    if (ways.has(transaction.txid)) continue;
    const sources = bump === undefined ? transaction.inputs : [];
    const steps = sources.reduce((sum, { txid }) => sum + (ways.get(txid) ?? 0), 1);
    if (steps > MAX_WAYS) throw invalid('limit', 'The unproven ancestors are too entangled.');
    ways.set(transaction.txid, steps);
    ordered.push({ raw: transaction.raw, bump });
    if (bump !== undefined && path.length > 0 && isCoinbase(transaction)) spentCoinbases.push(bumps.heightOf(bump));
  }
  if (bumps.size > limits.hashes) throw invalid('limit', `The merkle paths have more than ${limits.hashes} hashes.`);
  const proven = ordered.at(-1)?.bump !== undefined;
  return { txid: subject.txid, raw: subject.raw, proven, beef: writeBeef(bumps.needed, ordered), spentCoinbases };
}

/**
 * The transaction that a BEEF is about; nothing of it is checked.
 *
 * @throws {InvalidTransactionError} `malformed`, `incomplete`
 */
export function subjectOf(scanned: ScannedBeef): ScannedTransaction {
  return subjectIn(scanned, byTxid(scanned));
}

function byTxid(scanned: ScannedBeef): Map<string, ScannedTransaction> {
  const known = new Map<string, ScannedTransaction>();
  for (const transaction of scanned.transactions) {
    if (typeof transaction === 'string') continue;
    if (known.has(transaction.txid)) throw invalid('malformed', `The BEEF has transaction ${transaction.txid} twice.`);
    known.set(transaction.txid, transaction);
  }
  return known;
}

function subjectIn(scanned: ScannedBeef, known: ReadonlyMap<string, ScannedTransaction>): ScannedTransaction {
  const last = scanned.transactions.at(-1);
  const txid = scanned.atomicTxid ?? (typeof last === 'string' ? last : last?.txid);
  const subject = txid === undefined ? undefined : known.get(txid);
  if (subject === undefined) throw invalid('incomplete', 'The BEEF does not contain the transaction that it is about.');
  return subject;
}

/** Whether a transaction without proof spends, each once, outputs that are there, and no more than they hold. */
function checkSpends(transaction: ScannedTransaction, known: ReadonlyMap<string, ScannedTransaction>): void {
  const { txid, inputs, outputs } = transaction;
  if (inputs.length === 0) throw invalid('inputs', `Transaction ${txid} has no inputs.`);
  if (outputs.length === 0) throw invalid('amounts', `Transaction ${txid} has no outputs.`);
  const spent = new Set<string>();
  let available = 0n;
  for (const input of inputs) {
    const outpoint = `${input.txid}.${input.outputIndex}`;
    if (spent.has(outpoint)) throw invalid('inputs', `Transaction ${txid} spends the output ${outpoint} twice.`);
    spent.add(outpoint);
    const source = known.get(input.txid);
    if (source === undefined) {
      throw invalid(
        'incomplete',
        `The BEEF lacks transaction ${input.txid}, which ${txid} spends, or its merkle path.`,
      );
    }
    const satoshis = source.outputs[input.outputIndex];
    if (satoshis === undefined) {
      throw invalid('inputs', `Transaction ${txid} spends the output ${outpoint}, which does not exist.`);
    }
    available += satoshis;
  }
  if (outputs.reduce((sum, satoshis) => sum + satoshis, 0n) > available) {
    throw invalid('amounts', `Transaction ${txid} pays out more than it takes in.`);
  }
}

function isCoinbase({ inputs }: ScannedTransaction): boolean {
  return inputs.length === 1 && inputs[0]?.txid === COINBASE_SOURCE;
}

/** The merkle paths that were needed so far, in the order in which they were. */
class NeededBumps {
  readonly needed: ScannedBump[] = [];
  private readonly all: readonly ScannedBump[];
  private readonly newIndexes = new Map<ScannedBump, number>();

  constructor(all: readonly ScannedBump[]) {
    this.all = all;
  }

  get size(): number {
    return this.needed.reduce((sum, bump) => sum + bump.size, 0);
  }

  /** Index into `needed` of the path that has the transaction, whether or not the BEEF names it for it. */
  indexFor(transaction: ScannedTransaction): number | undefined {
    const named = transaction.bump === undefined ? undefined : this.all[transaction.bump];
    if (named !== undefined && !named.leaves.has(transaction.txid)) {
      throw invalid('proof', `The merkle path of transaction ${transaction.txid} is of other transactions.`);
    }
    const bump = named ?? this.all.find(({ leaves }) => leaves.has(transaction.txid));
    if (bump === undefined) return undefined;
    let index = this.newIndexes.get(bump);
    if (index === undefined) {
      index = this.needed.push(bump) - 1;
      this.newIndexes.set(bump, index);
    }
    return index;
  }

  heightOf(index: number): number {
    return this.needed[index]?.height ?? 0;
  }
}

function invalid(kind: InvalidTransactionError['kind'], message: string): InvalidTransactionError {
  return new InvalidTransactionError(kind, message);
}
