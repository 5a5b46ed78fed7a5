import { LockingScript, MerklePath, PrivateKey, Transaction, UnlockingScript } from '@bsv/sdk';
import { loadCurve, normaliseIdentityKey } from '@messagebox/brc103';
import { type DeliverMessagesOptions, deliverMessages, RuleError } from '@messagebox/messages';
import { createLogger, type Logger, Metrics, readConfig, ShutdownHooks } from '@messagebox/shared';
import { openDatabase, type StoreConfig } from '@messagebox/store';
import { createBrc29Payment, describePaymentOutput, spendFreeOutput } from '@messagebox/test-support/brc29';
import { TransactionVerifier } from '@messagebox/transactions';
import type { BsvServices, Chain } from '@messagebox/wallet';
import { createPaymentService, startPaymentRecovery } from '../src/index.js';
import type { PaymentStep } from '../src/settlement.js';
import { toIdentityKey } from './support/payee-scripts.ts';

const serverKey = PrivateKey.fromRandom();
const [SERVER, ALICE, BOB] = [serverKey, PrivateKey.fromRandom(), PrivateKey.fromRandom()].map(toIdentityKey) as [
  string,
  string,
  string,
];
const memory: StoreConfig = { client: 'better-sqlite3', filename: ':memory:' };

let database: ReturnType<typeof openDatabase>;
let verifier: TransactionVerifier;
let shutdown: ShutdownHooks;
let lines: { level: number; msg: string; network?: string }[];
let log: Logger;
let parts: DeliverMessagesOptions;
let published: string[];

beforeEach(async () => {
  database = openDatabase(memory);
  await database.messages.migrate();
  verifier = new TransactionVerifier(async () => ({
    isValidRootForHeight: async () => true,
    currentHeight: async () => 1_000,
  }));
  lines = [];
  log = createLogger('test', 'info', { write: (line) => void lines.push(JSON.parse(line)) });
  shutdown = new ShutdownHooks(log, 1_000);
  published = [];
  parts = { store: database.messages, events: { publish: ({ messageId }) => void published.push(messageId) } };
});
afterEach(async () => {
  await shutdown.close();
  await verifier.close();
  await database.messages.close();
});

/** A payment service on a network that accepts every transaction. */
function open(walletStorageUrl: string | undefined, onStep?: (step: PaymentStep) => void) {
  const chain = { network: 'main', broadcast: async () => 'accepted' } as unknown as Chain;
  const wallet = { getWallet: async () => ({ internalizeAction: async () => ({ accepted: true }) }) };
  const curve = loadCurve();
  return createPaymentService({
    config: {
      serverPrivateKey: Uint8Array.from(serverKey.toArray('be', 32)),
      network: 'main',
      walletStorageUrl,
      limits: readConfig({}).limits,
    },
    sql: database.sql,
    identity: { normaliseKey: (key: string) => normaliseIdentityKey(key, curve) } as never,
    bsv: { chain, verifier, wallet } as unknown as BsvServices,
    log,
    ...(onStep === undefined ? {} : { onStep }),
  });
}

/** A payment for a message to Bob, with a transaction that the test's chain takes for proven. */
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
  if (fees.delivery > 0) paid.push(await createBrc29Payment(SERVER, fees.delivery, 'anyone'));
  if (fees.bob > 0) paid.push(await createBrc29Payment(BOB, fees.bob, 'anyone'));
  const outputs = paid.map(({ output }) => output);
  const transaction = spendFreeOutput({ atomicBeef: source.toAtomicBEEF(), outputIndex: 0 }, outputs);
  const message = { recipient: BOB, messageBox: 'inbox', messageId, sender: ALICE, body: 'hello' };
  return {
    sender: ALICE,
    payment: { tx: transaction.toAtomicBEEF(), outputs: paid.map((one, i) => describePaymentOutput(one, i)) },
    deliveryFee: fees.delivery,
    body: 'hello',
    messages: [{ message, fee: fees.bob, isStored: false }],
  };
}

const store: Parameters<ReturnType<typeof open>['deliver']>[1] = (delivery, withinTransaction) =>
  deliverMessages(parts, delivery, withinTransaction);
const list = async () =>
  (await database.messages.listMessages({ recipient: BOB, messageBox: 'inbox', maxBytes: 1e6 })).messages;

test('without WALLET_STORAGE_URL the service logs a warning, refuses delivery fees and accepts payments to recipients', async () => {
  const service = open(undefined);
  expect(lines).toMatchObject([{ level: 40, msg: expect.stringContaining('WALLET_STORAGE_URL'), network: 'main' }]);
  const refusal = await service
    .deliver(await due('one', { delivery: 10, bob: 5 }), store)
    .catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RuleError);
  expect(refusal).toMatchObject({ code: 'ERR_PAYMENT_NOT_SUPPORTED', status: 400 });
  expect(await list()).toEqual([]);
  await service.deliver(await due('two', { delivery: 0, bob: 5 }), store);
  expect(await list()).toMatchObject([{ messageId: 'two' }]);
});

test('with WALLET_STORAGE_URL the service accepts payments to the server and to recipients', async () => {
  const service = open('https://storage.example');
  expect(lines).toEqual([]);
  await service.deliver(await due('one', { delivery: 10, bob: 5 }), store);
  expect(await list()).toMatchObject([{ messageId: 'one' }]);
  const short = await due('two', { delivery: 10, bob: 5 });
  await expect(service.deliver({ ...short, deliveryFee: 11 }, store)).rejects.toMatchObject({
    code: 'ERR_INSUFFICIENT_PAYMENT',
  });
});

test('the recovery finishes interrupted payments until it is closed', async () => {
  let interrupted = 0;
  const service = open('https://storage.example', (step) => {
    if (step !== 'received' || interrupted >= 2) return;
    interrupted += 1;
    throw new Error('interrupted');
  });
  for (const messageId of ['one', 'two']) {
    await expect(service.deliver(await due(messageId, { delivery: 10, bob: 5 }), store)).rejects.toThrow('interrupted');
  }
  const looked = jest.spyOn(service, 'resumePending');
  const metrics = new Metrics('test', {});
  startPaymentRecovery({ ...parts, payments: service, shutdown, log, metrics, intervalMs: 5, idleMs: -1 });
  while ((await list()).length < 2) await new Promise((resolve) => setImmediate(resolve));
  await shutdown.close();
  expect((await list()).map(({ messageId }) => messageId).sort()).toEqual(['one', 'two']);
  // A message with a payment is listed, and not published live.
  expect(published).toEqual([]);
  // The closed recovery makes no further runs while another one does.
  const looks = looked.mock.calls.length;
  const other = { resumePending: jest.fn(async () => 0), countPending: async () => 0 };
  const otherClosing = new ShutdownHooks(log, 1_000);
  const ofOther = { payments: other as unknown as typeof service, shutdown: otherClosing };
  startPaymentRecovery({ ...parts, ...ofOther, log, metrics: new Metrics('other', {}), intervalMs: 5, idleMs: -1 });
  while (other.resumePending.mock.calls.length < 5) await new Promise((resolve) => setImmediate(resolve));
  await otherClosing.close();
  expect(looked).toHaveBeenCalledTimes(looks);
});
