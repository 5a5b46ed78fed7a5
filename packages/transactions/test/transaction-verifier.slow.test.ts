import childProcess from 'node:child_process';
import { Beef, LockingScript, P2PKH, PrivateKey, Transaction } from '@bsv/sdk';
import { createFunding, createSpend, serializeTransaction, TestChain } from '@messagebox/test-kit';
import type { InvalidTransactionKind } from '../src/beef/invalid-transaction-error.js';
import { computeTxid } from '../src/beef/transaction.js';
import {
  ChainUnavailableError,
  InvalidTransactionError,
  TransactionVerifier,
  toAtomicBeef,
  VerifierBusyError,
} from '../src/index.js';
import { ScriptProcess } from '../src/verify/script-process.js';

let chain: TestChain;
let verifier: TransactionVerifier;

beforeEach(() => {
  chain = new TestChain();
  verifier = new TransactionVerifier(async () => chain);
});
afterEach(() => verifier.close());

/** Parses and verifies a BEEF, as the callers of the verifier do. */
const verifyBytes = async (by: TransactionVerifier, bytes: Uint8Array, askedBy?: string) =>
  by.verify(by.parse(bytes), askedBy);

async function refusal(beef: Uint8Array, by = verifier): Promise<InvalidTransactionError> {
  const error = await verifyBytes(by, beef).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof InvalidTransactionError)) throw new Error(`refused for another reason: ${error}`);
  return error;
}

async function expectRefused(beef: Uint8Array, kind: InvalidTransactionKind, reason: RegExp): Promise<void> {
  const error = await refusal(beef);
  expect({ kind: error.kind, message: error.message }).toEqual({ kind, message: expect.stringMatching(reason) });
  expect(error.message.length).toBeLessThan(400);
}

/** A payment to a key, spent by a signature. */
async function signed(): Promise<{ funding: Transaction; transaction: Transaction }> {
  const key = PrivateKey.fromRandom();
  const funding = createFunding([]);
  funding.addOutput({ lockingScript: new P2PKH().lock(key.toAddress()), satoshis: 1_000 });
  chain.mine(funding);
  const transaction = new Transaction();
  transaction.addInput({
    sourceTransaction: funding,
    sourceOutputIndex: 0,
    unlockingScriptTemplate: new P2PKH().unlock(key),
  });
  transaction.addOutput({ lockingScript: new P2PKH().lock(key.toAddress()), satoshis: 900 });
  await transaction.sign();
  return { funding, transaction };
}

