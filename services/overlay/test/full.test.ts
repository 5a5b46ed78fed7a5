import { waitUntil } from '@messagebox/test-kit';
import { addFunding, TestChain, toBeefBytes } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

const A = 'https://a.mailboxes.org';
const B = 'https://b.mailboxes.org';
const TOPIC = ['tm_messagebox'];

test('stored spends count to the size of the overlay, even when no transaction is stored', async () => {
  const chain = new TestChain();
  const host = await startHost(chain);
  const alice = new Person();
  const funding = chain.fund(50);
  const revocation = await alice.transaction(
    chain,
    [],
    [{ transaction: await alice.advertise(chain, A), index: 0 }],
    funding,
  );
  for (let index = 1; index < 50; index++) addFunding(revocation, funding, index);
  await revocation.sign();
  await host.engine.apply(toBeefBytes(revocation), TOPIC);
  expect(await host.rows()).toMatchObject({ overlay_transactions: 0, overlay_spends: 51 });
  expect(await host.storage.sumStoredBytes()).toBe(51 * 256);
  await host.close();
});

// One advertisement fills the overlay.
describe('an overlay that is full', () => {
  const chain = new TestChain();
  const alice = new Person();
  let host: Host;
  let first: Awaited<ReturnType<Person['advertise']>>;
  beforeEach(async () => {
    host = await startHost(chain, { size: { maxBytes: 1, intervalMs: 20 } });
    first = await alice.advertise(chain, A);
    await host.engine.apply(toBeefBytes(first), TOPIC);
    await waitUntil('the overlay is full', () => host.log.some((line) => line.includes('the overlay is full')));
  });
  afterEach(() => host.close());

  const submit = async (beef: Uint8Array) =>
    await fetch(`${host.url}/submit`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'x-topics': JSON.stringify(TOPIC) },
      body: Buffer.from(beef),
    });
  const hosts = async () => (await host.found({ identityKey: alice.identityKey })).map((found) => found.split(' ')[1]);

  test('refuses a transaction in no block, and stores no row', async () => {
    const before = await host.rows();
    const answer = await submit(toBeefBytes(await alice.advertise(chain, B)));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(await answer.json()).toMatchObject({ code: 'ERR_OVERLOADED', description: expect.stringMatching(/full/) });
    expect(await host.rows()).toEqual(before);
    expect(host.log.filter((line) => line.includes('the overlay is full'))).toHaveLength(1);
  });

  test('accepts transactions in a block, known ones and its own', async () => {
    expect((await submit(toBeefBytes(chain.mine(await alice.advertise(chain, B))))).status).toBe(200);
    expect(await hosts()).toEqual([B, A]);
    expect((await submit(toBeefBytes(first))).status).toBe(200);
    const own = await new Person().advertise(chain, A);
    expect(await host.engine.apply(toBeefBytes(own), TOPIC, { isOwn: true })).toMatchObject({
      tm_messagebox: { outputsToAdmit: [0] },
    });
  });

  test('accepts a revocation', async () => {
    const revocation = await alice.advertise(chain, B, [{ transaction: first, index: 0 }]);
    expect((await submit(toBeefBytes(revocation))).status).toBe(200);
    expect(await hosts()).toEqual([B]);
  });
});
