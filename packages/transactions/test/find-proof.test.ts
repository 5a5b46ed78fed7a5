import { MerklePath } from '@bsv/sdk';
import { findProof } from '../src/chain/find-proof.js';
import { ChainUnavailableError } from '../src/index.js';
import { loadToolbox } from '../src/toolbox.js';

const txid = 'ab'.repeat(32);
const sibling = 'cd'.repeat(32);
const path = new MerklePath(7, [
  [
    { offset: 0, hash: txid, txid: true },
    { offset: 1, hash: sibling },
  ],
]);
const root = path.computeRoot(txid);

/** @param block the root of block 7 */
const tracker = (block: string | Error) => ({
  currentHeight: async () => 7,
  isValidRootForHeight: async (asked: string, height: number) => {
    if (block instanceof Error) throw block;
    return height === 7 && asked === block;
  },
});
const find = (block: string | Error, wanted = txid) =>
  findProof({ getMerklePath: async () => ({ merklePath: path }) }, tracker(block), wanted);

test('returns a merkle path that leads to a block of the chain', async () => {
  const proof = await find(root);
  expect(proof?.blockHeight).toBe(7);
  expect(Buffer.from(proof?.raw ?? []).toString('hex')).toBe(path.toHex());
});

test('ignores a merkle path of another chain or of another transaction', async () => {
  expect(await find('ef'.repeat(32))).toBeUndefined();
  expect(await find(root, '12'.repeat(32))).toBeUndefined();
});

test('throws a retriable error when the chain does not answer', async () => {
  await expect(find(new Error('away'))).rejects.toThrow(ChainUnavailableError);
});

interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly data?: unknown;
}

/** The toolbox's services of main, with these answers from the internet. */
async function ask(whatsOnChain: Answer | Error, bitails: Answer | Error) {
  const { Services } = await loadToolbox();
  const httpClient = {
    request: async (url: string) => {
      const answer = url.includes('bitails') ? bitails : whatsOnChain;
      if (answer instanceof Error) throw answer;
      return { ok: answer.status === 200, data: undefined, ...answer };
    },
  };
  const services = new Services('main');
  for (const provider of [services.whatsonchain, services.bitails]) Object.assign(provider ?? {}, { httpClient });
  return await findProof(services, tracker(root), txid);
}

const NOT_FOUND: Answer = { status: 404, statusText: 'Not Found' };
const NOT_YET: Answer = { status: 200, statusText: 'OK' };
const BROKEN: Answer = { status: 503, statusText: 'Unavailable' };
const RESET = new Error('read ECONNRESET');

test.each([
  [NOT_FOUND, RESET],
  [NOT_YET, BROKEN],
  [BROKEN, NOT_FOUND],
  [RESET, NOT_FOUND],
])('returns nothing when one service knows that the transaction is in no block (%#)', async (whatsOnChain, bitails) => {
  expect(await ask(whatsOnChain, bitails)).toBeUndefined();
});

test.each([
  [RESET, RESET],
  [BROKEN, BROKEN],
])('throws a retriable error when no service knows (%#)', async (whatsOnChain, bitails) => {
  await expect(ask(whatsOnChain, bitails)).rejects.toThrow(ChainUnavailableError);
});