describe('the verifier accepts', () => {
  test('a signed transaction in BEEF V1, V2 and AtomicBEEF', async () => {
    const { transaction } = await signed();
    const txid = transaction.id('hex');
    for (const beef of [transaction.toBEEF(), transaction.toAtomicBEEF(), transaction.toBEEFUint8Array()]) {
      const verified = await verifyBytes(verifier, Uint8Array.from(beef));
      expect(verified).toMatchObject({ txid, proven: false });
      const outputs = transaction.outputs.map(({ satoshis, lockingScript }) => ({
        satoshis,
        script: lockingScript.toUint8Array(),
      }));
      expect(verified.outputs.map(({ satoshis, script }) => ({ satoshis, script: Uint8Array.from(script) }))).toEqual(
        outputs,
      );
      expect(verifier.parse(Uint8Array.from(beef)).subject.txid).toBe(txid);
      expect(Transaction.fromBEEF([...verified.beef]).id('hex')).toBe(txid);
    }
    const v2 = new Beef();
    v2.mergeTransaction(transaction);
    expect(await verifyBytes(verifier, v2.toUint8Array())).toMatchObject({ txid });
  });

  test('a proven transaction without its ancestors, whatever its scripts are', async () => {
    const funding = chain.mine(createFunding(['OP_0']));
    const verified = await verifyBytes(verifier, serializeTransaction(funding));
    expect(verified).toMatchObject({ txid: funding.id('hex'), proven: true });
  });

  test('a chain of unproven ancestors that is longer than the call stack', async () => {
    let last = chain.mine(createFunding(['OP_1'], 1_000));
    for (let depth = 0; depth < 150; depth += 1) last = createSpend([{ from: last }], { satoshis: 999 - depth });
    const verified = await verifyBytes(verifier, serializeTransaction(last));
    expect(verified.txid).toBe(last.id('hex'));
    expect(Beef.fromBinary([...verified.beef]).txs).toHaveLength(151);
  });

  test('an AtomicBEEF, and leaves out what its subject does not need', async () => {
    const [one, other] = [chain.mine(createFunding(['OP_1'])), chain.mine(createFunding(['OP_1']))];
    const [spendOne, spendOther] = [createSpend([{ from: one }]), createSpend([{ from: other }])];
    const beef = new Beef();
    beef.mergeTransaction(spendOne);
    beef.mergeTransaction(spendOther);
    const verified = await verifyBytes(verifier, toAtomicBeef(spendOne.id('hex'), beef.toUint8Array()));
    expect(verified.txid).toBe(spendOne.id('hex'));
    expect(Beef.fromBinary([...verified.beef]).txs.map(({ txid }) => txid)).toEqual([
      one.id('hex'),
      spendOne.id('hex'),
    ]);
    expect(chain.requestedRoots).toBe(1);
    expect(Transaction.fromAtomicBEEF([...toAtomicBeef(verified.txid, verified.beef)]).id('hex')).toBe(verified.txid);
  });

  test('descendants before ancestors, and puts them in order', async () => {
    const funding = chain.mine(createFunding(['OP_1']));
    const [first, second] = [createSpend([{ from: funding }]), undefined];
    const last = createSpend([{ from: first }], { satoshis: 800 });
    expect(second).toBeUndefined();
    const raws = [last, first].map((transaction) => Buffer.from([0, ...transaction.toBinary()]));
    const path = Buffer.from(funding.merklePath?.toBinary() ?? []);
    const bytes = Buffer.concat([
      Buffer.from('0200beef', 'hex'),
      Buffer.of(1),
      path,
      Buffer.of(3),
      ...raws,
      Buffer.from([1, 0, ...funding.toBinary()]),
    ]);
    const verified = await verifyBytes(verifier, toAtomicBeef(last.id('hex'), bytes));
    expect(Beef.fromBinary([...verified.beef]).txs.map(({ txid }) => txid)).toEqual([
      funding.id('hex'),
      first.id('hex'),
      last.id('hex'),
    ]);
  });

  test('a spent coinbase that is 100 blocks deep, and not before', async () => {
    const coinbase = createFunding(['OP_1']);
    const [input] = coinbase.inputs;
    if (input === undefined) throw new Error('no input');
    input.sourceTXID = '00'.repeat(32);
    input.sourceOutputIndex = 0xffffffff;
    chain.mine(coinbase, 5);
    const beef = serializeTransaction(createSpend([{ from: coinbase }]));
    chain.roots.set(104, 'tip');
    await expectRefused(beef, 'proof', /coinbase of block 5 is spent before it is 100 blocks deep/);
    chain.roots.set(105, 'tip');
    expect(await verifyBytes(verifier, beef)).toMatchObject({ proven: false });
    expect(await verifyBytes(verifier, serializeTransaction(coinbase))).toMatchObject({ proven: true });
  });
});

