import { randomBytes } from 'node:crypto';
import { payFromWallet } from '@messagebox/test-kit';
import { createChain, createServerWallet, type ServerWallet } from '@messagebox/wallet';
import {
  type RunningStorageServer,
  startStorageServer,
} from '../../../../packages/wallet/test/support/storage-server.js';
import { type AdvertisingHost, ORIGIN, openAdvertisingHost } from '../support/advertising-host.js';

const BOTH = [`SHIP tm_messagebox ${ORIGIN}`, `SLAP ls_messagebox ${ORIGIN}`];
/** The limit of the topics for strangers. */
const MAX_BEEF_BYTES = 131_072;

// Strangers pay for deliveries with transactions of up to a megabyte.
describe('a wallet whose funds have large ancestors', () => {
  let host: AdvertisingHost;
  let storage: RunningStorageServer;
  const wallets: ServerWallet[] = [];

  beforeEach(async () => {
    // The toolbox writes lines to the console, which are not needed here.
    jest.spyOn(console, 'log').mockImplementation(() => undefined);
    host = await openAdvertisingHost();
    storage = await startStorageServer('test', await host.chain.getServices());
  });
  afterEach(async () => {
    for (const wallet of wallets.splice(0)) await wallet.close();
    await storage.close();
    await host.close();
    jest.restoreAllMocks();
  });

  /** @param isServers whether its records are at the storage server, as on main and test, or in the local database */
  function openWallet(privateKey: Uint8Array, isServers = false): ServerWallet {
    const wallet = createServerWallet({
      privateKey,
      storageUrl: isServers ? storage.url : undefined,
      chain: isServers
        ? { ...createChain({ network: 'test', database: host.store }), getServices: () => host.chain.getServices() }
        : host.chain,
      database: host.store,
    });
    wallets.push(wallet);
    return wallet;
  }

  test('funds an advertisement and its revocation', async () => {
    const [rich, user] = [openWallet(newKey()), openWallet(newKey())];
    await rich.ensureFunds(100_000);
    const [from, to] = [await rich.getWallet(), await user.getWallet()];
    for (let i = 0; i < 2; i += 1) await to.internalizeAction(await payFromWallet(from, to, 3_000, 64_000));
    const wallet = openWallet(host.config.serverPrivateKey as Uint8Array, true);
    const server = await wallet.getWallet();
    const payment = await payFromWallet(to, server, 5_000, 10_000);
    expect(payment.tx.length).toBeGreaterThan(MAX_BEEF_BYTES);
    await server.internalizeAction(payment);

    const { reconciler, ownTransactions } = await host.start({}, undefined, wallet);
    const { transactions } = await reconciler.reconcile();
    expect(await host.onChain()).toEqual(BOTH);
    expect(await host.found()).toEqual(BOTH);
    expect(await ownTransactions.getState(transactions[0] ?? '')).toBe('accepted');

    await ownTransactions.recordDecision(false, new Date());
    expect(await reconciler.reconcile()).toMatchObject({ revoked: [expect.anything(), expect.anything()] });
    expect(await host.onChain()).toEqual([]);
    expect(await host.found()).toEqual([]);
  });
});

const newKey = () => Uint8Array.from(randomBytes(32));
