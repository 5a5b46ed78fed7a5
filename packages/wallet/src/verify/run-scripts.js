/**
 * The process in which strangers' scripts run. JavaScript and not TypeScript, so that Node can start it from the sources
 * (tests) as well as from the build. It may be ended at any moment, and knows nothing but what it is sent.
 *
 * @typedef {{ beef: Uint8Array, scriptMemory: number, signatureChecks: number, milliseconds: number }} Job
 * @typedef {{ root: string, height: number }} BlockRoot
 * @typedef {{ refused: 'script' | 'proof' | 'limit', because: string }} Refusal
 * @typedef {{ roots: BlockRoot[] } | Refusal} Answer
 */
import { getHeapStatistics } from 'node:v8';
import { Spend, Transaction } from '@bsv/sdk';

/** What the job that runs may still take. */
const budget = { signatureChecks: 0, deadline: 0 };

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
  if (performance.now() > budget.deadline) exceeded ??= { refused: 'limit', because: 'its scripts take too long' };
  if (exceeded !== undefined) throw new Error(exceeded.because);
  return step.apply(this, values);
};

process.on('message', async (/** @type {Job} */ job) => {
  exceeded = undefined;
  budget.signatureChecks = job.signatureChecks;
  budget.deadline = performance.now() + job.milliseconds;
  const answer = await verify(job);
  const signatureChecks = job.signatureChecks - Math.max(0, budget.signatureChecks);
  process.send?.({ ...answer, signatureChecks, heapUsed: getHeapStatistics().used_heap_size });
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
process.send?.('ready');

/**
 * @param {Job} job
 * @returns {Promise<Answer>}
 */
async function verify(job) {
  /** @type {Map<string, BlockRoot>} */
  const roots = new Map();
  // Believes every root, and writes it down for the other side to ask about. Whether a coinbase is mature is asked
  // there as well: at height 0 the library has no opinion.
  const collector = {
    currentHeight: async () => 0,
    isValidRootForHeight: async (/** @type {string} */ root, /** @type {number} */ height) => {
      roots.set(`${root} ${height}`, { root, height });
      return true;
    },
  };
  /** @type {Transaction} */
  let transaction;
  try {
    transaction = Transaction.fromBEEF(/** @type {number[]} */ (/** @type {unknown} */ (job.beef)));
  } catch (error) {
    return { refused: 'proof', because: textOf(error) };
  }
  try {
    const valid = await transaction.verify(collector, undefined, job.scriptMemory);
    if (exceeded !== undefined) return exceeded;
    return valid ? { roots: [...roots.values()] } : { refused: 'script', because: 'it ends with false' };
  } catch (error) {
    return exceeded ?? { refused: 'script', because: textOf(error) };
  }
}

/** @param {unknown} error */
function textOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/\.$/, '').slice(0, 200);
}