describe('the parser refuses', () => {
  test('a BEEF that is truncated anywhere', async () => {
    const { transaction } = await signed();
    const whole = serializeTransaction(transaction);
    for (let length = 0; length < whole.length; length += 1) {
      const error = await refusal(whole.subarray(0, length));
      expect(error.kind).toBe('malformed');
    }
    expect(chain.requestedRoots).toBe(0);
  });

  test('a BEEF with one changed bit, unless the transaction is the same', async () => {
    const { transaction } = await signed();
    const whole = serializeTransaction(transaction);
    let refused = 0;
    for (let index = 0; index < whole.length; index += 3) {
      const changed = Uint8Array.from(whole);
      changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8));
      const result = await verifyBytes(verifier, changed).catch((error: unknown) => error);
      if (result instanceof InvalidTransactionError) refused += 1;
      else expect(result).toMatchObject({ txid: transaction.id('hex') });
    }
    expect(refused).toBeGreaterThan(whole.length / 3 - 8);
  });

  test('random bytes, text, nothing, and bytes after the end', async () => {
    let seed = 7;
    const random = (length: number) =>
      Uint8Array.from({ length }, () => {
        seed = (seed * 48271) % 2147483647;
        return seed & 255;
      });
    for (let length = 1; length < 300; length += 7) expect((await refusal(random(length))).kind).toBe('malformed');
    for (const head of ['0100beef', '0200beef', `01010101${'ab'.repeat(32)}0100beef`]) {
      for (let length = 0; length < 200; length += 9) {
        const bytes = Buffer.concat([Buffer.from(head, 'hex'), random(length)]);
        expect((await refusal(bytes)).kind).toBe('malformed');
      }
    }
    await expectRefused(Buffer.from('{"beef":true}'), 'malformed', /not a BEEF/);
    const { transaction } = await signed();
    await expectRefused(Buffer.from([...transaction.toBEEF(), 0]), 'malformed', /after the end/);
  });

  test('counts that exceed the bytes', async () => {
    for (const count of ['fdffff', 'feffffffff', 'ffffffffffffffffff']) {
      await expectRefused(Buffer.from(`0200beef${count}`, 'hex'), 'malformed', /ends too early/);
      await expectRefused(Buffer.from(`0200beef00${count}`, 'hex'), 'malformed', /ends too early/);
      await expectRefused(Buffer.from(`0200beef010101${count}`, 'hex'), 'malformed', /ends too early/);
    }
  });

  test('a repeated transaction, a merkle path that does not exist, and no transaction at all', async () => {
    const funding = chain.mine(createFunding(['OP_1']));
    const raw = Buffer.from(funding.toBinary());
    const path = Buffer.from(funding.merklePath?.toBinary() ?? []);
    const head = Buffer.concat([Buffer.from('0200beef', 'hex'), Buffer.of(1), path]);
    const entry = Buffer.concat([Buffer.of(1, 0), raw]);
    await expectRefused(Buffer.concat([head, Buffer.of(2), entry, entry]), 'malformed', /twice/);
    await expectRefused(Buffer.concat([head, Buffer.of(1), Buffer.of(1, 1), raw]), 'malformed', /does not exist/);
    await expectRefused(Buffer.concat([head, Buffer.of(1), Buffer.of(3), raw]), 'malformed', /unknown format/);
    await expectRefused(Buffer.concat([head, Buffer.of(0)]), 'malformed', /too early|no transaction/);
  });

  test('a transaction of 64 bytes, which could be two hashes', async () => {
    const transaction = createFunding([]);
    transaction.addOutput({ lockingScript: LockingScript.fromHex('51515151'), satoshis: 1 });
    chain.mine(transaction);
    expect(transaction.toBinary()).toHaveLength(64);
    await expectRefused(serializeTransaction(transaction), 'malformed', /64 bytes/);
  });
});

