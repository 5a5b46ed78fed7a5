import { randomBytes } from 'node:crypto';
import { LockingScript, PrivateKey, Transaction, UnlockingScript } from '@bsv/sdk';
import type { Funding } from '@messagebox/devnet';
import { openStore } from '@messagebox/store';
import { computeFee, payFromWallet } from '@messagebox/test-kit';
import type { TemporaryDatabase } from '../../../devnet/test/support/databases.js';
import { type Chain, createChain, createServerWallet, type ServerWallet } from '../../src/index.js';

/** The promises of the server's wallet on the local chain, on each database. */
export function walletSuite(createDatabase: () => Promise<TemporaryDatabase>): void {
  let database: TemporaryDatabase;
  let chain: Chain;
  const opened: { close(): Promise<void> }[] = [];
  const serverKey = PrivateKey.fromRandom();

  beforeAll(async () => {
    database = await createDatabase();
    chain = createChain({ network: 'local', database: database.config });
  });
  afterAll(async () => {
    for (const wallet of opened) await wallet.close();
    await chain.close();
    await database.remove();
  });

  function open(key = PrivateKey.fromRandom(), on = chain): ServerWallet {
    const privateKey = Uint8Array.from(Buffer.from(key.toHex(), 'hex'));
    const wallet = createServerWallet({ privateKey, storageUrl: undefined, chain: on, database: database.config });
    opened.push(wallet);
    return wallet;
  }

  test('has the identity of the server key', async () => {
    const wallet = await open(serverKey).getWallet();
    const { publicKey } = await wallet.getPublicKey({ identityKey: true });
    expect(publicKey).toBe(serverKey.toPublicKey().toString());
    expect(await wallet.getNetwork({})).toBeDefined();
  });

  test('gets money once for concurrent requests when it is empty, and none when it has enough', async () => {
    const server = open();
    expect(await server.balance()).toBe(0);
    await Promise.all([1, 2, 3].map(() => server.ensureFunds(150_000)));
    expect(await server.balance()).toBe(150_000);
    await server.ensureFunds(150_000);
    expect(await server.balance()).toBe(150_000);
  });

  test('pays outputs and fees to the satoshi', async () => {
    const server = open();
    await server.ensureFunds(100_000);
    const wallet = await server.getWallet();
    let expected = 100_000;
    for (let action = 0; action < 3; action += 1) {
      const { tx } = await wallet.createAction({
        description: 'pays to anybody',
        outputs: [{ satoshis: 1_000, lockingScript: '51', outputDescription: 'anybody can spend it' }],
        options: { acceptDelayedBroadcast: false, randomizeOutputs: false },
      });
      const fee = computeFee(tx);
      expect(fee).toBeGreaterThan(0);
      expected -= 1_000 + fee;
      expect(await server.balance()).toBe(expected);
      const transaction = Transaction.fromAtomicBEEF(tx ?? []);
      const local = await chain.getLocalChain();
      expect((await local.services.getStatusForTxids([transaction.id('hex')])).results).toMatchObject([
        { status: 'mined' },
      ]);
      // The parents are proven, so the BEEF has no further ancestors.
      expect(transaction.inputs.every(({ sourceTransaction }) => sourceTransaction?.merklePath !== undefined)).toBe(
        true,
      );
    }
  });

  test('internalizes a payment of another wallet once', async () => {
    const [payer, payee] = [open(), open()];
    await payer.ensureFunds(100_000);
    const [from, to] = [await payer.getWallet(), await payee.getWallet()];
    const payment = await payFromWallet(from, to, 12_345);
    await to.internalizeAction(payment);
    expect(await payee.balance()).toBe(12_345);
    expect(await payer.balance()).toBe(100_000 - 12_345 - computeFee(payment.tx));
    await to.internalizeAction(payment);
    expect(await payee.balance()).toBe(12_345);
  });

  test('refuses a payment to somebody else', async () => {
    const [payer, payee, thief] = [open(), open(), open()];
    await payer.ensureFunds(100_000);
    const payment = await payFromWallet(await payer.getWallet(), await payee.getWallet(), 1_000);
    await expect((await thief.getWallet()).internalizeAction(payment)).rejects.toThrow(/BRC-29|paymentRemittance/);
    expect(await thief.balance()).toBe(0);
  });

  test('fails an action whose input was spent by somebody else, and gets its money back', async () => {
    const server = open();
    await server.ensureFunds(100_000);
    const wallet = await server.getWallet();
    const local = await chain.getLocalChain();
    // Anybody can spend this output by pushing any value.
    const anybody = { lockingScript: '7551', satoshis: 5_000 };
    const take = ({ atomicBeef, txid }: Funding) =>
      wallet.createAction({
        description: 'takes what anybody can',
        inputBEEF: atomicBeef,
        inputs: [{ outpoint: `${txid}.0`, unlockingScript: '51', inputDescription: 'anybody' }],
        outputs: [{ satoshis: 5_000, lockingScript: '51', outputDescription: 'anybody' }],
        options: { acceptDelayedBroadcast: false },
      });
    const taken = await take(await local.fund(anybody));
    const balance = 100_000 - computeFee(taken.tx);
    expect(await server.balance()).toBe(balance);

    const funding = await local.fund(anybody);
    const rival = new Transaction();
    rival.addInput({
      sourceTransaction: Transaction.fromAtomicBEEF(funding.atomicBeef),
      sourceOutputIndex: 0,
      unlockingScript: UnlockingScript.fromHex('51'),
      sequence: 0xffffffff,
    });
    rival.addOutput({ satoshis: 5_000, lockingScript: LockingScript.fromHex('51') });
    const [posted] = await local.postBeef(local.parseBeef(Uint8Array.from(rival.toBEEF())), [rival.id('hex')]);
    expect(posted?.status).toBe('success');
    await expect(take(funding)).rejects.toMatchObject({ code: 'WERR_REVIEW_ACTIONS' });
    expect(await server.balance()).toBe(balance);
    const again = await wallet.createAction({
      description: 'spends its own',
      outputs: [{ satoshis: 1_000, lockingScript: '51', outputDescription: 'anybody' }],
      options: { acceptDelayedBroadcast: false },
    });
    expect(await server.balance()).toBe(balance - 1_000 - computeFee(again.tx));
  });

  test('runs concurrent actions of two processes with the same wallet without conflicts', async () => {
    const elsewhere = createChain({ network: 'local', database: database.config });
    const key = PrivateKey.fromRandom();
    const [here, there] = [open(key), open(key, elsewhere)];
    await Promise.all([here.ensureFunds(200_000), there.ensureFunds(200_000)]);
    const balance = await here.balance();
    expect(await there.balance()).toBe(balance);
    const wallets = await Promise.all([here.getWallet(), there.getWallet()]);
    const actions = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        wallets[index % 2]?.createAction({
          description: 'one of several',
          outputs: [{ satoshis: 1_000, lockingScript: '51', outputDescription: 'anybody can spend it' }],
          options: { acceptDelayedBroadcast: false },
        }),
      ),
    );
    const fees = actions.reduce((sum, action) => sum + computeFee(action?.tx), 0);
    expect(await here.balance()).toBe(balance - 8_000 - fees);
    expect(await there.balance()).toBe(balance - 8_000 - fees);
    await there.close();
    await elsewhere.close();
  });

  test('sends a waiting transaction and collects its proof in maintenance', async () => {
    const server = open();
    await server.ensureFunds(100_000);
    const { txid = '' } = await (await server.getWallet()).createAction({
      description: 'waits',
      outputs: [{ satoshis: 1_000, lockingScript: '51', outputDescription: 'anybody can spend it' }],
      options: { acceptDelayedBroadcast: true },
    });
    await server.maintain();
    const local = await chain.getLocalChain();
    expect((await local.services.getStatusForTxids([txid])).results).toMatchObject([{ status: 'mined' }]);
    const { actions } = await (await server.getWallet()).listActions({ labels: [] });
    expect(actions.map(({ status }) => status)).toEqual(actions.map(() => 'completed'));
  });

  test('keeps its money over a restart', async () => {
    const key = PrivateKey.fromRandom();
    const before = open(key);
    await before.ensureFunds(120_000);
    await before.close();
    const after = open(key);
    expect(await after.balance()).toBe(120_000);
  });

  test('leaves the migrations of the store alone', async () => {
    const own = await createDatabase();
    const store = openStore(own.config);
    const first = await store.migrate();
    expect(first.length).toBeGreaterThan(0);
    const ownChain = createChain({ network: 'local', database: own.config });
    const wallet = createServerWallet({
      privateKey: Uint8Array.from(randomBytes(32)),
      storageUrl: undefined,
      chain: ownChain,
      database: own.config,
    });
    await wallet.ensureFunds(1_000);
    expect(await store.getSchemaStatus()).toEqual({ current: true, pending: [], unknown: [] });
    expect(await store.migrate()).toEqual([]);
    await wallet.close();
    await ownChain.close();
    await store.close();

    const again = openStore(own.config);
    expect((await again.getSchemaStatus()).current).toBe(true);
    await again.close();
    await own.remove();

    const other = await createDatabase();
    const otherChain = createChain({ network: 'local', database: other.config });
    await otherChain.getLocalChain();
    const late = openStore(other.config);
    expect(await late.migrate()).toEqual(first);
    await late.close();
    await otherChain.close();
    await other.remove();
  });
}
