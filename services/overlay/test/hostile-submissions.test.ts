import { LockingScript, Transaction, UnlockingScript } from '@bsv/sdk';
import { bytesOf, TestChain } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

/** Hashes 50,000 bytes 20,000 times: more than any script may take. */
const SLOW = `${'7f'.repeat(50_000)} ${'OP_DUP OP_SHA256 OP_DROP '.repeat(20_000)}`;

let chain: TestChain;
let host: Host;
beforeEach(async () => {
  chain = new TestChain();
  host = await startHost(chain, { trustedProxies: 1 });
});
afterEach(() => host.close());

async function submit(beef: Uint8Array, from: string): Promise<Response> {
  const headers = { 'x-topics': '["tm_messagebox"]', 'x-forwarded-for': from };
  return await fetch(`${host.url}/submit`, { method: 'POST', body: beef, headers });
}

/** Spends an output of which only a script that takes forever says whether it may be spent. */
function dear(): Uint8Array {
  const funding = new Transaction();
  funding.addInput({ sourceTXID: 'bb'.repeat(32), sourceOutputIndex: 0, unlockingScript: new UnlockingScript() });
  funding.addOutput({ lockingScript: LockingScript.fromASM(SLOW), satoshis: 1_000 });
  const transaction = new Transaction();
  transaction.addInput({
    sourceTransaction: chain.mine(funding),
    sourceTXID: funding.id('hex'),
    sourceOutputIndex: 0,
    unlockingScript: new UnlockingScript(),
    sequence: 0xffffffff,
  });
  transaction.addOutput({ lockingScript: LockingScript.fromASM('OP_1'), satoshis: 1 });
  return bytesOf(transaction);
}

test.each([
  ['4 addresses, 16 from each', 4, 16],
  ['40 addresses, one from each', 40, 1],
])(
  'submissions whose scripts take as long as they may, from %s, keep nobody from being served',
  async (_what, addresses, each) => {
    const beef = dear();
    const attack = Array.from({ length: addresses * each }, (_, i) => submit(beef, `198.51.100.${i % addresses}`));
    for (const from of ['203.0.113.1', '203.0.113.2', '203.0.113.1']) {
      const response = await submit(bytesOf(await new Person().advertise(chain, 'https://a.mailboxes.org')), from);
      expect({ status: response.status, text: await response.text() }).toMatchObject({ status: 200 });
    }
    for (const response of await Promise.all(attack)) {
      expect([400, 503]).toContain(response.status);
      if (response.status === 503) expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
      await response.arrayBuffer();
    }
  },
  120_000,
);

test('a submission that is not final is refused, and is taken once it is', async () => {
  const alice = new Person();
  const ad = await alice.advertise(chain, 'https://a.mailboxes.org');
  ad.lockTime = chain.height + 1;
  for (const input of ad.inputs) input.sequence = 0;
  const before = await host.rows();
  const refused = await submit(bytesOf(ad), '203.0.113.1');
  const text = await refused.text();
  expect({ status: refused.status, text }).toEqual({ status: 400, text: expect.stringContaining('not final') });
  expect(await host.rows()).toEqual(before);
  chain.fund();
  expect((await submit(bytesOf(ad), '203.0.113.1')).status).toBe(200);
});
