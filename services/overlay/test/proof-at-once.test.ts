import type { MerklePath, Transaction } from '@bsv/sdk';
import { ChainUnavailableError, type MerkleProof, parseProof } from '@messagebox/wallet';
import { bytesOf, TestChain } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

/** On the play chain all is in a block at once, so nobody has to wait until the chain is asked in its turn. */
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
  host = await startHost(chain, { proofAtOnce });
});
afterEach(() => host.close());

const submit = async (transaction: Transaction) => (await host.engine.apply(bytesOf(transaction), [TOPIC]))[TOPIC];

/** In a block as the chain knows, and without a merkle path as clients submit it. */
function mine(transaction: Transaction): Transaction {
  const path = chain.mine(transaction).merklePath;
  if (path === undefined) throw new Error('it is in no block');
  mined.set(transaction.id('hex'), path);
  delete transaction.merklePath;
  return transaction;
}

test('what was revoked and is advertised again is found as soon as it is submitted', async () => {
  const alice = new Person();
  const first = mine(await alice.advertise(chain, A));
  await submit(first);
  await submit(mine(await alice.transaction(chain, [], [{ transaction: first, index: 0 }])));
  expect(await host.found({})).toEqual([]);
  const again = mine(await alice.advertise(chain, A));
  expect((await submit(again))?.outputsToAdmit).toEqual([0]);
  expect(await host.found({})).toEqual([`${alice.identityKey} ${A}`]);
  expect(await host.storage.findApplied(again.id('hex'), TOPIC)).toMatchObject({ proven: true });
});

test('what is in no block is admitted without', async () => {
  const alice = new Person();
  const ad = await alice.advertise(chain, A);
  await submit(ad);
  expect(await host.found({})).toEqual([`${alice.identityKey} ${A}`]);
  expect(await host.storage.findApplied(ad.id('hex'), TOPIC)).toMatchObject({ proven: false });
});

test('while the chain can not be asked, what comes is admitted all the same', async () => {
  down = true;
  const alice = new Person();
  expect((await submit(mine(await alice.advertise(chain, A))))?.outputsToAdmit).toEqual([0]);
  expect(await host.found({})).toEqual([`${alice.identityKey} ${A}`]);
  expect(host.log.some((line) => line.includes('the chain could not be asked for a merkle path at once'))).toBe(true);
});
