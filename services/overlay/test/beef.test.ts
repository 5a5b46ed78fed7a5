import { Beef, LockingScript, Transaction } from '@bsv/sdk';
import {
  type BeefTransaction,
  collectWithAncestors,
  InvalidTransactionError,
  parseBeef,
  parseTransaction,
  serializeBeef,
} from '@messagebox/transactions';
import { addFunding, TestChain, toBeefBytes } from './support/chain.js';
import { Person } from './support/person.js';

const chain = new TestChain();

/** A chain of transactions, each of which spends two outputs of the one before. */
function diamonds(length: number): Transaction {
  let tip = chain.fund(2);
  for (let i = 0; i < length; i++) {
    const next = new Transaction();
    addFunding(next, tip, 0);
    addFunding(next, tip, 1);
    next.addOutput({ lockingScript: LockingScript.fromASM('OP_1'), satoshis: 1 });
    next.addOutput({ lockingScript: LockingScript.fromASM('OP_1'), satoshis: 1 });
    tip = next;
  }
  return tip;
}

/** Serializes without the SDK, which would visit the ancestors exponentially often. */
function beefOf(transaction: Transaction): Buffer {
  const all = new Map<string, BeefTransaction>();
  for (let tip: Transaction | undefined = transaction; tip !== undefined; tip = tip.inputs[0]?.sourceTransaction) {
    const raw = parseTransaction(tip.toUint8Array());
    const mined = tip.merklePath;
    const bump = mined && Uint8Array.from(mined.toBinary());
    const proof = bump && { raw: bump, blockHeight: mined.blockHeight, leaves: new Set([raw.txid]) };
    all.set(raw.txid, { ...raw, proof });
  }
  return serializeBeef(collectWithAncestors(transaction.id('hex'), (txid) => all.get(txid)));
}

test('parseBeef reads the formats that the SDK writes: V1, V2 and AtomicBEEF', async () => {
  const alice = new Person();
  const first = await alice.advertise(chain, 'https://a.mailboxes.org');
  const second = await alice.advertise(chain, 'https://b.mailboxes.org', [{ transaction: first, index: 0 }]);
  const v2 = new Beef();
  v2.mergeTransaction(second);
  for (const bytes of [second.toBEEF(), second.toAtomicBEEF(), v2.toBinaryAtomic(second.id('hex'))]) {
    const { subject, transactions } = parseBeef(Uint8Array.from(bytes));
    expect(subject.txid).toBe(second.id('hex'));
    expect(subject.inputs.map((input) => ({ ...input, script: Buffer.from(input.script).toString('hex') }))).toEqual(
      second.inputs.map((input) => ({
        txid: input.sourceTransaction?.id('hex'),
        outputIndex: input.sourceOutputIndex,
        script: input.unlockingScript?.toHex(),
        sequence: input.sequence,
      })),
    );
    expect(subject.lockTime).toBe(second.lockTime);
    expect(subject.outputs.map(({ script, satoshis }) => [Buffer.from(script).toString('hex'), satoshis])).toEqual(
      second.outputs.map((output) => [output.lockingScript.toHex(), output.satoshis]),
    );
    expect([...transactions.values()].filter(({ proof }) => proof !== undefined)).toHaveLength(2);
    const again = serializeBeef(collectWithAncestors(subject.txid, (txid) => transactions.get(txid)));
    const read = Transaction.fromBEEF([...again]);
    expect(read.id('hex')).toBe(subject.txid);
    expect(await read.verify(chain)).toBe(true);
  }
});

test('parseBeef refuses every truncated BEEF', async () => {
  const bytes = toBeefBytes(await new Person().advertise(chain, 'https://a.mailboxes.org'));
  for (let length = 0; length < bytes.length; length++) {
    expect(() => parseBeef(bytes.subarray(0, length))).toThrow(InvalidTransactionError);
  }
});

test('serializeBeef writes each merkle path once when several BEEFs are merged', async () => {
  const funding = chain.fund(2);
  const alice = new Person();
  const script = await alice.messageBoxAd('https://a.mailboxes.org');
  const ads = await Promise.all([0, 1].map(() => alice.transaction(chain, [script], [], funding)));
  const parsed = ads.map((ad) => parseBeef(toBeefBytes(ad)));
  const all = new Map(parsed.flatMap(({ transactions }) => [...transactions]));
  expect(Beef.fromBinary([...serializeBeef([...all.values()])]).bumps).toHaveLength(1);
});

test('collectWithAncestors visits each ancestor once when they are reachable in many ways', () => {
  const tip = diamonds(60);
  const { transactions } = parseBeef(beefOf(tip));
  expect(transactions.size).toBe(61);
  expect(collectWithAncestors(tip.id('hex'), (txid) => transactions.get(txid))).toHaveLength(61);
});

test('parseBeef reads 9,000 generations of ancestors without a stack overflow', () => {
  const { transactions } = parseBeef(beefOf(diamonds(9_000)));
  expect(transactions.size).toBe(9_001);
});

test('collectWithAncestors refuses a circle and a missing ancestor', () => {
  const make = (txid: string, parent: string): BeefTransaction => ({
    txid,
    raw: new Uint8Array(10),
    inputs: [{ txid: parent, outputIndex: 0, script: new Uint8Array(0), sequence: 0xffffffff }],
    outputs: [],
    lockTime: 0,
    proof: undefined,
  });
  const all = new Map([make('a', 'b'), make('b', 'c'), make('c', 'a'), make('d', 'e')].map((one) => [one.txid, one]));
  expect(() => collectWithAncestors('a', (txid) => all.get(txid))).toThrow('circle');
  expect(() => collectWithAncestors('d', (txid) => all.get(txid))).toThrow('lacks transaction');
});
