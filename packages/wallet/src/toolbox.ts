import { createRequire } from 'node:module';

/** What is used of the wallet toolbox, and the library that it works with. */
export type Toolbox = Awaited<ReturnType<typeof loadToolbox>>;

/**
 * Loads the toolbox: a second of work and many megabytes, which is why nothing here imports it at the start. Its parts
 * are loaded one by one, because its index reads `.env` into the environment and prints on stdout.
 */
export async function loadToolbox() {
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
    /** The toolbox's own copy: the package has two, and objects of one are strangers to the other. */
    sdk: createRequire(import.meta.url)('@bsv/sdk') as typeof import('@bsv/sdk'),
  };
}
