import childProcess from 'node:child_process';
import { Beef, LockingScript, P2PKH, PrivateKey, Transaction } from '@bsv/sdk';
import {
  atomicBeef,
  ChainUnavailableError,
  InvalidTransactionError,
  type InvalidTransactionKind,
  TransactionVerifier,
  txidOf,
  VerifierBusyError,
} from '../src/index.js';
import { ScriptProcess } from '../src/verify/script-process.js';
import { bytesOf, fundingOf, spend, TestChain } from './transactions.js';

let chain: TestChain;
let verifier: TransactionVerifier;

beforeEach(() => {
  chain = new TestChain();
  verifier = new TransactionVerifier(async () => chain);
});
afterEach(() => verifier.close());

async function refusal(beef: Uint8Array, by = verifier): Promise<InvalidTransactionError> {
  const error = await by.verify(beef).then(
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
  const funding = fundingOf([]);
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

describe('what is valid', () => {
  test('a signed transaction in BEEF V1, V2 and AtomicBEEF', async () => {
    const { transaction } = await signed();
    const txid = transaction.id('hex');
    for (const beef of [transaction.toBEEF(), transaction.toAtomicBEEF(), transaction.toBEEFUint8Array()]) {
      const verified = await verifier.verify(Uint8Array.from(beef));
      expect(verified).toMatchObject({ txid, proven: false });
      const outputs = transaction.outputs.map(({ satoshis, lockingScript }) => ({
        satoshis,
        script: lockingScript.toUint8Array(),
      }));
      expect(verified.outputs.map(({ satoshis, script }) => ({ satoshis, script: Uint8Array.from(script) }))).toEqual(
        outputs,
      );
      expect(verifier.identify(Uint8Array.from(beef))).toBe(txid);
      expect(Transaction.fromBEEF([...verified.beef]).id('hex')).toBe(txid);
    }
    const v2 = new Beef();
    v2.mergeTransaction(transaction);
    expect(await verifier.verify(v2.toUint8Array())).toMatchObject({ txid });
  });

  test('a proven transaction, of which scripts and ancestors are not needed', async () => {
    const funding = chain.mine(fundingOf(['OP_0']));
    const verified = await verifier.verify(bytesOf(funding));
    expect(verified).toMatchObject({ txid: funding.id('hex'), proven: true });
  });

  test('a chain of unproven ancestors, deeper than a stack would be', async () => {
    let last = chain.mine(fundingOf(['OP_1'], 1_000));
    for (let depth = 0; depth < 150; depth += 1) last = spend([{ from: last }], { satoshis: 999 - depth });
    const verified = await verifier.verify(bytesOf(last));
    expect(verified.txid).toBe(last.id('hex'));
    expect(Beef.fromBinary([...verified.beef]).txs).toHaveLength(151);
  });

  test('what the subject does not need is left out, and the atomic id chooses the subject', async () => {
    const [one, other] = [chain.mine(fundingOf(['OP_1'])), chain.mine(fundingOf(['OP_1']))];
    const [spendOne, spendOther] = [spend([{ from: one }]), spend([{ from: other }])];
    const beef = new Beef();
    beef.mergeTransaction(spendOne);
    beef.mergeTransaction(spendOther);
    const verified = await verifier.verify(atomicBeef(spendOne.id('hex'), beef.toUint8Array()));
    expect(verified.txid).toBe(spendOne.id('hex'));
    expect(Beef.fromBinary([...verified.beef]).txs.map(({ txid }) => txid)).toEqual([
      one.id('hex'),
      spendOne.id('hex'),
    ]);
    expect(chain.asked).toBe(1);
    expect(Transaction.fromAtomicBEEF([...atomicBeef(verified.txid, verified.beef)]).id('hex')).toBe(verified.txid);
  });

  test('descendants before ancestors are put in order', async () => {
    const funding = chain.mine(fundingOf(['OP_1']));
    const [first, second] = [spend([{ from: funding }]), undefined];
    const last = spend([{ from: first }], { satoshis: 800 });
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
    const verified = await verifier.verify(atomicBeef(last.id('hex'), bytes));
    expect(Beef.fromBinary([...verified.beef]).txs.map(({ txid }) => txid)).toEqual([
      funding.id('hex'),
      first.id('hex'),
      last.id('hex'),
    ]);
  });

  test('a coinbase may be spent when it is 100 blocks deep, and not before', async () => {
    const coinbase = fundingOf(['OP_1']);
    const [input] = coinbase.inputs;
    if (input === undefined) throw new Error('no input');
    input.sourceTXID = '00'.repeat(32);
    input.sourceOutputIndex = 0xffffffff;
    chain.mine(coinbase, 5);
    const beef = bytesOf(spend([{ from: coinbase }]));
    chain.roots.set(104, 'tip');
    await expectRefused(beef, 'proof', /coinbase of block 5 is spent before it is 100 blocks deep/);
    chain.roots.set(105, 'tip');
    expect(await verifier.verify(beef)).toMatchObject({ proven: false });
    expect(await verifier.verify(bytesOf(coinbase))).toMatchObject({ proven: true });
  });
});

describe('bytes that are no BEEF', () => {
  test('truncated anywhere', async () => {
    const { transaction } = await signed();
    const whole = bytesOf(transaction);
    for (let length = 0; length < whole.length; length += 1) {
      const error = await refusal(whole.subarray(0, length));
      expect(error.kind).toBe('malformed');
    }
    expect(chain.asked).toBe(0);
  });

  test('with one bit changed anywhere: refused, or the same transaction all the same', async () => {
    const { transaction } = await signed();
    const whole = bytesOf(transaction);
    let refused = 0;
    for (let index = 0; index < whole.length; index += 3) {
      const changed = Uint8Array.from(whole);
      changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8));
      const result = await verifier.verify(changed).catch((error: unknown) => error);
      if (result instanceof InvalidTransactionError) refused += 1;
      else expect(result).toMatchObject({ txid: transaction.id('hex') });
    }
    expect(refused).toBeGreaterThan(whole.length / 3 - 8);
  });

  test('random bytes, text, nothing, and more after the end', async () => {
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

  test('counts that promise more than there is are not believed', async () => {
    for (const count of ['fdffff', 'feffffffff', 'ffffffffffffffffff']) {
      await expectRefused(Buffer.from(`0200beef${count}`, 'hex'), 'malformed', /ends too early/);
      await expectRefused(Buffer.from(`0200beef00${count}`, 'hex'), 'malformed', /ends too early/);
      await expectRefused(Buffer.from(`0200beef010101${count}`, 'hex'), 'malformed', /ends too early/);
    }
  });

  test('the same transaction twice, a merkle path that is not there, none at all', async () => {
    const funding = chain.mine(fundingOf(['OP_1']));
    const raw = Buffer.from(funding.toBinary());
    const path = Buffer.from(funding.merklePath?.toBinary() ?? []);
    const head = Buffer.concat([Buffer.from('0200beef', 'hex'), Buffer.of(1), path]);
    const entry = Buffer.concat([Buffer.of(1, 0), raw]);
    await expectRefused(Buffer.concat([head, Buffer.of(2), entry, entry]), 'malformed', /twice/);
    await expectRefused(Buffer.concat([head, Buffer.of(1), Buffer.of(1, 1), raw]), 'malformed', /not there/);
    await expectRefused(Buffer.concat([head, Buffer.of(1), Buffer.of(3), raw]), 'malformed', /unknown format/);
    await expectRefused(Buffer.concat([head, Buffer.of(0)]), 'malformed', /too early|no transaction/);
  });

  test('a transaction of 64 bytes, which could be two hashes', async () => {
    const transaction = fundingOf([]);
    transaction.addOutput({ lockingScript: LockingScript.fromHex('51515151'), satoshis: 1 });
    chain.mine(transaction);
    expect(transaction.toBinary()).toHaveLength(64);
    await expectRefused(bytesOf(transaction), 'malformed', /64 bytes/);
  });
});

describe('what is not valid', () => {
  test('an ancestor that is missing, or there by its id only', async () => {
    const funding = chain.mine(fundingOf(['OP_1']));
    const first = spend([{ from: funding }]);
    const last = spend([{ from: first }], { satoshis: 800 });
    const beef = new Beef();
    beef.mergeTransaction(last);
    beef.txs = beef.txs.filter(({ txid }) => txid !== first.id('hex'));
    const raw = (parts: Beef) => Uint8Array.from(parts.toBinary());
    await expectRefused(atomicBeef(last.id('hex'), raw(beef)), 'incomplete', /lacks transaction/);
    beef.mergeTxidOnly(first.id('hex'));
    await expectRefused(atomicBeef(last.id('hex'), raw(beef)), 'incomplete', /lacks transaction/);
    const onlyId = new Beef();
    onlyId.mergeTxidOnly(first.id('hex'));
    await expectRefused(raw(onlyId), 'incomplete', /does not contain/);
    await expectRefused(atomicBeef('ab'.repeat(32), raw(beef)), 'incomplete', /does not contain/);
  });

  test('transactions that name each other: their ids can not be true, so ancestors are missing', async () => {
    const [left, right] = [fundingOf(['OP_1']), fundingOf(['OP_1'])];
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

  test('a merkle path to another root, of another height, or of another transaction', async () => {
    const funding = chain.mine(fundingOf(['OP_1']), 3);
    const beef = bytesOf(spend([{ from: funding }]));
    chain.roots.set(3, 'ab'.repeat(32));
    await expectRefused(beef, 'proof', /block 3/);
    chain.roots.delete(3);
    await expectRefused(beef, 'proof', /block 3/);

    const other = chain.mine(fundingOf(['OP_1']), 4);
    const path = Buffer.from(other.merklePath?.toBinary() ?? []);
    const entry = Buffer.from([1, 0, ...funding.toBinary()]);
    const bytes = Buffer.concat([Buffer.from('0200beef01', 'hex'), path, Buffer.of(1), entry]);
    await expectRefused(bytes, 'proof', /of other transactions/);
  });

  test('a merkle path that lacks hashes', async () => {
    const funding = fundingOf(['OP_1']);
    // Height 1, two levels; the lowest has our id at offset 0 and no neighbour.
    const leaf = Buffer.concat([Buffer.of(1, 0, 2), Buffer.from(funding.id('hex'), 'hex').reverse()]);
    const other = Buffer.concat([Buffer.of(1, 1, 0), Buffer.alloc(32, 7)]);
    const entry = Buffer.from([1, 0, ...funding.toBinary()]);
    const bytes = Buffer.concat([Buffer.from('0200beef010102', 'hex'), leaf, other, Buffer.of(1), entry]);
    await expectRefused(bytes, 'proof', /merkle path is wrong/);
  });

  test('a script that fails, a signature of something else, an amount that was changed', async () => {
    const funding = chain.mine(fundingOf(['OP_3 OP_EQUAL']));
    await expectRefused(bytesOf(spend([{ from: funding, unlock: 'OP_4' }])), 'script', /script/);
    expect(await verifier.verify(bytesOf(spend([{ from: funding, unlock: 'OP_3' }])))).toMatchObject({ proven: false });

    const { transaction } = await signed();
    const [output] = transaction.outputs;
    if (output === undefined) throw new Error('no output');
    const tampered = Transaction.fromBEEF(transaction.toBEEF());
    if (tampered.outputs[0] !== undefined) tampered.outputs[0].satoshis = 901;
    await expectRefused(bytesOf(Transaction.fromBEEF(rebuilt(tampered))), 'script', /script/);
  });

  test('more paid out than taken in, of the subject or of an ancestor', async () => {
    const funding = chain.mine(fundingOf(['OP_1'], 1_000));
    expect(await verifier.verify(bytesOf(spend([{ from: funding }], { satoshis: 1_000 })))).toBeDefined();
    await expectRefused(bytesOf(spend([{ from: funding }], { satoshis: 1_001 })), 'amounts', /more than it takes in/);
    await expectRefused(bytesOf(spend([{ from: funding }], { satoshis: 501, outputs: 2 })), 'amounts', /more than/);
    const greedy = spend([{ from: funding }], { satoshis: 5_000 });
    await expectRefused(bytesOf(spend([{ from: greedy }])), 'amounts', /more than it takes in/);
    await expectRefused(bytesOf(spend([{ from: funding }], { outputs: 0 })), 'amounts', /no outputs/);
    await expectRefused(
      bytesOf(spend([{ from: funding }], { satoshis: Number.MAX_SAFE_INTEGER })),
      'malformed',
      /more satoshis than there are/,
    );
  });

  test('the same output spent twice, one that does not exist, and money from nowhere', async () => {
    const funding = chain.mine(fundingOf(['OP_1']));
    await expectRefused(bytesOf(spend([{ from: funding }, { from: funding }])), 'inputs', /twice/);
    const missing = spend([{ from: funding }]);
    if (missing.inputs[0] !== undefined) missing.inputs[0].sourceOutputIndex = 1;
    await expectRefused(bytesOf(missing), 'inputs', /does not exist/);
    await expectRefused(bytesOf(spend([], { satoshis: 0 })), 'inputs', /no inputs/);
  });
});

/** BEEF bytes of a transaction after something in it was changed by hand. */
function rebuilt(transaction: Transaction): number[] {
  const fresh = new Transaction(transaction.version, transaction.inputs, transaction.outputs, transaction.lockTime);
  return fresh.toBEEF();
}

describe('what would cost too much', () => {
  describe('a lock time that keeps it out of blocks', () => {
    /** Spends mined coins with a lock time, and asks for it to be waited for. */
    function locked(lockTime: number, sequence = 0): Transaction {
      const transaction = spend([{ from: chain.mine(fundingOf(['OP_1'])) }]);
      transaction.lockTime = lockTime;
      for (const input of transaction.inputs) input.sequence = sequence;
      return transaction;
    }
    const in2033 = 2_000_000_000;

    test('that is a time which blocks have not passed', async () => {
      await expectRefused(bytesOf(locked(in2033)), 'final', /not final: its lock time is 2033-05-18T03:33:20.000Z/);
      await expectRefused(bytesOf(locked(in2033, 0xfffffffe)), 'final', /not final/);
      const justNow = Math.floor(Date.now() / 1_000);
      await expectRefused(bytesOf(locked(justNow)), 'final', /not final/);
    });

    test('that is a height which the chain has not reached', async () => {
      const height = (await chain.currentHeight()) + 2;
      await expectRefused(bytesOf(locked(height)), 'final', new RegExp(`its lock time is block ${height}`));
      await expectRefused(bytesOf(locked(499_999_999)), 'final', /not final/);
    });

    test('of an ancestor that is in no block', async () => {
      const child = spend([{ from: locked(in2033) }], { satoshis: 800 });
      await expectRefused(bytesOf(child), 'final', /an ancestor of it that is in no block/);
    });

    test('not: one that is over, is not asked for, or of a transaction in a block', async () => {
      const yesterday = Math.floor(Date.now() / 1_000) - 86_400;
      const height = (await chain.currentHeight()) + 1;
      for (const lockTime of [height, yesterday]) {
        const transaction = locked(lockTime);
        expect(await verifier.verify(bytesOf(transaction))).toMatchObject({ txid: transaction.id('hex') });
      }
      expect(await verifier.verify(bytesOf(locked(in2033, 0xffffffff)))).toBeDefined();
      expect(await verifier.verify(bytesOf(chain.mine(locked(in2033))))).toBeDefined();
    });
  });

  test('too many bytes, transactions, inputs', async () => {
    const small = new TransactionVerifier(async () => chain, { bytes: 5_000, transactions: 5, inputs: 3 });
    const funding = chain.mine(fundingOf(Array.from({ length: 4 }, () => 'OP_1')));
    expect((await refusal(new Uint8Array(5_001), small)).message).toMatch(/larger than 5000 bytes/);
    const wide = spend([0, 1, 2, 3].map((index) => ({ from: funding, index })));
    expect((await refusal(bytesOf(wide), small)).message).toMatch(/More than 3 inputs/);
    let last = spend([{ from: funding }]);
    for (let depth = 0; depth < 4; depth += 1) last = spend([{ from: last }], { satoshis: 800 - depth });
    expect((await refusal(bytesOf(last), small)).message).toMatch(/more than 5 transactions/);
    await small.close();
  });

  test('ancestors that are entangled: few transactions, ways without number', async () => {
    let last = chain.mine(fundingOf(['OP_1', 'OP_1'], 100_000));
    const first = last;
    const beef = new Beef();
    beef.mergeTransaction(first);
    for (let depth = 1; depth < 60; depth += 1) {
      const sources = [0, 1].map((index) => ({ from: last, index }));
      const next = spend(sources, { satoshis: 100_000 - depth, outputs: 2 });
      beef.mergeRawTx(next.toBinary());
      last = Transaction.fromBinary(next.toBinary());
    }
    const start = performance.now();
    await expectRefused(atomicBeef(last.id('hex'), beef.toUint8Array()), 'limit', /entangled/);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test.each([
    ['grows', `OP_1 ${'OP_DUP OP_CAT '.repeat(60)}`, 'script', /memory/],
    [
      'takes time',
      `${'7f'.repeat(300_000)} ${'OP_DUP OP_SHA256 OP_DROP '.repeat(20_000)}`,
      'limit',
      /too long|1000 ms/,
    ],
  ])('a script that %s is ended, and the next transaction is verified', async (_name, script, kind, message) => {
    const bounded = new TransactionVerifier(async () => chain, { scriptMs: 1_000 });
    const hostile = spend([{ from: chain.mine(fundingOf([script])) }]);
    const error = await refusal(bytesOf(hostile), bounded);
    expect({ kind: error.kind, message: error.message }).toEqual({ kind, message: expect.stringMatching(message) });
    const honest = spend([{ from: chain.mine(fundingOf(['OP_1'])) }]);
    expect(await bounded.verify(bytesOf(honest))).toMatchObject({ txid: honest.id('hex') });
    await bounded.close();
  });

  test('a script that fills the memory ends its process and nothing else', async () => {
    const bounded = new TransactionVerifier(async () => chain, { scriptMemory: 1e12, scriptMs: 30_000 });
    const funding = chain.mine(fundingOf([`OP_1 ${'OP_DUP OP_CAT '.repeat(60)}`]));
    const error = await refusal(bytesOf(spend([{ from: funding }])), bounded);
    expect({ kind: error.kind, message: error.message }).toEqual({
      kind: 'limit',
      message: expect.stringMatching(/memory/),
    });
    await bounded.close();
  });

  test('10,000 signature checks, also when the script wants them to fail', async () => {
    const key = PrivateKey.fromRandom();
    const signature = `${Buffer.from(key.sign('x').toDER() as number[]).toString('hex')}41`;
    const checks = 'OP_2DUP OP_CHECKSIG OP_DROP '.repeat(10_000);
    const funding = chain.mine(fundingOf([`${signature} ${key.toPublicKey()} ${checks} OP_CHECKSIG OP_NOT`]));
    const bounded = new TransactionVerifier(async () => chain, { signatureChecks: 40, scriptMs: 60_000 });
    const error = await refusal(bytesOf(spend([{ from: funding }])), bounded);
    expect({ kind: error.kind, message: error.message }).toEqual({
      kind: 'limit',
      message: expect.stringMatching(/too many signatures/),
    });
    await bounded.close();
    expect((await refusal(bytesOf(spend([{ from: funding }])))).kind).toBe('limit');
  });

  test('more at once than may wait are turned away, and none of the others is lost', async () => {
    const narrow = new TransactionVerifier(async () => chain, { waiting: 3 });
    const beefs = [1, 2, 3, 4, 5].map(() => bytesOf(spend([{ from: chain.mine(fundingOf(['OP_1'])) }])));
    const results = await Promise.allSettled(beefs.map((beef) => narrow.verify(beef)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect((results[4] as PromiseRejectedResult).reason).toBeInstanceOf(VerifierBusyError);
    expect(await narrow.verify(beefs[4] ?? new Uint8Array())).toBeDefined();
    await narrow.close();
  });

  test('an invented block is found out before any script is run', async () => {
    const slow = `${'7f'.repeat(300_000)} ${'OP_DUP OP_SHA256 OP_DROP '.repeat(20_000)}`;
    const hostile = bytesOf(spend([{ from: chain.mine(fundingOf([slow])) }]));
    const elsewhere = { isValidRootForHeight: jest.fn(async () => false), currentHeight: async () => 1_000 };
    const bounded = new TransactionVerifier(async () => elsewhere, { scriptMs: 1_000 });
    expect((await refusal(hostile, bounded)).kind).toBe('proof');
    expect(elsewhere.isValidRootForHeight).toHaveBeenCalledTimes(1);
    await bounded.close();
  });

  test('the process takes no block for right that it was not told of', async () => {
    const beef = bytesOf(spend([{ from: chain.mine(fundingOf(['OP_1'])) }]));
    const scripts = new ScriptProcess();
    const limits = { scriptMemory: 1e6, signatureChecks: 10, milliseconds: 5_000 };
    const found = await scripts.run({ what: 'roots', beef, ...limits });
    const roots = 'roots' in found ? found.roots : [];
    expect(roots).toHaveLength(1);
    expect(await scripts.run({ what: 'scripts', beef, roots, ...limits })).toMatchObject({ roots });
    expect(await scripts.run({ what: 'scripts', beef, roots: [], ...limits })).toHaveProperty('refused');
    await scripts.end();
  });

  test('of many invented blocks one is asked about', async () => {
    const fundings = Array.from({ length: 12 }, () => chain.mine(fundingOf(['OP_1'])));
    const wide = bytesOf(spend(fundings.map((from) => ({ from }))));
    const asked = jest.spyOn(chain, 'isValidRootForHeight').mockResolvedValue(false);
    await expectRefused(wide, 'proof', /does not lead to block/);
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
    expect(await verifier.verify(wide)).toBeDefined();
  });

  describe('many sources whose scripts take as long as they may', () => {
    const SLOW = `${'7f'.repeat(100_000)} ${'OP_DUP OP_SHA256 OP_DROP '.repeat(20_000)}`;
    /** Nobody is turned away for having waited, also on a busy machine. */
    const PATIENT_MS = 600_000;
    let bounded: TransactionVerifier;
    let ended: string[];

    /** Goes on when it is verified or refused, and writes down which. */
    async function ask(askedBy: string, beef: Uint8Array): Promise<void> {
      const outcome = await bounded.verify(beef, askedBy).then(
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

    test('delay nobody who pays from a key', async () => {
      const hostile = bytesOf(spend([{ from: chain.mine(fundingOf([SLOW])) }]));
      const honest = bytesOf((await signed()).transaction);
      const attack = Array.from({ length: 40 }, (_, i) => ask(`mallory ${i}`, hostile));
      await ask('alice', honest);
      expect(ended.filter((one) => one.endsWith('InvalidTransactionError'))).toEqual([]);
      expect(ended).toContain('alice: valid');
      await bounded.close();
      await Promise.all(attack);
    });

    test('have a slice each before somebody with another script has had hers', async () => {
      const hostile = bytesOf(spend([{ from: chain.mine(fundingOf([SLOW])) }]));
      const unusual = bytesOf(
        spend([{ from: chain.mine(fundingOf(['OP_2 OP_ADD OP_3 OP_EQUAL OP_NOP'])), unlock: 'OP_1' }], {
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

    test('lose their places to somebody new when there is no room', async () => {
      const narrow = new TransactionVerifier(async () => chain, {
        scriptMs: 600,
        sliceMs: 100,
        slowWaiting: 6,
        waitMs: PATIENT_MS,
      });
      const hostile = bytesOf(spend([{ from: chain.mine(fundingOf([SLOW])) }]));
      const unusual = bytesOf(
        spend([{ from: chain.mine(fundingOf(['OP_2 OP_ADD OP_3 OP_EQUAL OP_NOP'])), unlock: 'OP_1' }], {
          outputs: 2,
          satoshis: 400,
        }),
      );
      const attack = Array.from({ length: 6 }, (_, i) => narrow.verify(hostile, `mallory ${i % 2}`));
      const outcomes = Promise.allSettled(attack);
      expect(await narrow.verify(unusual, 'alice')).toBeDefined();
      const reasons = (await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason);
      expect(reasons.filter((reason) => reason instanceof VerifierBusyError)).toHaveLength(1);
      await narrow.close();
    });
  });

  test('the process is replaced after as many verifications as it is good for', async () => {
    const fork = jest.spyOn(childProcess, 'fork');
    const short = new TransactionVerifier(async () => chain, { processVerifications: 2 });
    for (let round = 0; round < 5; round += 1) {
      const transaction = spend([{ from: chain.mine(fundingOf(['OP_1'])) }]);
      expect(await short.verify(bytesOf(transaction))).toMatchObject({ txid: transaction.id('hex') });
    }
    expect(fork).toHaveBeenCalledTimes(3);
    fork.mockRestore();
    await short.close();
    await expect(short.verify(bytesOf(chain.mine(fundingOf(['OP_1']))))).rejects.toBeInstanceOf(VerifierBusyError);
  });
});

describe('a chain that can not be asked', () => {
  test.each([
    ['can not be opened', async () => Promise.reject(new Error('refused'))],
    [
      'fails',
      async () => ({ isValidRootForHeight: () => Promise.reject(new Error('503')), currentHeight: async () => 1 }),
    ],
    [
      'never answers',
      async () => ({ isValidRootForHeight: () => new Promise<boolean>(() => {}), currentHeight: async () => 1 }),
    ],
  ])('%s: not valid, not invalid', async (_name, tracker) => {
    const cut = new TransactionVerifier(tracker, { chainMs: 200 });
    const beef = bytesOf(spend([{ from: chain.mine(fundingOf(['OP_1'])) }]));
    await expect(cut.verify(beef)).rejects.toBeInstanceOf(ChainUnavailableError);
    await cut.close();
  });
});

test('a transaction id is computed as the library does', () => {
  const transaction = fundingOf(['OP_1']);
  expect(txidOf(Uint8Array.from(transaction.toBinary()))).toBe(transaction.id('hex'));
});
