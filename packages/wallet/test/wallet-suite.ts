import { randomBytes } from 'node:crypto';
import { LockingScript, PrivateKey, Transaction, UnlockingScript } from '@bsv/sdk';
import { openStore } from '../../shared/src/store/index.js';
import { type Chain, type Funding, openChain, openServerWallet, type ServerWallet } from '../src/index.js';
import type { OwnDatabase } from './databases.js';
import { feeOf, pay } from './payments.js';

/** What the server's wallet promises on the local chain, on whichever database. */
export function walletSuite(createDatabase: () => Promise<OwnDatabase>): void {
  let database: OwnDatabase;
  let chain: Chain;
  const opened: { close(): Promise<void> }[] = [];
  const serverKey = PrivateKey.fromRandom();

  beforeAll(async () => {
    database = await createDatabase();
    chain = openChain({ network: 'local', database: database.config });
  });
  afterAll(async () => {
    for (const wallet of opened) await wallet.close();
    await chain.close();
    await database.remove();
  });

  function open(key = PrivateKey.fromRandom(), on = chain): ServerWallet {
    const privateKey = Uint8Array.from(Buffer.from(key.toHex(), 'hex'));
    const wallet = openServerWallet({ privateKey, storageUrl: undefined, chain: on, database: database.config });
    opened.push(wallet);
    return wallet;
  }

  test('its identity is the server key', async () => {
    const wallet = await open(serverKey).wallet();
    const { publicKey } = await wallet.getPublicKey({ identityKey: true });
    expect(publicKey).toBe(serverKey.toPublicKey().toString());
    expect(await wallet.getNetwork({})).toBeDefined();
  });

  test('an empty one is given money once, however many ask, and none when it has enough', async () => {
    const server = open();
    expect(await server.balance()).toBe(0);
    await Promise.all([1, 2, 3].map(() => server.ensureFunds(150_000)));
    expect(await server.balance()).toBe(150_000);
    await server.ensureFunds(150_000);
    expect(await server.balance()).toBe(150_000);
  });

  test('actions cost their outputs and their fee, to the satoshi', async () => {
    const server = open();
    await server.ensureFunds(100_000);
    const wallet = await server.wallet();
    let expected = 100_000;
    for (let action = 0; action < 3; action += 1) {
      const { tx } = await wallet.createAction({
        description: 'pays to anybody',
        outputs: [{ satoshis: 1_000, lockingScript: '51', outputDescription: 'anybody can spend it' }],
        options: { acceptDelayedBroadcast: false, randomizeOutputs: false },
      });
      const fee = feeOf(tx);
      expect(fee).toBeGreaterThan(0);
      expected -= 1_000 + fee;
      expect(await server.balance()).toBe(expected);
      const transaction = Transaction.fromAtomicBEEF(tx ?? []);
      const local = await chain.local();
      expect((await local.services.getStatusForTxids([transaction.id('hex')])).results).toMatchObject([
        { status: 'mined' },
      ]);
      // Its ancestors are proven, so none of theirs come along.
      expect(transaction.inputs.every(({ sourceTransaction }) => sourceTransaction?.merklePath !== undefined)).toBe(
        true,
      );
    }
  });

  test('a payment from one to another arrives whole, and once', async () => {
    const [payer, payee] = [open(), open()];
    await payer.ensureFunds(100_000);
    const [from, to] = [await payer.wallet(), await payee.wallet()];
    const payment = await pay(from, to, 12_345);
    await to.internalizeAction(payment);
    expect(await payee.balance()).toBe(12_345);
    expect(await payer.balance()).toBe(100_000 - 12_345 - feeOf(payment.tx));
    await to.internalizeAction(payment);
    expect(await payee.balance()).toBe(12_345);
  });

  test('a payment to somebody else is not taken', async () => {
    const [payer, payee, thief] = [open(), open(), open()];
    await payer.ensureFunds(100_000);
    const payment = await pay(await payer.wallet(), await payee.wallet(), 1_000);
    await expect((await thief.wallet()).internalizeAction(payment)).rejects.toThrow(/BRC-29|paymentRemittance/);
    expect(await thief.balance()).toBe(0);
  });

  test('an output that somebody else has spent meanwhile: the action is refused, and its money comes back', async () => {
    const server = open();
    await server.ensureFunds(100_000);
    const wallet = await server.wallet();
    const local = await chain.local();
    // Anybody can spend it with a push of anything.
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
    const balance = 100_000 - feeOf(taken.tx);
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
    expect(await server.balance()).toBe(balance - 1_000 - feeOf(again.tx));
  });

  test('several actions at once, from two processes with the same wallet: none gets in the way of another', async () => {
    const elsewhere = openChain({ network: 'local', database: database.config });
    const key = PrivateKey.fromRandom();
    const [here, there] = [open(key), open(key, elsewhere)];
    await Promise.all([here.ensureFunds(200_000), there.ensureFunds(200_000)]);
    const balance = await here.balance();
    expect(await there.balance()).toBe(balance);
    const wallets = await Promise.all([here.wallet(), there.wallet()]);
    const actions = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        wallets[index % 2]?.createAction({
          description: 'one of several',
          outputs: [{ satoshis: 1_000, lockingScript: '51', outputDescription: 'anybody can spend it' }],
          options: { acceptDelayedBroadcast: false },
        }),
      ),
    );
    const fees = actions.reduce((sum, action) => sum + feeOf(action?.tx), 0);
    expect(await here.balance()).toBe(balance - 8_000 - fees);
    expect(await there.balance()).toBe(balance - 8_000 - fees);
    await there.close();
    await elsewhere.close();
  });

  test('a transaction that waits is sent by maintenance, and its proof is collected', async () => {
    const server = open();
    await server.ensureFunds(100_000);
    const { txid = '' } = await (await server.wallet()).createAction({
      description: 'waits',
      outputs: [{ satoshis: 1_000, lockingScript: '51', outputDescription: 'anybody can spend it' }],
      options: { acceptDelayedBroadcast: true },
    });
    await server.maintain();
    const local = await chain.local();
    expect((await local.services.getStatusForTxids([txid])).results).toMatchObject([{ status: 'mined' }]);
    const { actions } = await (await server.wallet()).listActions({ labels: [] });
    expect(actions.map(({ status }) => status)).toEqual(actions.map(() => 'completed'));
  });

  test('a restart keeps what it has', async () => {
    const key = PrivateKey.fromRandom();
    const before = open(key);
    await before.ensureFunds(120_000);
    await before.close();
    const after = open(key);
    expect(await after.balance()).toBe(120_000);
  });

  test('its tables leave our own migrations alone, before and after', async () => {
    const own = await createDatabase();
    const store = openStore(own.config);
    const first = await store.migrate();
    expect(first.length).toBeGreaterThan(0);
    const ownChain = openChain({ network: 'local', database: own.config });
    const wallet = openServerWallet({
      privateKey: Uint8Array.from(randomBytes(32)),
      storageUrl: undefined,
      chain: ownChain,
      database: own.config,
    });
    await wallet.ensureFunds(1_000);
    expect(await store.schemaStatus()).toEqual({ current: true, pending: [], unknown: [] });
    expect(await store.migrate()).toEqual([]);
    await wallet.close();
    await ownChain.close();
    await store.close();

    const again = openStore(own.config);
    expect((await again.schemaStatus()).current).toBe(true);
    await again.close();
    await own.remove();

    const other = await createDatabase();
    const otherChain = openChain({ network: 'local', database: other.config });
    await otherChain.local();
    const late = openStore(other.config);
    expect(await late.migrate()).toEqual(first);
    await late.close();
    await otherChain.close();
    await other.remove();
  });
}
