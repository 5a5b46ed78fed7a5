/**
 * The process in which strangers' scripts run. JavaScript and not TypeScript, so that Node can start it from the sources
 * (tests) as well as from the build. It may be ended at any moment, and knows nothing but what it is sent.
 *
 * @typedef {{ root: string, height: number }} BlockRoot
 * @typedef {{ what: 'roots' | 'scripts', beef: Uint8Array, roots?: BlockRoot[], scriptMemory: number,
 *   signatureChecks: number, milliseconds: number }} Job of that many milliseconds of CPU
 * @typedef {{ refused: 'script' | 'proof' | 'limit' | 'time', because: string }} Refusal
 * @typedef {{ roots: BlockRoot[] } | Refusal} Answer
 */
import { getHeapStatistics } from 'node:v8';
import { Beef, Spend, Transaction } from '@bsv/sdk';

/** What the job that runs may still take. */
const budget = { signatureChecks: 0, startedAt: 0, cpuAtStart: 0, milliseconds: 0 };

/** @type {Refusal | undefined} */
let exceeded;

const spendPrototype =
  /** @type {{ verifySignature(...values: unknown[]): boolean, step(...values: unknown[]): boolean }} */ (
    /** @type {unknown} */ (Spend.prototype)
  );
const { verifySignature, step } = spendPrototype;

// A signature check costs a millisecond, and a key that was not seen before stays in the library's memory. The
// interpreter takes an error here for a wrong signature and goes on, so that the next step ends it.
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
  const answer = job.what === 'roots' ? rootsOf(job) : await verify(job);
  const signatureChecks = job.signatureChecks - Math.max(0, budget.signatureChecks);
  process.send?.({ ...answer, signatureChecks, cpuMs: cpuNow() - budget.cpuAtStart, heapUsed: heapUsed() });
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
process.send?.('ready');

function heapUsed() {
  return getHeapStatistics().used_heap_size;
}

function cpuNow() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Of CPU: on a busy machine the clock says nothing of what a script costs. Not sooner by the clock, which is read faster. */
function isTimeUp() {
  if (performance.now() - budget.startedAt <= budget.milliseconds) return false;
  return cpuNow() - budget.cpuAtStart > budget.milliseconds;
}

/**
 * @param {Job} job
 * @returns {Answer}
 */
function rootsOf({ beef }) {
  try {
    const { bumps } = Beef.fromBinary(/** @type {number[]} */ (/** @type {unknown} */ (beef)));
    return { roots: bumps.map((bump) => ({ root: bump.computeRoot(), height: bump.blockHeight })) };
  } catch (error) {
    return { refused: 'proof', because: textOf(error) };
  }
}

/**
 * @param {Job} job
 * @returns {Promise<Answer>}
 */
async function verify({ beef, roots = [], scriptMemory }) {
  const right = new Set(roots.map(keyOf));
  // Whether a coinbase is mature is asked on the other side: at height 0 the library has no opinion.
  const tracker = {
    currentHeight: async () => 0,
    isValidRootForHeight: async (/** @type {string} */ root, /** @type {number} */ height) =>
      right.has(keyOf({ root, height })),
  };
  try {
    const transaction = Transaction.fromBEEF(/** @type {number[]} */ (/** @type {unknown} */ (beef)));
    const valid = await transaction.verify(tracker, undefined, scriptMemory);
    if (exceeded !== undefined) return exceeded;
    return valid ? { roots } : { refused: 'script', because: 'it ends with false' };
  } catch (error) {
    return exceeded ?? { refused: 'script', because: textOf(error) };
  }
}

/** @param {BlockRoot} root */
function keyOf({ root, height }) {
  return `${height} ${root}`;
}

/** @param {unknown} error */
function textOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/\.$/, '').slice(0, 200);
}
