import { LockingScript, MerklePath, PrivateKey, Transaction, UnlockingScript } from '@bsv/sdk';
import {
  Closing,
  createLogger,
  type DeliverParts,
  deliver,
  type Logger,
  Metrics,
  openDatabase,
  RuleError,
  type StoreConfig,
} from '@messagebox/shared';
import { type Chain, type Money, TransactionVerifier } from '@messagebox/wallet';
import { described, pay, spendFree } from '../../../tests/support/brc29.ts';
import { loadCurve, normaliseIdentityKey } from '../../brc103/src/index.js';
import { finishPaymentsRegularly, openPayments, type PaymentStep } from '../src/index.js';
import { publicKeyOf } from './support/paying.js';

const serverKey = PrivateKey.fromRandom();
const [SERVER, ALICE, BOB] = [serverKey, PrivateKey.fromRandom(), PrivateKey.fromRandom()].map(publicKeyOf) as [
  string,
  string,
  string,
];
const memory: StoreConfig = { client: 'better-sqlite3', filename: ':memory:' };

let database: ReturnType<typeof openDatabase>;
let verifier: TransactionVerifier;
let closing: Closing;
let lines: { level: number; msg: string; network?: string }[];
let log: Logger;
let parts: DeliverParts;
let published: string[];

beforeEach(async () => {
  database = openDatabase(memory);
  await database.messages.migrate();
  verifier = new TransactionVerifier(async () => ({
    isValidRootForHeight: async () => true,
    currentHeight: async () => 1_000,
  }));
  lines = [];
  log = createLogger('test', false, { write: (line) => void lines.push(JSON.parse(line)) });
  closing = new Closing(log, 1_000);
  published = [];
  parts = { store: database.messages, events: { publish: ({ messageId }) => void published.push(messageId) } };
});
afterEach(async () => {
  await closing.close();
  await verifier.close();
  await database.messages.close();
});

/** A desk on the real network, which takes whatever it is given. */
function open(walletStorageUrl: string | undefined, onStep?: (step: PaymentStep) => void) {
  const chain = { network: 'main', broadcast: async () => 'accepted' } as unknown as Chain;
  const wallet = { wallet: async () => ({ internalizeAction: async () => ({ accepted: true }) }) };
  const curve = loadCurve();
  return openPayments({
    config: { serverPrivateKey: Uint8Array.from(serverKey.toArray('be', 32)), network: 'main', walletStorageUrl },
    sql: database.sql,
    identity: { normaliseKey: (key: string) => normaliseIdentityKey(key, curve) } as never,
    money: { chain, verifier, wallet } as unknown as Money,
    log,
    ...(onStep === undefined ? {} : { onStep }),
  });
}

/** A payment for a message to Bob, with a transaction that is proven as far as the test's chain can tell. */
async function due(messageId: string, fees: { readonly delivery: number; readonly bob: number }) {
  const source = new Transaction();
  source.addInput({
    sourceTXID: '11'.repeat(32),
    sourceOutputIndex: 0,
    unlockingScript: new UnlockingScript(),
    sequence: 0xffffffff,
  });
  source.addOutput({ lockingScript: LockingScript.fromHex('51'), satoshis: 1_000 });
  source.merklePath = new MerklePath(7, [[{ offset: 0, hash: source.id('hex'), txid: true }]]);
  const paid = [];
  if (fees.delivery > 0) paid.push(await pay(SERVER, fees.delivery, 'anyone'));
  if (fees.bob > 0) paid.push(await pay(BOB, fees.bob, 'anyone'));
  const outputs = paid.map(({ output }) => output);
  const transaction = spendFree({ atomicBeef: source.toAtomicBEEF(), outputIndex: 0 }, outputs);
  const message = { recipient: BOB, messageBox: 'inbox', messageId, sender: ALICE, body: 'hello' };
  return {
    sender: ALICE,
    payment: { tx: transaction.toAtomicBEEF(), outputs: paid.map((one, i) => described(one, i)) },
    deliveryFee: fees.delivery,
    body: 'hello',
    messages: [{ message, fee: fees.bob, isStored: false }],
  };
}

const store: Parameters<ReturnType<typeof open>['deliver']>[1] = (delivery, alongside) =>
  deliver(parts, delivery, alongside);
const list = async () =>
  (await database.messages.listMessages({ recipient: BOB, messageBox: 'inbox', maxBytes: 1e6 })).messages;

test('without WALLET_STORAGE_URL it says so, takes no delivery fees, and lets recipients be paid', async () => {
  const desk = open(undefined);
  expect(lines).toMatchObject([{ level: 40, msg: expect.stringContaining('WALLET_STORAGE_URL'), network: 'main' }]);
  const refusal = await desk
    .deliver(await due('one', { delivery: 10, bob: 5 }), store)
    .catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RuleError);
  expect(refusal).toMatchObject({ code: 'ERR_PAYMENT_NOT_SUPPORTED', status: 400 });
  expect(await list()).toEqual([]);
  await desk.deliver(await due('two', { delivery: 0, bob: 5 }), store);
  expect(await list()).toMatchObject([{ messageId: 'two' }]);
});

test('with it, the real verifier and keys: server and recipient are paid', async () => {
  const desk = open('https://storage.example');
  expect(lines).toEqual([]);
  await desk.deliver(await due('one', { delivery: 10, bob: 5 }), store);
  expect(await list()).toMatchObject([{ messageId: 'one' }]);
  const short = await due('two', { delivery: 10, bob: 5 });
  await expect(desk.deliver({ ...short, deliveryFee: 11 }, store)).rejects.toMatchObject({
    code: 'ERR_INSUFFICIENT_PAYMENT',
  });
});

test('the regular look completes what was interrupted, until it is closed', async () => {
  let interrupted = 0;
  const desk = open('https://storage.example', (step) => {
    if (step !== 'received' || interrupted >= 2) return;
    interrupted += 1;
    throw new Error('interrupted');
  });
  for (const messageId of ['one', 'two']) {
    await expect(desk.deliver(await due(messageId, { delivery: 10, bob: 5 }), store)).rejects.toThrow('interrupted');
  }
  const looked = jest.spyOn(desk, 'finishOpen');
  const metrics = new Metrics('test', {});
  finishPaymentsRegularly({ ...parts, payments: desk, closing, log, metrics, everyMs: 5, idleMs: -1 });
  while ((await list()).length < 2) await new Promise((resolve) => setImmediate(resolve));
  await closing.close();
  expect((await list()).map(({ messageId }) => messageId).sort()).toEqual(['one', 'two']);
  // What carries a payment is listed, not pushed.
  expect(published).toEqual([]);
  // As others look on, it does no more.
  const looks = looked.mock.calls.length;
  const other = { finishOpen: jest.fn(async () => 0), countOpen: async () => 0 };
  const otherClosing = new Closing(log, 1_000);
  const ofOther = { payments: other as unknown as typeof desk, closing: otherClosing };
  finishPaymentsRegularly({ ...parts, ...ofOther, log, metrics: new Metrics('other', {}), everyMs: 5, idleMs: -1 });
  while (other.finishOpen.mock.calls.length < 5) await new Promise((resolve) => setImmediate(resolve));
  await otherClosing.close();
  expect(looked).toHaveBeenCalledTimes(looks);
});
