import { existsSync } from 'node:fs';
import path from 'node:path';
import { Beef, PushDrop, Transaction, Utils } from '@bsv/sdk';
import { computeFee, createFunding, payFromWallet } from '@messagebox/test-kit';
import { answerChainCall, answerFaucet, LocalChain, LocalChainError, openDeveloperWallet } from '../src/index.js';
import { serveChain } from './support/chain-server.js';
import { createTemporarySqliteDatabase, type TemporaryDatabase } from './support/databases.js';

let folder: TemporaryDatabase;
let local: LocalChain;
let server: Awaited<ReturnType<typeof serveChain>>;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  folder = await createTemporarySqliteDatabase();
  local = await LocalChain.open({ client: 'better-sqlite3', filename: ':memory:' });
  server = await serveChain(local);
});
afterAll(async () => {
  for (const wallet of opened) await wallet.close();
  await server.close();
  await local.close();
  await folder.remove();
});

async function open(options: { privateKey?: string; file?: string } = {}) {
  const wallet = await openDeveloperWallet({ origin: server.origin, ...options });
  opened.push(wallet);
  return wallet;
}

test('spends money from the faucet on the chain of the server, to the satoshi', async () => {
  const [payer, payee] = [await open(), await open()];
  await payer.fund(50_000);
  await payer.fund(7);
  expect(await payer.balance()).toBe(50_007);
  const payment = await payFromWallet(payer.wallet, payee.wallet, 1_234);
  await payee.wallet.internalizeAction(payment);
  expect(await payee.balance()).toBe(1_234);
  expect(await payer.balance()).toBe(50_007 - 1_234 - computeFee(payment.tx));
  const txid = Transaction.fromAtomicBEEF([...payment.tx]).id('hex');
  expect((await local.services.getStatusForTxids([txid])).results).toMatchObject([{ status: 'mined' }]);
});

test('creates a token, and spends it later with a signature', async () => {
  const developer = await open();
  const { wallet } = developer;
  await developer.fund(10_000);
  const protocolID: [1, string] = [1, 'token of a test'];
  const token = new PushDrop(wallet);
  const lockingScript = await token.lock([Utils.toArray('hello', 'utf8')], protocolID, '1', 'anyone', true);
  const made = await wallet.createAction({
    description: 'make a token',
    outputs: [{ satoshis: 1, lockingScript: lockingScript.toHex(), basket: 'tokens', outputDescription: 'the token' }],
    options: { acceptDelayedBroadcast: false, randomizeOutputs: false },
  });
  const { outputs, BEEF } = await wallet.listOutputs({ basket: 'tokens', include: 'entire transactions' });
  const outpoint = `${made.txid}.0`;
  expect(outputs).toMatchObject([{ outpoint, satoshis: 1, spendable: true }]);

  const { signableTransaction } = await wallet.createAction({
    description: 'spend the token',
    inputBEEF: BEEF ?? [],
    inputs: [{ outpoint, unlockingScriptLength: 74, inputDescription: 'the token' }],
    options: { acceptDelayedBroadcast: false, randomizeOutputs: false },
  });
  const transaction = Transaction.fromAtomicBEEF(signableTransaction?.tx ?? []);
  const unlockingScript = await token.unlock(protocolID, '1', 'anyone').sign(transaction, 0);
  const spent = await wallet.signAction({
    reference: signableTransaction?.reference ?? '',
    spends: { 0: { unlockingScript: unlockingScript.toHex() } },
    options: { acceptDelayedBroadcast: false },
  });
  expect((await wallet.listOutputs({ basket: 'tokens' })).outputs).toEqual([]);
  expect(await developer.balance()).toBe(10_000 - computeFee(made.tx) - computeFee(spent.tx));
});

test('keeps its records in a file for the next wallet with the same key', async () => {
  const file = path.join(path.dirname((folder.config as { filename: string }).filename), 'developer.sqlite');
  const privateKey = '7'.repeat(64);
  const before = await open({ privateKey, file });
  await before.fund(4_321);
  await before.close();
  expect(existsSync(file)).toBe(true);
  const after = await open({ privateKey, file });
  expect(await after.balance()).toBe(4_321);
  expect(after.identityKey).toBe(before.identityKey);
  expect((await after.wallet.getPublicKey({ identityKey: true })).publicKey).toBe(before.identityKey);
});

