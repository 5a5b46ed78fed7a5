import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import type { WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import { StorageServer } from '@bsv/wallet-toolbox/out/src/storage/remoting/StorageServer.js';
import { loadToolbox } from '@messagebox/transactions';
import knexModule from 'knex';

/** The toolbox's wallet storage server, for WALLET_STORAGE_URL, with its records in memory. */
export interface RunningStorageServer {
  readonly url: string;
  /** Answers 503 while this is on. */
  interrupt(on: boolean): void;
  close(): Promise<void>;
}

/**
 * Starts a storage server.
 *
 * @param services the network that the storage asks
 */
export async function startStorageServer(
  network: 'main' | 'test',
  services: WalletServices,
): Promise<RunningStorageServer> {
  const { StorageKnex } = await loadToolbox();
  const knex = knexModule.knex({
    client: 'better-sqlite3',
    connection: { filename: ':memory:' },
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  });
  const storage = new StorageKnex({
    chain: network,
    knex,
    commissionSatoshis: 0,
    feeModel: { model: 'sat/kb', value: 1 },
  });
  const key = PrivateKey.fromRandom();
  await storage.migrate('storage server', key.toPublicKey().toString());
  await storage.makeAvailable();
  storage.setServices(services);
  // The server needs a wallet for authentication only.
  const wallet = new CompletedProtoWallet(key) as never;
  const { app } = new StorageServer(storage, { port: 0, wallet, monetize: false }) as unknown as {
    app: Parameters<typeof createServer>[1];
  };
  let away = false;
  const server: Server = createServer((request, response) => {
    if (away) response.writeHead(503).end();
    else app?.(request, response as never);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    interrupt: (on) => {
      away = on;
    },
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await knex.destroy();
    },
  };
}
