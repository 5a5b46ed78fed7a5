import { Beef, LockingScript, MerklePath, Transaction } from '@bsv/sdk';
import { createFunding, createSpend, serializeTransaction, TestChain } from '@messagebox/test-kit';
import type { InvalidTransactionKind } from '../src/beef/invalid-transaction-error.js';
import {
  type BeefTransaction,
  collectWithAncestors,
  encodeVarInt,
  InvalidTransactionError,
  parseBeef,
  parseProof,
  parseTransaction,
  readBeef,
  serializeBeef,
  TransactionVerifier,
  toAtomicBeef,
} from '../src/index.js';

const V1 = Buffer.from('0100beef', 'hex');
const V2 = Buffer.from('0200beef', 'hex');
const MAX_SATOSHIS = 2_100_000_000_000_000;

let chain: TestChain;
beforeEach(() => {
  chain = new TestChain();
});

function expectRefused(read: () => unknown, kind: InvalidTransactionKind, reason: RegExp): void {
  let thrown: unknown;
  try {
    read();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(InvalidTransactionError);
  expect(thrown).toMatchObject({ kind, message: expect.stringMatching(reason) });
}

const raw = (transaction: Transaction) => Buffer.from(transaction.toUint8Array());
const pathOf = (transaction: Transaction) => Buffer.from(transaction.merklePath?.toBinary() ?? []);

function beefOf(paths: readonly Uint8Array[], entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat([V2, encodeVarInt(paths.length), ...paths, encodeVarInt(entries.length), ...entries]);
}

describe('a BEEF', () => {
  test('is parsed into inputs, outputs with scripts, merkle paths and its subject', () => {
    const funding = chain.mine(createFunding(['OP_1', 'OP_2 OP_DROP OP_1'], 1_000), 7);
    const last = createSpend([{ from: funding, index: 1 }], { satoshis: 400, lock: 'OP_3', outputs: 2 });
    const v2 = new Beef();
    v2.mergeTransaction(last);
    for (const bytes of [
      serializeTransaction(last),
      v2.toUint8Array(),
      toAtomicBeef(last.id('hex'), serializeTransaction(last)),
    ]) {
      const { subject, transactions, proofs } = parseBeef(bytes);
      expect(subject).toMatchObject({
        txid: last.id('hex'),
        inputs: [{ txid: funding.id('hex'), outputIndex: 1 }],
        proof: undefined,
      });
      expect(
        subject.outputs.map(({ satoshis, script }) => [satoshis, LockingScript.fromBinary([...script]).toASM()]),
      ).toEqual([
        [400, 'OP_3'],
        [400, 'OP_3'],
      ]);
      expect(Buffer.from(subject.raw)).toEqual(raw(last));
      expect([...transactions.keys()]).toEqual([funding.id('hex'), last.id('hex')]);
      expect(proofs).toHaveLength(1);
      expect(transactions.get(funding.id('hex'))?.proof).toMatchObject({ blockHeight: 7, size: 1 });
    }
  });

  test('leaves out a transaction that is an id only, which cannot be the subject', () => {
    const funding = chain.mine(createFunding(['OP_1']));
    const beef = new Beef();
    beef.mergeTransaction(funding);
    const onlyId = Buffer.concat([Buffer.of(2), Buffer.alloc(32, 0xab)]);
    const bytes = beefOf([pathOf(funding)], [Buffer.concat([Buffer.of(1, 0), raw(funding)]), onlyId]);
    const content = readBeef(bytes);
    expect(content.subjectTxid).toBe('ab'.repeat(32));
    expect([...content.transactions.keys()]).toEqual([funding.id('hex')]);
    expectRefused(() => parseBeef(bytes), 'incomplete', /does not contain/);
    expectRefused(
      () => parseBeef(toAtomicBeef('cd'.repeat(32), serializeTransaction(funding))),
      'incomplete',
      /does not contain/,
    );
  });

  test('uses the named one of two merkle paths for a transaction, or the first without a name', () => {
    const funding = createFunding(['OP_1']);
    const paths = [3, 4].map((height) => {
      const leaf = { offset: 0, hash: funding.id('hex'), txid: true };
      return Buffer.from(new MerklePath(height, [[leaf]]).toBinary());
    });
    const heightBy = (entry: Uint8Array) => parseBeef(beefOf(paths, [entry])).subject.proof?.blockHeight;
    expect(heightBy(Buffer.concat([Buffer.of(1, 1), raw(funding)]))).toBe(4);
    expect(heightBy(Buffer.concat([Buffer.of(1, 0), raw(funding)]))).toBe(3);
    expect(heightBy(Buffer.concat([Buffer.of(0), raw(funding)]))).toBe(3);
  });

  test.each([1, 2] as const)('in version %i is read by the SDK', (version) => {
    const funding = chain.mine(createFunding(['OP_1'], 1_000), 7);
    const last = createSpend([{ from: funding }], { satoshis: 400 });
    const { transactions } = parseBeef(serializeTransaction(last));
    const bytes = serializeBeef([...transactions.values()], version);
    expect(Beef.fromBinary([...bytes]).version & 0xff).toBe(version);
    expect(Transaction.fromBEEF([...bytes]).id('hex')).toBe(last.id('hex'));
    expect(Transaction.fromBEEF([...bytes]).inputs[0]?.sourceTransaction?.merklePath?.blockHeight).toBe(7);
    expect(parseBeef(bytes).subject.txid).toBe(last.id('hex'));
  });

  test('is refused with any number of merkle paths without a transaction', () => {
    const funding = createFunding(['OP_1']);
    const nothing = Buffer.from('0101' + '00', 'hex');
    expectRefused(
      () => readBeef(beefOf([nothing], [Buffer.concat([Buffer.of(0), raw(funding)])])),
      'malformed',
      /path/,
    );
  });

  test('can have more transactions than 16 bits can count', () => {
    const head = Buffer.from('01000000' + '00' + '00', 'hex');
    const all = Array.from({ length: 0x1_0001 }, (_, lockTime) => {
      const tail = Buffer.alloc(4);
      tail.writeUInt32LE(lockTime);
      return { ...parseTransaction(Buffer.concat([head, tail])), proof: undefined };
    });
    const { transactions } = readBeef(serializeBeef(all));
    expect([...transactions.keys()]).toEqual(all.map(({ txid }) => txid));
  });
});

describe('the parser', () => {
  test('refuses a path of other transactions, a path that does not exist, and a repeated transaction', () => {
    const [one, other] = [chain.mine(createFunding(['OP_1'])), chain.mine(createFunding(['OP_1']))];
    const entry = (transaction: Transaction, index: number) => Buffer.concat([Buffer.of(1, index), raw(transaction)]);
    const paths = [pathOf(one), pathOf(other)];
    expect(parseBeef(beefOf(paths, [entry(one, 0), entry(other, 1)])).transactions.size).toBe(2);
    // This also holds for a transaction that the subject does not need.
    expectRefused(() => readBeef(beefOf(paths, [entry(one, 1), entry(other, 1)])), 'proof', /does not contain it/);
    expectRefused(() => readBeef(beefOf(paths, [entry(one, 2)])), 'malformed', /does not exist/);
    expectRefused(() => readBeef(beefOf(paths, [entry(one, 0), entry(one, 0)])), 'malformed', /twice/);
  });

  test('refuses a wrong flag behind a transaction of V1', () => {
    const funding = chain.mine(createFunding(['OP_1']));
    const bytes = (flag: number) =>
      Buffer.concat([V1, Buffer.of(1), pathOf(funding), Buffer.of(1), raw(funding), Buffer.of(flag, 0)]);
    expect(parseBeef(bytes(1)).subject.proof).toBeDefined();
    expectRefused(() => parseBeef(bytes(2)), 'malformed', /not followed by the flag/);
  });

  test.each([
    ['an impossible block height', 'ff0000000001000000' + '01' + '01' + '0002', /block/],
    ['no levels', '05' + '00', /wrong height/],
    ['33 levels', `05${'21'}${'010001'.repeat(33)}`, /wrong height/],
    ['an impossible offset', '05' + '01' + '01' + 'fe00000080' + '01', /offset/],
    ['an offset without a hash', '05' + '01' + '01' + '00' + '02', /merkle path ends too early/],
    ['more hashes than bytes', '05' + '01' + 'feffffffff', /merkle path ends too early/],
    ['one byte too many', '05' + '01' + '01' + '0001' + '00', /after the end of the merkle path/],
  ])('refuses a merkle path with %s', (_name, hex, reason) => {
    expectRefused(() => parseProof(Buffer.from(hex, 'hex')), 'malformed', reason);
  });

  test('accepts a merkle path of 32 levels', () => {
    const bytes = Buffer.from(`05${'20'}${'010001'.repeat(32)}`, 'hex');
    expect(parseProof(bytes)).toMatchObject({ blockHeight: 5, size: 32 });
  });

  test('refuses bytes that are not exactly one transaction', () => {
    const bytes = raw(createFunding(['OP_1']));
    for (let length = 0; length < bytes.length; length += 1) {
      expectRefused(() => parseTransaction(bytes.subarray(0, length)), 'malformed', /transaction ends too early/);
    }
    const more = Buffer.concat([bytes, Buffer.of(0)]);
    expectRefused(() => parseTransaction(more), 'malformed', /after the end of the transaction/);
    const ofTwoHashes = createFunding([]);
    ofTwoHashes.addOutput({ lockingScript: LockingScript.fromHex('51515151'), satoshis: 1 });
    expectRefused(() => parseTransaction(raw(ofTwoHashes)), 'malformed', /64 bytes/);
    const rich = (satoshis: number) => () => parseTransaction(raw(createFunding(['OP_1'], satoshis)));
    expect(rich(MAX_SATOSHIS)().outputs[0]?.satoshis).toBe(MAX_SATOSHIS);
    expectRefused(rich(MAX_SATOSHIS + 1), 'malformed', /more satoshis than there are/);
  });

  test('refuses too many transactions before it reads them', () => {
    const bytes = serializeTransaction(createSpend([{ from: chain.mine(createFunding(['OP_1'])) }]));
    expect(readBeef(bytes, 2).transactions.size).toBe(2);
    expectRefused(() => readBeef(bytes, 1), 'limit', /more than 1 transactions/);
    expectRefused(() => readBeef(beefOf([], [Buffer.alloc(10, 9), Buffer.alloc(10, 9)]), 1), 'limit', /more than 1/);
  });

  test('refuses too many inputs, outputs and hashes together before it reads them', () => {
    const spend = createSpend([{ from: chain.mine(createFunding(['OP_1', 'OP_1'])) }]);
    const bytes = serializeTransaction(spend);
    const { transactions, proofs } = readBeef(bytes);
    const parts = [...transactions.values()].reduce(
      (sum, { inputs, outputs }) => sum + inputs.length + outputs.length,
      0,
    );
    const all = proofs.reduce((sum, { size }) => sum + size, parts);
    expect(all).toBeGreaterThan(parts);
    expect(readBeef(bytes, 2, all).transactions.size).toBe(2);
    expectRefused(() => readBeef(bytes, 2, all - 1), 'limit', /inputs, outputs and hashes/);
    // Outputs of nine bytes each, in a transaction that ends too early: the count alone is enough.
    const announced = Buffer.concat([Buffer.alloc(4), Buffer.of(0, 0xfd, 0xe8, 0x03), Buffer.alloc(9_000)]);
    expectRefused(
      () => readBeef(beefOf([], [Buffer.concat([Buffer.of(0), announced])]), 2, 999),
      'limit',
      /999 inputs/,
    );
  });

  test('lets the verifier see one satoshi too many beyond the precision of numbers', async () => {
    const funding = chain.mine(
      createFunding(
        Array.from({ length: 5 }, () => 'OP_1'),
        MAX_SATOSHIS,
      ),
    );
    const all = [0, 1, 2, 3, 4].map((index) => ({ from: funding, index }));
    const greedy = createSpend(all, { satoshis: MAX_SATOSHIS, outputs: 5 });
    greedy.addOutput({ lockingScript: LockingScript.fromASM('OP_1'), satoshis: 1 });
    const verifier = new TransactionVerifier(async () => chain);
    await expect(verifier.verify(parseBeef(serializeTransaction(greedy)))).rejects.toMatchObject({ kind: 'amounts' });
    await verifier.close();
  });
});

test('collectWithAncestors visits each input once, with any number of ancestors', () => {
  const count = 5_000;
  const id = (index: number) => index.toString(16).padStart(64, '0');
  const all = new Map<string, BeefTransaction>();
  const plain = { raw: new Uint8Array(10), outputs: [], lockTime: 0, proof: undefined };
  for (let index = 1; index <= count; index += 1) all.set(id(index), { ...plain, txid: id(index), inputs: [] });
  let looks = 0;
  const outpoints = [...all.keys()].map((txid) => ({
    txid,
    outputIndex: 0,
    script: new Uint8Array(0),
    sequence: 0xffffffff,
  }));
  const inputs = new Proxy(outpoints, {
    get(target, property, receiver) {
      if (typeof property === 'string' && /^\d+$/.test(property)) looks += 1;
      return Reflect.get(target, property, receiver);
    },
  });
  all.set(id(0), { ...plain, txid: id(0), inputs });
  expect(collectWithAncestors(id(0), (txid) => all.get(txid))).toHaveLength(count + 1);
  expect(looks).toBeLessThanOrEqual(count + 1);
});