test('throws the reason of a refusal by the server', async () => {
  const developer = await open();
  await expect(developer.fund(0)).rejects.toThrow(/400: satoshis must be an integer from 1/);
  await expect(developer.fund(1e15)).rejects.toThrow(/satoshis must be an integer/);
});

describe('a call with wrong arguments is refused:', () => {
  const hash = 'ab'.repeat(32);
  const empty = Buffer.from('0200beef0000', 'hex').toString('base64');

  test.each([
    ['an unknown method', 'mineBlock', []],
    ['a name that every object has', 'constructor', []],
    ['no method', undefined, []],
    ['arguments that are no array', 'getRawTx', { 0: hash }],
    ['no arguments', 'getRawTx', undefined],
    ['a missing txid', 'getRawTx', []],
    ['a short txid', 'getRawTx', ['ab']],
    ['a txid in capitals', 'getMerklePath', [hash.toUpperCase()]],
    ['an object for a txid', 'getBeefForTxid', [{ txid: hash }]],
    ['a height that is text', 'isValidRootForHeight', [hash, '1']],
    ['a negative height', 'findHeaderForHeight', [-1]],
    ['half a height', 'getHeaderForHeight', [0.5]],
    ['too many txids', 'getStatusForTxids', [Array.from({ length: 101 }, () => hash)]],
    ['txids that are none', 'getStatusForTxids', ['x']],
    ['an outpoint that is none', 'getUtxoStatus', [hash, 'x.y']],
    ['a BEEF that is a number', 'postBeef', [7, [hash]]],
    ['a BEEF that is too large', 'postBeef', ['A'.repeat(8_000_008), [hash]]],
    ['a BEEF without transactions', 'postBeef', [empty, [hash]]],
    ['bytes that are no BEEF', 'postBeef', [Buffer.from('hello').toString('base64'), [hash]]],
  ])('%s', async (_name, method, args) => {
    const height = await local.tracker.currentHeight();
    await expect(answerChainCall(local, method, args)).rejects.toBeInstanceOf(LocalChainError);
    expect(await local.tracker.currentHeight()).toBe(height);
  });

  test.each([[undefined], [null], ['x'], [{}], [{ satoshis: 1 }], [{ lockingScript: '51', satoshis: '1' }]])(
    'the faucet gets %j',
    async (body) => {
      await expect(answerFaucet(local, body)).rejects.toBeInstanceOf(LocalChainError);
    },
  );

  test('a merkle path that contradicts itself', async () => {
    const transaction = createFunding(['OP_1']);
    const id = Buffer.from(transaction.id('hex'), 'hex').reverse();
    const level = Buffer.concat([Buffer.of(2, 0, 2), id, Buffer.of(2, 0), Buffer.alloc(32, 1)]);
    const bytes = Buffer.concat([Buffer.from('0200beef010101', 'hex'), level, Buffer.of(1, 0)]);
    const beef = Buffer.concat([bytes, Buffer.from(transaction.toBinary())]).toString('base64');
    await expect(answerChainCall(local, 'postBeef', [beef, [transaction.id('hex')]])).rejects.toThrow(/merkle path/);
  });
});

test('answers null for what does not exist', async () => {
  const hash = 'ab'.repeat(32);
  expect(await answerChainCall(local, 'findHeaderForHeight', [1_000_000])).toBeNull();
  expect(await answerChainCall(local, 'hashToHeader', [hash])).toBeNull();
  expect(await answerChainCall(local, 'getRawTx', [hash])).toEqual({ txid: hash });
  expect(await answerChainCall(local, 'isValidRootForHeight', [hash, 3])).toBe(false);
  const beef = String(await answerChainCall(local, 'getBeefForTxid', [hash]));
  expect(Beef.fromString(beef, 'base64').txs).toEqual([]);
  const { atomicBeef, txid } = await local.fund({ lockingScript: '51', satoshis: 1 });
  expect(atomicBeef.length).toBeGreaterThan(0);
  expect(await answerChainCall(local, 'getMerklePath', [txid])).toMatchObject({ merklePath: expect.any(String) });
});
