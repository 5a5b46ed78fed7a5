import { randomBytes } from 'node:crypto';
import { LockingScript, PrivateKey, type WalletInterface } from '@bsv/sdk';
import { type Chain, openChain, openServerWallet, type ServerWallet, WalletUnavailableError } from '../src/index.js';
import { type OwnDatabase, sqliteFile } from './databases.js';
import { pay } from './payments.js';
import { type RunningStorageServer, startStorageServer } from './storage-server.js';

/** The server's wallet as it is on main and test: its records at a storage server. Only the network is our own. */
describe("the server's wallet at a storage server", () => {
  const serverKey = PrivateKey.fromRandom();
  let database: OwnDatabase;
  let local: Chain;
  let storage: RunningStorageServer;
  let chain: Chain;
  let payer: ServerWallet;
  const opened: ServerWallet[] = [];

  beforeAll(async () => {
    // Its lines on the console are for whoever runs it.
    jest.spyOn(console, 'log').mockImplementation(() => undefined);
    database = await sqliteFile();
    local = openChain({ network: 'local', database: database.config });
    storage = await startStorageServer('test', await local.services());
    chain = { ...openChain({ network: 'test', database: database.config }), services: () => local.services() };
    payer = openServerWallet({
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
    const wallet = openServerWallet({
      privateKey: Uint8Array.from(Buffer.from(key.toHex(), 'hex')),
      storageUrl: storage.url,
      chain,
      database: database.config,
    });
    opened.push(wallet);
    return wallet;
  }

  async function receive(wallet: WalletInterface, satoshis: number) {
    return await wallet.internalizeAction(await pay(await payer.wallet(), wallet, satoshis));
  }

  test('an empty one says whom to pay', async () => {
    const wallet = open();
    expect(await wallet.balance()).toBe(0);
    await expect(wallet.ensureFunds(1_000)).rejects.toThrow(
      `The server's wallet has 0 satoshis, and 1000 are needed: pay to ${serverKey.toPublicKey().toString()}.`,
    );
  });

  test('takes a payment in, once, and every instance has it', async () => {
    const [one, other] = [open(), open()];
    const before = await one.balance();
    const wallet = await one.wallet();
    const payment = await pay(await payer.wallet(), wallet, 700);
    for (const instance of [one, one, other]) {
      expect(await (await instance.wallet()).internalizeAction(payment)).toMatchObject({ accepted: true });
      expect(await instance.balance()).toBe(before + 700);
    }
    expect(await other.balance()).toBe(before + 700);
  });

  test('signs without sending, as advertisements are made, and sends then', async () => {
    const key = PrivateKey.fromRandom();
    const server = open(key);
    const wallet = await server.wallet();
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
    const onChain = async () => (await (await local.services()).getRawTx(txid as string)).rawTx !== undefined;
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

  test('a storage that is away is said to be, and works when it is back', async () => {
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