describe('the verifier refuses', () => {
  test('a missing ancestor, or one that is an id only', async () => {
    const funding = chain.mine(createFunding(['OP_1']));
    const first = createSpend([{ from: funding }]);
    const last = createSpend([{ from: first }], { satoshis: 800 });
    const beef = new Beef();
    beef.mergeTransaction(last);
    beef.txs = beef.txs.filter(({ txid }) => txid !== first.id('hex'));
    const raw = (parts: Beef) => Uint8Array.from(parts.toBinary());
    await expectRefused(toAtomicBeef(last.id('hex'), raw(beef)), 'incomplete', /lacks transaction/);
    beef.mergeTxidOnly(first.id('hex'));
    await expectRefused(toAtomicBeef(last.id('hex'), raw(beef)), 'incomplete', /lacks transaction/);
    const onlyId = new Beef();
    onlyId.mergeTxidOnly(first.id('hex'));
    await expectRefused(raw(onlyId), 'incomplete', /does not contain/);
    await expectRefused(toAtomicBeef('ab'.repeat(32), raw(beef)), 'incomplete', /does not contain/);
  });

  test('transactions that name each other, because their ids cannot be true', async () => {
    const [left, right] = [createFunding(['OP_1']), createFunding(['OP_1'])];
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const) {
      const [input] = one.inputs;
      if (input !== undefined) input.sourceTXID = other.id('hex');
    }
    const entries = [left, right].map((transaction) => Buffer.from([0, ...transaction.toBinary()]));
    const bytes = Buffer.concat([Buffer.from('0200beef0002', 'hex'), ...entries]);
    await expectRefused(bytes, 'incomplete', /lacks transaction/);
  });

  test('a merkle path of another root, height or transaction', async () => {
    const funding = chain.mine(createFunding(['OP_1']), 3);
    const beef = serializeTransaction(createSpend([{ from: funding }]));
    chain.roots.set(3, 'ab'.repeat(32));
    await expectRefused(beef, 'proof', /block 3/);
    chain.roots.delete(3);
    await expectRefused(beef, 'proof', /block 3/);

    const other = chain.mine(createFunding(['OP_1']), 4);
    const path = Buffer.from(other.merklePath?.toBinary() ?? []);
    const entry = Buffer.from([1, 0, ...funding.toBinary()]);
    const bytes = Buffer.concat([Buffer.from('0200beef01', 'hex'), path, Buffer.of(1), entry]);
    await expectRefused(bytes, 'proof', /does not contain it/);
  });

  test('a merkle path that lacks hashes', async () => {
    const funding = createFunding(['OP_1']);
    // Height 1, two levels; the lowest has our id at offset 0 and no neighbour.
    const leaf = Buffer.concat([Buffer.of(1, 0, 2), Buffer.from(funding.id('hex'), 'hex').reverse()]);
    const other = Buffer.concat([Buffer.of(1, 1, 0), Buffer.alloc(32, 7)]);
    const entry = Buffer.from([1, 0, ...funding.toBinary()]);
    const bytes = Buffer.concat([Buffer.from('0200beef010102', 'hex'), leaf, other, Buffer.of(1), entry]);
    await expectRefused(bytes, 'proof', /merkle path is wrong/);
  });

  test('a script that fails, a signature of something else, and a changed amount', async () => {
    const funding = chain.mine(createFunding(['OP_3 OP_EQUAL']));
    await expectRefused(serializeTransaction(createSpend([{ from: funding, unlock: 'OP_4' }])), 'script', /script/);
    expect(
      await verifyBytes(verifier, serializeTransaction(createSpend([{ from: funding, unlock: 'OP_3' }]))),
    ).toMatchObject({ proven: false });

    const { transaction } = await signed();
    const [output] = transaction.outputs;
    if (output === undefined) throw new Error('no output');
    const tampered = Transaction.fromBEEF(transaction.toBEEF());
    if (tampered.outputs[0] !== undefined) tampered.outputs[0].satoshis = 901;
    await expectRefused(serializeTransaction(Transaction.fromBEEF(rebuilt(tampered))), 'script', /script/);
  });

  test('a subject or an ancestor that pays out more than it takes in', async () => {
    const funding = chain.mine(createFunding(['OP_1'], 1_000));
    expect(
      await verifyBytes(verifier, serializeTransaction(createSpend([{ from: funding }], { satoshis: 1_000 }))),
    ).toBeDefined();
    await expectRefused(
      serializeTransaction(createSpend([{ from: funding }], { satoshis: 1_001 })),
      'amounts',
      /more than it takes in/,
    );
    await expectRefused(
      serializeTransaction(createSpend([{ from: funding }], { satoshis: 501, outputs: 2 })),
      'amounts',
      /more than/,
    );
    const greedy = createSpend([{ from: funding }], { satoshis: 5_000 });
    await expectRefused(serializeTransaction(createSpend([{ from: greedy }])), 'amounts', /more than it takes in/);
    await expectRefused(
      serializeTransaction(createSpend([{ from: funding }], { outputs: 0 })),
      'amounts',
      /no outputs/,
    );
    await expectRefused(
      serializeTransaction(createSpend([{ from: funding }], { satoshis: Number.MAX_SAFE_INTEGER })),
      'malformed',
      /more satoshis than there are/,
    );
  });

  test('an output that is spent twice or does not exist, and money from nowhere', async () => {
    const funding = chain.mine(createFunding(['OP_1']));
    await expectRefused(serializeTransaction(createSpend([{ from: funding }, { from: funding }])), 'inputs', /twice/);
    const missing = createSpend([{ from: funding }]);
    if (missing.inputs[0] !== undefined) missing.inputs[0].sourceOutputIndex = 1;
    await expectRefused(serializeTransaction(missing), 'inputs', /does not exist/);
    await expectRefused(serializeTransaction(createSpend([], { satoshis: 0 })), 'inputs', /no inputs/);
  });
});

