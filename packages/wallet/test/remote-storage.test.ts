import { randomBytes } from 'node:crypto';
import { LockingScript, PrivateKey, type WalletInterface } from '@bsv/sdk';
import { payFromWallet } from '@messagebox/test-kit';
import { createTemporarySqliteDatabase, type TemporaryDatabase } from '../../devnet/test/support/databases.js';
import {
  type Chain,
  createChain,
  createServerWallet,
  type ServerWallet,
  WalletUnavailableError,
} from '../src/index.js';
import { type RunningStorageServer, startStorageServer } from './support/storage-server.js';

/** The server's wallet as on main and test, with its records at a storage server. The network is the play chain. */
describe("the server's wallet at a storage server", () => {
  const serverKey = PrivateKey.fromRandom();
  let database: TemporaryDatabase;
  let local: Chain;
  let storage: RunningStorageServer;
  let chain: Chain;
  let payer: ServerWallet;
  const opened: ServerWallet[] = [];

  beforeAll(async () => {
    // The storage server prints on the console.
    jest.spyOn(console, 'log').mockImplementation(() => undefined);
    database = await createTemporarySqliteDatabase();
    local = createChain({ network: 'local', database: database.config });
    storage = await startStorageServer('test', await local.getServices());
    chain = { ...createChain({ network: 'test', database: database.config }), getServices: () => local.getServices() };
    payer = createServerWallet({
      privateKey: Uint8Array.from(randomBytes(32)),
      storageUrl: undefined,
      chain: local,
      database: database.config,
    });
    await payer.ensureFunds(10_000);
  });
  afterAll(async () => {
    for (const wallet of [...opened, payer]) await wallet?.close();
    await storage?.close();
    await local?.close();
    await database?.remove();
    jest.restoreAllMocks();
  });

  function open(key = serverKey): ServerWallet {
    const wallet = createServerWallet({
      privateKey: Uint8Array.from(Buffer.from(key.toHex(), 'hex')),
      storageUrl: storage.url,
      chain,
      database: database.config,
    });
    opened.push(wallet);
    return wallet;
  }

  async function receive(wallet: WalletInterface, satoshis: number) {
    return await wallet.internalizeAction(await payFromWallet(await payer.getWallet(), wallet, satoshis));
  }

  test('names the key to pay when it is empty', async () => {
    const wallet = open();
    expect(await wallet.balance()).toBe(0);
    await expect(wallet.ensureFunds(1_000)).rejects.toThrow(
      `The server's wallet has 0 satoshis, and 1000 are needed: pay to ${serverKey.toPublicKey().toString()}.`,
    );
  });

  test('internalizes a payment once, and every instance has it', async () => {
    const [one, other] = [open(), open()];
    const before = await one.balance();
    const wallet = await one.getWallet();
    const payment = await payFromWallet(await payer.getWallet(), wallet, 700);
    for (const instance of [one, one, other]) {
      expect(await (await instance.getWallet()).internalizeAction(payment)).toMatchObject({ accepted: true });
      expect(await instance.balance()).toBe(before + 700);
    }
    expect(await other.balance()).toBe(before + 700);
  });

  test('signs without sending, as for advertisements, and sends later', async () => {
    const key = PrivateKey.fromRandom();
    const server = open(key);
    const wallet = await server.getWallet();
    await receive(wallet, 2_000);
    await server.ensureFunds(1_000);
    const { txid, tx } = await wallet.createAction({
      description: 'an advertisement',
      labels: ['advertisements'],
      outputs: [
        {
          satoshis: 1,
          lockingScript: LockingScript.fromHex('51').toHex(),
          outputDescription: 'advertisement',
          basket: 'ads',
        },
      ],
      options: { noSend: true, randomizeOutputs: false, acceptDelayedBroadcast: false },
    });
    expect(tx).toBeDefined();
    const onChain = async () => (await (await local.getServices()).getRawTx(txid as string)).rawTx !== undefined;
    expect(await onChain()).toBe(false);
    const unsent = await wallet.listActions({ labels: ['advertisements'] });
    expect(unsent.actions).toEqual([expect.objectContaining({ txid, status: 'nosend' })]);

    const sent = await wallet.createAction({
      description: 'send it',
      options: { sendWith: [txid as string], acceptDelayedBroadcast: false },
    });
    expect(sent.sendWithResults).toEqual([{ txid, status: 'unproven' }]);
    expect(await onChain()).toBe(true);
  });

  test('throws WalletUnavailableError without its storage, and works when the storage is back', async () => {
    const wallet = open(PrivateKey.fromRandom());
    storage.interrupt(true);
    try {
      await expect(wallet.balance()).rejects.toThrow(WalletUnavailableError);
    } finally {
      storage.interrupt(false);
    }
    expect(await wallet.balance()).toBe(0);
  });
});
