import { createRequire } from 'node:module';

/** The parts of the wallet toolbox that are used, and its SDK. */
export type Toolbox = typeof import('@bsv/wallet-toolbox/out/src/mockchain/index.js') &
  typeof import('@bsv/wallet-toolbox/out/src/storage/StorageKnex.js') &
  typeof import('@bsv/wallet-toolbox/out/src/storage/schema/KnexMigrations.js') &
  typeof import('@bsv/wallet-toolbox/out/src/storage/WalletStorageManager.js') &
  typeof import('@bsv/wallet-toolbox/out/src/storage/remoting/StorageClient.js') &
  typeof import('@bsv/wallet-toolbox/out/src/Wallet.js') &
  typeof import('@bsv/wallet-toolbox/out/src/services/Services.js') &
  typeof import('@bsv/wallet-toolbox/out/src/monitor/Monitor.js') &
  typeof import('@bsv/wallet-toolbox/out/src/monitor/tasks/TaskSendWaiting.js') &
  typeof import('@bsv/wallet-toolbox/out/src/monitor/tasks/TaskCheckForProofs.js') &
  typeof import('@bsv/wallet-toolbox/out/src/monitor/tasks/TaskFailAbandoned.js') & {
    /** The toolbox's own build of the SDK. The package has two, and neither accepts objects of the other. */
    readonly sdk: typeof import('@bsv/sdk');
  };

/**
 * Loads the toolbox. That takes a second and many megabytes, so it is not imported at the start. Its files are imported one
 * by one, because its index reads `.env` into the environment and prints on stdout.
 */
export async function loadToolbox(): Promise<Toolbox> {
  const [
    mockchain,
    storageKnex,
    migrations,
    storageManager,
    storageClient,
    wallet,
    services,
    monitor,
    send,
    proofs,
    abandoned,
  ] = await Promise.all([
    import('@bsv/wallet-toolbox/out/src/mockchain/index.js'),
    import('@bsv/wallet-toolbox/out/src/storage/StorageKnex.js'),
    import('@bsv/wallet-toolbox/out/src/storage/schema/KnexMigrations.js'),
    import('@bsv/wallet-toolbox/out/src/storage/WalletStorageManager.js'),
    import('@bsv/wallet-toolbox/out/src/storage/remoting/StorageClient.js'),
    import('@bsv/wallet-toolbox/out/src/Wallet.js'),
    import('@bsv/wallet-toolbox/out/src/services/Services.js'),
    import('@bsv/wallet-toolbox/out/src/monitor/Monitor.js'),
    import('@bsv/wallet-toolbox/out/src/monitor/tasks/TaskSendWaiting.js'),
    import('@bsv/wallet-toolbox/out/src/monitor/tasks/TaskCheckForProofs.js'),
    import('@bsv/wallet-toolbox/out/src/monitor/tasks/TaskFailAbandoned.js'),
  ]);
  return {
    ...mockchain,
    ...storageKnex,
    ...migrations,
    ...storageManager,
    ...storageClient,
    ...wallet,
    ...services,
    ...monitor,
    ...send,
    ...proofs,
    ...abandoned,
    sdk: createRequire(import.meta.url)('@bsv/sdk') as Toolbox['sdk'],
  };
}