/** BEEF bytes of a transaction that was changed by hand. */
function rebuilt(transaction: Transaction): number[] {
  const fresh = new Transaction(transaction.version, transaction.inputs, transaction.outputs, transaction.lockTime);
  return fresh.toBEEF();
}

describe('the limits of the verifier', () => {
  describe('a lock time is refused', () => {
    /** Spends mined coins with a lock time that is in force. */
    function locked(lockTime: number, sequence = 0): Transaction {
      const transaction = createSpend([{ from: chain.mine(createFunding(['OP_1'])) }]);
      transaction.lockTime = lockTime;
      for (const input of transaction.inputs) input.sequence = sequence;
      return transaction;
    }
    const in2033 = 2_000_000_000;

    test('when it is a time that blocks have not passed', async () => {
      await expectRefused(
        serializeTransaction(locked(in2033)),
        'final',
        /not final: its lock time is 2033-05-18T03:33:20.000Z/,
      );
      await expectRefused(serializeTransaction(locked(in2033, 0xfffffffe)), 'final', /not final/);
      const justNow = Math.floor(Date.now() / 1_000);
      await expectRefused(serializeTransaction(locked(justNow)), 'final', /not final/);
    });

    test('when it is a height that the chain has not reached', async () => {
      const height = (await chain.currentHeight()) + 2;
      await expectRefused(
        serializeTransaction(locked(height)),
        'final',
        new RegExp(`its lock time is block ${height}`),
      );
      await expectRefused(serializeTransaction(locked(499_999_999)), 'final', /not final/);
    });

    test('when it is that of an ancestor in no block', async () => {
      const child = createSpend([{ from: locked(in2033) }], { satoshis: 800 });
      await expectRefused(serializeTransaction(child), 'final', /an ancestor of it that is in no block/);
    });

    test('unless it has passed, is not in force, or belongs to a transaction in a block', async () => {
      const yesterday = Math.floor(Date.now() / 1_000) - 86_400;
      const height = (await chain.currentHeight()) + 1;
      for (const lockTime of [height, yesterday]) {
        const transaction = locked(lockTime);
        expect(await verifyBytes(verifier, serializeTransaction(transaction))).toMatchObject({
          txid: transaction.id('hex'),
        });
      }
      expect(await verifyBytes(verifier, serializeTransaction(locked(in2033, 0xffffffff)))).toBeDefined();
      expect(await verifyBytes(verifier, serializeTransaction(chain.mine(locked(in2033))))).toBeDefined();
    });
  });

  test('refuse too many bytes, transactions or inputs', async () => {
    const small = new TransactionVerifier(async () => chain, { bytes: 5_000, transactions: 5, inputs: 3 });
    const funding = chain.mine(createFunding(Array.from({ length: 4 }, () => 'OP_1')));
    expect((await refusal(new Uint8Array(5_001), small)).message).toMatch(/limit, which is 5,000 bytes/);
    const wide = createSpend([0, 1, 2, 3].map((index) => ({ from: funding, index })));
    expect((await refusal(serializeTransaction(wide), small)).message).toMatch(/More than 3 inputs/);
    let last = createSpend([{ from: funding }]);
    for (let depth = 0; depth < 4; depth += 1) last = createSpend([{ from: last }], { satoshis: 800 - depth });
    expect((await refusal(serializeTransaction(last), small)).message).toMatch(/more than 5 transactions/);
    await small.close();
  });

  test('refuse entangled ancestors: few transactions with very many paths', async () => {
    let last = chain.mine(createFunding(['OP_1', 'OP_1'], 100_000));
    const first = last;
    const beef = new Beef();
    beef.mergeTransaction(first);
    for (let depth = 1; depth < 60; depth += 1) {
      const sources = [0, 1].map((index) => ({ from: last, index }));
      const next = createSpend(sources, { satoshis: 100_000 - depth, outputs: 2 });
      beef.mergeRawTx(next.toBinary());
      last = Transaction.fromBinary(next.toBinary());
    }
    // A verifier that took each of the 2^59 ways to the first transaction would not end within the test's time.
    await expectRefused(toAtomicBeef(last.id('hex'), beef.toUint8Array()), 'limit', /entangled/);
  });

  test.each([
    // It has more time, because on a busy machine a second may not be enough to fill the memory.
    ['grows', `OP_1 ${'OP_DUP OP_CAT '.repeat(60)}`, 30_000, 'script', /memory/],
    [
      'takes time',
      `${'7f'.repeat(300_000)} ${'OP_DUP OP_SHA256 OP_DROP '.repeat(20_000)}`,
      1_000,
      'limit',
      /too long|1000 ms/,
    ],
  ])('end a script that %s, and the next transaction is verified', async (_name, script, scriptMs, kind, message) => {
    const bounded = new TransactionVerifier(async () => chain, { scriptMs });
    const hostile = createSpend([{ from: chain.mine(createFunding([script])) }]);
    const error = await refusal(serializeTransaction(hostile), bounded);
    expect({ kind: error.kind, message: error.message }).toEqual({ kind, message: expect.stringMatching(message) });
    const honest = createSpend([{ from: chain.mine(createFunding(['OP_1'])) }]);
    expect(await verifyBytes(bounded, serializeTransaction(honest))).toMatchObject({ txid: honest.id('hex') });
    await bounded.close();
  });

  test('end only the process of a script that fills the memory', async () => {
    const bounded = new TransactionVerifier(async () => chain, { scriptMemory: 1e12, scriptMs: 30_000 });
    const funding = chain.mine(createFunding([`OP_1 ${'OP_DUP OP_CAT '.repeat(60)}`]));
    const error = await refusal(serializeTransaction(createSpend([{ from: funding }])), bounded);
    expect({ kind: error.kind, message: error.message }).toEqual({
      kind: 'limit',
      message: expect.stringMatching(/memory/),
    });
    await bounded.close();
  });

  test('refuse 10,000 signature checks, also when the script wants them to fail', async () => {
    const key = PrivateKey.fromRandom();
    const signature = `${Buffer.from(key.sign('x').toDER() as number[]).toString('hex')}41`;
    const checks = 'OP_2DUP OP_CHECKSIG OP_DROP '.repeat(10_000);
    const funding = chain.mine(createFunding([`${signature} ${key.toPublicKey()} ${checks} OP_CHECKSIG OP_NOT`]));
    const bounded = new TransactionVerifier(async () => chain, { signatureChecks: 40, scriptMs: 60_000 });
    const error = await refusal(serializeTransaction(createSpend([{ from: funding }])), bounded);
    expect({ kind: error.kind, message: error.message }).toEqual({
      kind: 'limit',
      message: expect.stringMatching(/too many signatures/),
    });
    await bounded.close();
    expect((await refusal(serializeTransaction(createSpend([{ from: funding }])))).kind).toBe('limit');
  });

  test('refuse more verifications than may wait, and lose none of the others', async () => {
    const narrow = new TransactionVerifier(async () => chain, { waiting: 3 });
    const beefs = [1, 2, 3, 4, 5].map(() =>
      serializeTransaction(createSpend([{ from: chain.mine(createFunding(['OP_1'])) }])),
    );
    const results = await Promise.allSettled(beefs.map((beef) => verifyBytes(narrow, beef)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect((results[4] as PromiseRejectedResult).reason).toBeInstanceOf(VerifierBusyError);
    expect(await verifyBytes(narrow, beefs[4] ?? new Uint8Array())).toBeDefined();
    await narrow.close();
  });

  test('refuse an invented block before any script runs', async () => {
    const slow = `${'7f'.repeat(300_000)} ${'OP_DUP OP_SHA256 OP_DROP '.repeat(20_000)}`;
    const hostile = serializeTransaction(createSpend([{ from: chain.mine(createFunding([slow])) }]));
    const elsewhere = { isValidRootForHeight: jest.fn(async () => false), currentHeight: async () => 1_000 };
    const bounded = new TransactionVerifier(async () => elsewhere, { scriptMs: 1_000 });
    expect((await refusal(hostile, bounded)).kind).toBe('proof');
    expect(elsewhere.isValidRootForHeight).toHaveBeenCalledTimes(1);
    await bounded.close();
  });

  test('keep the process from accepting a block that it was not told of', async () => {
    const beef = serializeTransaction(createSpend([{ from: chain.mine(createFunding(['OP_1'])) }]));
    const scripts = new ScriptProcess();
    const limits = { scriptMemory: 1e6, signatureChecks: 10, milliseconds: 5_000 };
    const found = await scripts.run({ what: 'roots', beef, ...limits });
    const roots = 'roots' in found ? found.roots : [];
    expect(roots).toHaveLength(1);
    expect(await scripts.run({ what: 'scripts', beef, roots, ...limits })).toMatchObject({ roots });
    expect(await scripts.run({ what: 'scripts', beef, roots: [], ...limits })).toHaveProperty('refused');
    await scripts.end();
  });

  test('ask the chain about one of many invented blocks', async () => {
    const fundings = Array.from({ length: 12 }, () => chain.mine(createFunding(['OP_1'])));
    const wide = serializeTransaction(createSpend(fundings.map((from) => ({ from }))));
    const asked = jest.spyOn(chain, 'isValidRootForHeight').mockResolvedValue(false);
    await expectRefused(wide, 'proof', /does not lead to block/);
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
    expect(await verifyBytes(verifier, wide)).toBeDefined();
  });

  describe('many sources with slow scripts', () => {
    const SLOW = `${'7f'.repeat(100_000)} ${'OP_DUP OP_SHA256 OP_DROP '.repeat(20_000)}`;
    /** No verification is refused for a long wait, also on a busy machine. */
    const PATIENT_MS = 600_000;
    let bounded: TransactionVerifier;
    let ended: string[];

    /** Waits until a BEEF is verified or refused, and records the outcome. */
    async function ask(askedBy: string, beef: Uint8Array): Promise<void> {
      const outcome = await verifyBytes(bounded, beef, askedBy).then(
        () => 'valid',
        (error: Error) => error.name,
      );
      ended.push(`${askedBy}: ${outcome}`);
    }

    beforeEach(() => {
      bounded = new TransactionVerifier(async () => chain, { scriptMs: 300, sliceMs: 100, waitMs: PATIENT_MS });
      ended = [];
    });
    afterEach(() => bounded.close());

    test('do not delay a payment from a key', async () => {
      const hostile = serializeTransaction(createSpend([{ from: chain.mine(createFunding([SLOW])) }]));
      const honest = serializeTransaction((await signed()).transaction);
      const attack = Array.from({ length: 40 }, (_, i) => ask(`mallory ${i}`, hostile));
      await ask('alice', honest);
      expect(ended.filter((one) => one.endsWith('InvalidTransactionError'))).toEqual([]);
      expect(ended).toContain('alice: valid');
      await bounded.close();
      await Promise.all(attack);
    });

    test('get one slice each before a later source gets its own', async () => {
      const hostile = serializeTransaction(createSpend([{ from: chain.mine(createFunding([SLOW])) }]));
      const unusual = serializeTransaction(
        createSpend([{ from: chain.mine(createFunding(['OP_2 OP_ADD OP_3 OP_EQUAL OP_NOP'])), unlock: 'OP_1' }], {
          outputs: 2,
          satoshis: 400,
        }),
      );
      const attack = Array.from({ length: 6 }, (_, i) => ask(`mallory ${i % 3}`, hostile));
      await ask('alice', unusual);
      expect(ended.filter((one) => one.endsWith('InvalidTransactionError'))).toEqual([]);
      expect(ended).toContain('alice: valid');
      await Promise.all(attack);
      expect(ended.filter((one) => one.endsWith('InvalidTransactionError'))).toHaveLength(6);
    });

    test('lose their places to a new source when the queue is full', async () => {
      const narrow = new TransactionVerifier(async () => chain, {
        scriptMs: 600,
        sliceMs: 100,
        slowWaiting: 6,
        waitMs: PATIENT_MS,
      });
      const hostile = serializeTransaction(createSpend([{ from: chain.mine(createFunding([SLOW])) }]));
      const unusual = serializeTransaction(
        createSpend([{ from: chain.mine(createFunding(['OP_2 OP_ADD OP_3 OP_EQUAL OP_NOP'])), unlock: 'OP_1' }], {
          outputs: 2,
          satoshis: 400,
        }),
      );
      const attack = Array.from({ length: 6 }, (_, i) => verifyBytes(narrow, hostile, `mallory ${i % 2}`));
      const outcomes = Promise.allSettled(attack);
      expect(await verifyBytes(narrow, unusual, 'alice')).toBeDefined();
      const reasons = (await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason);
      expect(reasons.filter((reason) => reason instanceof VerifierBusyError)).toHaveLength(1);
      await narrow.close();
    });
  });

  test('replace the process after its number of verifications', async () => {
    const fork = jest.spyOn(childProcess, 'fork');
    const short = new TransactionVerifier(async () => chain, { processVerifications: 2 });
    for (let round = 0; round < 5; round += 1) {
      const transaction = createSpend([{ from: chain.mine(createFunding(['OP_1'])) }]);
      expect(await verifyBytes(short, serializeTransaction(transaction))).toMatchObject({
        txid: transaction.id('hex'),
      });
    }
    expect(fork).toHaveBeenCalledTimes(3);
    fork.mockRestore();
    await short.close();
    await expect(verifyBytes(short, serializeTransaction(chain.mine(createFunding(['OP_1']))))).rejects.toBeInstanceOf(
      VerifierBusyError,
    );
  });
});

describe('a chain that cannot be asked', () => {
  test.each([
    ['cannot be opened', async () => Promise.reject(new Error('refused'))],
    [
      'fails',
      async () => ({ isValidRootForHeight: () => Promise.reject(new Error('503')), currentHeight: async () => 1 }),
    ],
    [
      'never answers',
      async () => ({ isValidRootForHeight: () => new Promise<boolean>(() => {}), currentHeight: async () => 1 }),
    ],
  ])('makes the verification retriable when it %s', async (_name, tracker) => {
    const cut = new TransactionVerifier(tracker, { chainMs: 200 });
    const beef = serializeTransaction(createSpend([{ from: chain.mine(createFunding(['OP_1'])) }]));
    await expect(verifyBytes(cut, beef)).rejects.toBeInstanceOf(ChainUnavailableError);
    await cut.close();
  });
});

test('computeTxid computes the same id as the SDK', () => {
  const transaction = createFunding(['OP_1']);
  expect(computeTxid(Uint8Array.from(transaction.toBinary()))).toBe(transaction.id('hex'));
});
