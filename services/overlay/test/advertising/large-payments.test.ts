import { randomBytes } from 'node:crypto';
import { openChain, openServerWallet, type ServerWallet } from '@messagebox/wallet';
import { pay } from '../../../../packages/wallet/test/payments.js';
import { type RunningStorageServer, startStorageServer } from '../../../../packages/wallet/test/storage-server.js';
import { type AdvertisingHost, ORIGIN, openAdvertisingHost } from '../support/advertising-host.js';

const BOTH = [`SHIP tm_messagebox ${ORIGIN}`, `SLAP ls_messagebox ${ORIGIN}`];
/** What our own topics take of strangers. */
const MAX_BEEF_BYTES = 131_072;

/** The money is what strangers have paid for deliveries, with transactions of up to a megabyte. */
describe('money that rests on large transactions', () => {
  let host: AdvertisingHost;
  let storage: RunningStorageServer;
  const wallets: ServerWallet[] = [];

  beforeEach(async () => {
    // The toolbox's lines on the console are for whoever runs it.
    jest.spyOn(console, 'log').mockImplementation(() => undefined);
    host = await openAdvertisingHost();
    storage = await startStorageServer('test', await host.chain.services());
  });
  afterEach(async () => {
    for (const wallet of wallets.splice(0)) await wallet.close();
    await storage.close();
    await host.close();
    jest.restoreAllMocks();
  });

  /** @param isServers its records are at the storage server, as on main and test; else in the database, on the local chain */
  function openWallet(privateKey: Uint8Array, isServers = false): ServerWallet {
    const wallet = openServerWallet({
      privateKey,
      storageUrl: isServers ? storage.url : undefined,
      chain: isServers
        ? { ...openChain({ network: 'test', database: host.store }), services: () => host.chain.services() }
        : host.chain,
      database: host.store,
    });
    wallets.push(wallet);
    return wallet;
  }

  test('advertises with it, and revokes', async () => {
    const [rich, user] = [openWallet(newKey()), openWallet(newKey())];
    await rich.ensureFunds(100_000);
    const [from, to] = [await rich.wallet(), await user.wallet()];
    for (let i = 0; i < 2; i += 1) await to.internalizeAction(await pay(from, to, 3_000, 64_000));
    const wallet = openWallet(host.config.serverPrivateKey as Uint8Array, true);
    const server = await wallet.wallet();
    const payment = await pay(to, server, 5_000, 10_000);
    expect(payment.tx.length).toBeGreaterThan(MAX_BEEF_BYTES);
    await server.internalizeAction(payment);

    const { reconciler, own } = await host.start({}, undefined, wallet);
    const { transactions } = await reconciler.reconcile();
    expect(await host.onChain()).toEqual(BOTH);
    expect(await host.found()).toEqual(BOTH);
    expect(await own.state(transactions[0] ?? '')).toBe('accepted');

    await own.decide(false, new Date());
    expect(await reconciler.reconcile()).toMatchObject({ revoked: [expect.anything(), expect.anything()] });
    expect(await host.onChain()).toEqual([]);
    expect(await host.found()).toEqual([]);
  });
});

const newKey = () => Uint8Array.from(randomBytes(32));
