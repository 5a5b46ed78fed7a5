import { MerklePath } from '@bsv/sdk';
import { findProof } from '../src/chain/find-proof.js';
import { ChainUnavailableError } from '../src/index.js';

const txid = 'ab'.repeat(32);
const path = new MerklePath(7, [
  [
    { offset: 0, hash: txid, txid: true },
    { offset: 1, hash: 'cd'.repeat(32) },
  ],
]);
const root = path.computeRoot(txid);

/** @param known what the services know, @param block the root of block 7 */
const find = (known: MerklePath | undefined, block: string | Error, wanted = txid) =>
  findProof(
    { getMerklePath: async () => ({ ...(known === undefined ? {} : { merklePath: known }) }) },
    {
      currentHeight: async () => 7,
      isValidRootForHeight: async (asked, height) => {
        if (block instanceof Error) throw block;
        return height === 7 && asked === block;
      },
    },
    wanted,
  );

test('a merkle path that leads to a block of the chain', async () => {
  const proof = await find(path, root);
  expect(proof?.blockHeight).toBe(7);
  expect(Buffer.from(proof?.raw ?? []).toString('hex')).toBe(path.toHex());
});

test('none, one of another chain, and one of another transaction', async () => {
  expect(await find(undefined, root)).toBeUndefined();
  expect(await find(path, 'ef'.repeat(32))).toBeUndefined();
  expect(await find(path, root, '12'.repeat(32))).toBeUndefined();
});

test('a chain that does not answer', async () => {
  await expect(find(path, new Error('away'))).rejects.toThrow(ChainUnavailableError);
});
