import { Beef, Transaction } from '@bsv/sdk';
import { createFunding, createSpend, serializeTransaction, TestChain } from '@messagebox/test-kit';
import {
  collectWithAncestors,
  InvalidTransactionError,
  isAtomicBeef,
  parseBeef,
  parseProof,
  parseTransaction,
  pruneBeef,
  readBeef,
  serializeBeef,
  toAtomicBeef,
} from '@messagebox/transactions';
import fc from 'fast-check';
import { fuzzTest } from './support/fuzz-test.js';
import { mutatedBytes } from './support/mutations.js';

/** A case must not take longer than this per byte, however the bytes are arranged; measured: 0.1 µs. */
const MAX_TRANSACTIONS = 1_000;

const chain = new TestChain();
const [left, right] = [chain.mine(createFunding(['OP_1', 'OP_2 OP_DROP OP_1'])), chain.mine(createFunding(['OP_1']))];
const middle = createSpend([{ from: left }, { from: right }], { outputs: 2 });
const last = createSpend([{ from: middle }, { from: left, index: 1 }, { from: middle, index: 1 }], { satoshis: 500 });
const version2 = new Beef();
version2.mergeTransaction(last);
const beef = Buffer.from(serializeTransaction(last));
const samples = [
  beef,
  Buffer.from(version2.toUint8Array()),
  Buffer.from(toAtomicBeef(last.id('hex'), beef)),
  Buffer.from(serializeTransaction(left)),
];
const raws = [last, middle, left].map((transaction) => Buffer.from(transaction.toUint8Array()));
const proofs = [left, right].map(({ merklePath }) => Buffer.from(merklePath?.toBinary() ?? []));

/** The result, or undefined when the bytes are refused. Anything but a refusal is a fault. */
function read<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidTransactionError);
    return undefined;
  }
}

const anyBeef = fc.oneof(
  { weight: 8, arbitrary: mutatedBytes(samples) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('0100beef', '0200beef', '01010101'), fc.uint8Array({ maxLength: 200 }))
      .map(([head, rest]) => Buffer.concat([Buffer.from(head, 'hex'), rest])),
  },
);

fuzzTest('any bytes are a BEEF or refused, and what is read survives writing', 3_000, anyBeef, (bytes) => {
  const before = Buffer.from(bytes);
  const content = read(() => readBeef(bytes, MAX_TRANSACTIONS));
  expect(bytes.equals(before)).toBe(true);
  if (content === undefined) return;
  const transactions = [...content.transactions.values()];
  for (const version of [1, 2] as const) {
    if (transactions.length === 0) continue;
    const again = readBeef(serializeBeef(transactions, version));
    expect([...again.transactions.keys()]).toEqual([...content.transactions.keys()]);
    for (const { txid, raw, proof } of transactions) {
      const other = again.transactions.get(txid);
      expect(Buffer.from(other?.raw ?? [])).toEqual(Buffer.from(raw));
      expect(other?.proof?.blockHeight).toBe(proof?.blockHeight);
    }
  }
});

fuzzTest('a BEEF that contains its subject is pruned, or lacks an ancestor', 2_000, anyBeef, (bytes) => {
  const parsed = read(() => parseBeef(bytes, MAX_TRANSACTIONS));
  if (parsed === undefined) return;
  expect(parsed.subject.txid).toBe(parsed.subjectTxid);
  const pruned = read(() => pruneBeef(parsed));
  const ancestors = read(() => collectWithAncestors(parsed.subjectTxid, (txid) => parsed.transactions.get(txid)));
  expect(pruned === undefined).toBe(ancestors === undefined);
  if (ancestors === undefined) return;
  const atomic = toAtomicBeef(parsed.subjectTxid, serializeBeef(ancestors));
  expect(isAtomicBeef(atomic)).toBe(true);
  const again = parseBeef(atomic);
  expect(again.subjectTxid).toBe(parsed.subjectTxid);
  expect([...again.transactions.keys()]).toEqual(ancestors.map(({ txid }) => txid));
});

fuzzTest('any bytes are a transaction or refused, as the SDK reads it', 2_000, mutatedBytes(raws), (bytes) => {
  const parsed = read(() => parseTransaction(bytes));
  if (parsed === undefined) return;
  expect(Buffer.from(parsed.raw)).toEqual(bytes);
  const sdk = Transaction.fromBinary([...bytes]);
  expect(parsed.txid).toBe(sdk.id('hex'));
  expect(parsed.inputs.map(({ txid, outputIndex }) => [txid, outputIndex])).toEqual(
    sdk.inputs.map(({ sourceTXID, sourceOutputIndex }) => [sourceTXID, sourceOutputIndex]),
  );
  expect(parsed.outputs.map(({ script }) => Buffer.from(script).toString('hex'))).toEqual(
    sdk.outputs.map(({ lockingScript }) => lockingScript.toHex()),
  );
});

fuzzTest('any bytes are a merkle path or refused', 2_000, mutatedBytes(proofs), (bytes) => {
  const parsed = read(() => parseProof(bytes));
  if (parsed !== undefined) expect(Buffer.from(parsed.raw)).toEqual(bytes);
});
