import type { MerklePath, Transaction } from '@bsv/sdk';
import { ChainUnavailableError, type MerkleProof, parseProof } from '@messagebox/transactions';
import { TestChain, toBeefBytes } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

// The play chain mines each transaction at once, so its merkle path is fetched during the submission.
const A = 'https://a.mailboxes.org';
const TOPIC = 'tm_messagebox';
let chain: TestChain;
let down: boolean;
let host: Host;
const mined = new Map<string, MerklePath>();

async function proofAtOnce(txid: string): Promise<MerkleProof | undefined> {
  if (down) throw new ChainUnavailableError(new Error('away'));
  const path = mined.get(txid);
  return path && parseProof(Uint8Array.from(path.toBinary()));
}

beforeEach(async () => {
  chain = new TestChain();
  down = false;
  host = await startHost(chain, { fetchProofNow: proofAtOnce });
});
afterEach(() => host.close());

const submit = async (transaction: Transaction) => (await host.engine.apply(toBeefBytes(transaction), [TOPIC]))[TOPIC];

/** Mines a transaction, and removes its merkle path, as clients submit it. */
function mine(transaction: Transaction): Transaction {
  const path = chain.mine(transaction).merklePath;
  if (path === undefined) throw new Error('the transaction is in no block');
  mined.set(transaction.id('hex'), path);
  delete transaction.merklePath;
  return transaction;
}

test('an advertisement after a revocation is found as soon as it is submitted', async () => {
  const alice = new Person();
  const first = mine(await alice.advertise(chain, A));
  await submit(first);
  await submit(mine(await alice.transaction(chain, [], [{ transaction: first, index: 0 }])));
  expect(await host.found({})).toEqual([]);
  const again = mine(await alice.advertise(chain, A));
  expect((await submit(again))?.outputsToAdmit).toEqual([0]);
  expect(await host.found({})).toEqual([`${alice.identityKey} ${A}`]);
  expect(await host.storage.applied.find(again.id('hex'), TOPIC)).toMatchObject({ proven: true });
});

test('an advertisement in no block is admitted without a merkle path', async () => {
  const alice = new Person();
  const ad = await alice.advertise(chain, A);
  await submit(ad);
  expect(await host.found({})).toEqual([`${alice.identityKey} ${A}`]);
  expect(await host.storage.applied.find(ad.id('hex'), TOPIC)).toMatchObject({ proven: false });
});

test('an advertisement is admitted while the chain is unavailable', async () => {
  down = true;
  const alice = new Person();
  expect((await submit(mine(await alice.advertise(chain, A))))?.outputsToAdmit).toEqual([0]);
  expect(await host.found({})).toEqual([`${alice.identityKey} ${A}`]);
  expect(host.log.some((line) => line.includes('the chain could not be asked for a merkle path at once'))).toBe(true);
});
