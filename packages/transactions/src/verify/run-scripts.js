/**
 * The process that runs the scripts of strangers. This file is JavaScript, so that Node can start it from the sources
 * (tests) as well as from the build. The process may be killed at any moment, and has no data but its jobs.
 *
 * @typedef {{ root: string, height: number }} BlockRoot
 * @typedef {{ what: 'roots' | 'scripts', beef: Uint8Array, roots?: BlockRoot[], scriptMemory: number,
 *   signatureChecks: number, milliseconds: number }} Job with a limit in milliseconds of CPU
 * @typedef {{ refused: 'script' | 'proof' | 'limit' | 'time', because: string }} Refusal
 * @typedef {{ roots: BlockRoot[] } | Refusal} Answer
 */
import { getHeapStatistics } from 'node:v8';
import { Beef, Spend, Transaction } from '@bsv/sdk';

/** The remaining limits of the current job. */
const budget = { signatureChecks: 0, startedAt: 0, cpuAtStart: 0, milliseconds: 0 };

/** @type {Refusal | undefined} */
let exceeded;

const spendPrototype =
  /** @type {{ verifySignature(...values: unknown[]): boolean, step(...values: unknown[]): boolean }} */ (
    /** @type {unknown} */ (Spend.prototype)
  );
const { verifySignature, step } = spendPrototype;

// A signature check costs milliseconds, and each new key stays in the memory of the SDK. The interpreter treats an error
// here as a wrong signature and continues, so the next step ends the script.
spendPrototype.verifySignature = function (...values) {
  budget.signatureChecks -= 1;
  if (budget.signatureChecks < 0) {
    exceeded = { refused: 'limit', because: 'its scripts check too many signatures' };
    return false;
  }
  return verifySignature.apply(this, values);
};

spendPrototype.step = function (...values) {
  if (isTimeUp()) exceeded ??= { refused: 'time', because: 'its scripts take too long' };
  if (exceeded !== undefined) throw new Error(exceeded.because);
  return step.apply(this, values);
};

process.on('message', async (/** @type {Job} */ job) => {
  exceeded = undefined;
  budget.signatureChecks = job.signatureChecks;
  budget.milliseconds = job.milliseconds;
  budget.startedAt = performance.now();
  budget.cpuAtStart = cpuNow();
  const answer = job.what === 'roots' ? computeRoots(job) : await verify(job);
  const signatureChecks = job.signatureChecks - Math.max(0, budget.signatureChecks);
  process.send?.({ ...answer, signatureChecks, cpuMs: cpuNow() - budget.cpuAtStart, heapUsed: heapUsed() });
});
// The parent process has ended.
process.on('disconnect', () => process.exit());
process.send?.('ready');

function heapUsed() {
  return getHeapStatistics().used_heap_size;
}

function cpuNow() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Compares CPU time, because a busy machine delays the clock's time. The clock is read first, which is cheaper. */
function isTimeUp() {
  if (performance.now() - budget.startedAt <= budget.milliseconds) return false;
  return cpuNow() - budget.cpuAtStart > budget.milliseconds;
}

/**
 * @param {Job} job
 * @returns {Answer}
 */
function computeRoots({ beef }) {
  try {
    const { bumps } = Beef.fromBinary(/** @type {number[]} */ (/** @type {unknown} */ (beef)));
    return { roots: bumps.map((bump) => ({ root: bump.computeRoot(), height: bump.blockHeight })) };
  } catch (error) {
    return { refused: 'proof', because: toFirstLine(error) };
  }
}

/**
 * @param {Job} job
 * @returns {Promise<Answer>}
 */
async function verify({ beef, roots = [], scriptMemory }) {
  const right = new Set(roots.map(toRootKey));
  // The parent process checks whether coinbases are mature. At height 0 the SDK does not check it.
  const tracker = {
    currentHeight: async () => 0,
    isValidRootForHeight: async (/** @type {string} */ root, /** @type {number} */ height) =>
      right.has(toRootKey({ root, height })),
  };
  try {
    const transaction = Transaction.fromBEEF(/** @type {number[]} */ (/** @type {unknown} */ (beef)));
    const valid = await transaction.verify(tracker, undefined, scriptMemory);
    if (exceeded !== undefined) return exceeded;
    return valid ? { roots } : { refused: 'script', because: 'it ends with false' };
  } catch (error) {
    return exceeded ?? { refused: 'script', because: toFirstLine(error) };
  }
}

/** @param {BlockRoot} root */
function toRootKey({ root, height }) {
  return `${height} ${root}`;
}

/** @param {unknown} error */
function toFirstLine(error) {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/\.$/, '').slice(0, 200);
}
