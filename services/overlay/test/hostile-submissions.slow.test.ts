import { LockingScript, Transaction, UnlockingScript } from '@bsv/sdk';
import { TestChain, toBeefBytes } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

/** A script that hashes 50,000 bytes 20,000 times, which exceeds the time limit of a script. */
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

/** A transaction that spends an output with a very slow script. */
function createExpensiveBeef(): Uint8Array {
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
  return toBeefBytes(transaction);
}

test.each([
  ['4 addresses, 16 from each', 4, 16],
  ['40 addresses, one from each', 40, 1],
])(
  'submissions with slow scripts from %s do not stop other addresses from being served',
  async (_what, addresses, each) => {
    const beef = createExpensiveBeef();
    const attack = Array.from({ length: addresses * each }, (_, i) => submit(beef, `198.51.100.${i % addresses}`));
    for (const from of ['203.0.113.1', '203.0.113.2', '203.0.113.1']) {
      const response = await submit(toBeefBytes(await new Person().advertise(chain, 'https://a.mailboxes.org')), from);
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

test('a transaction that is not final is refused, and accepted once it is final', async () => {
  const alice = new Person();
  const ad = await alice.advertise(chain, 'https://a.mailboxes.org');
  ad.lockTime = chain.height + 1;
  for (const input of ad.inputs) input.sequence = 0;
  const before = await host.rows();
  const refused = await submit(toBeefBytes(ad), '203.0.113.1');
  const text = await refused.text();
  expect({ status: refused.status, text }).toEqual({ status: 400, text: expect.stringContaining('not final') });
  expect(await host.rows()).toEqual(before);
  chain.fund();
  expect((await submit(toBeefBytes(ad), '203.0.113.1')).status).toBe(200);
});
