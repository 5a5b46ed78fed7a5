import { findFreePort } from '@messagebox/test-kit/ports';

const memory = { client: 'better-sqlite3', filename: ':memory:' } as const;
const privateKey = Uint8Array.from({ length: 32 }, () => 7);
const parts = ['Wallet.js', 'mockchain/index.js', 'storage/StorageKnex.js', 'services/Services.js'];
let loaded: string[] = [];

beforeEach(() => {
  jest.resetModules();
  loaded = [];
  for (const part of ['', ...parts.map((part) => `/out/src/${part}`)]) {
    jest.doMock(`@bsv/wallet-toolbox${part}`, () => {
      loaded.push(part);
      throw new Error('loaded');
    });
  }
});

test('importing the package does not load the SDK', async () => {
  jest.doMock('@bsv/sdk', () => {
    throw new Error('loaded');
  });
  await import('../src/index.js');
  jest.dontMock('@bsv/sdk');
});

test('creating a chain and a wallet does not load the toolbox, and using them does', async () => {
  const { createChain, createServerWallet } = await import('../src/index.js');
  const chain = createChain({ network: 'local', database: memory });
  const wallet = createServerWallet({ privateKey, storageUrl: undefined, chain, database: memory });
  expect(loaded).toEqual([]);
  await expect(wallet.getWallet()).rejects.toThrow('loaded');
  expect(loaded).not.toEqual([]);
  expect(loaded).not.toContain('');
  await wallet.close();
  await chain.close();
});

test.each(['main', 'test'] as const)('on %s a missing variable is named without a request', async (network) => {
  const fetched = jest.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no network'));
  const { createChain, createServerWallet, WalletUnavailableError } = await import('../src/index.js');
  const chain = createChain({ network, database: memory });
  const wallet = createServerWallet({ privateKey, storageUrl: undefined, chain, database: memory });
  await chain.getTracker();
  await expect(chain.getLocalChain()).rejects.toThrow(`the network is ${network}`);
  await expect(wallet.getWallet()).rejects.toBeInstanceOf(WalletUnavailableError);
  await expect(wallet.getWallet()).rejects.toThrow(/WALLET_STORAGE_URL is missing: set it to/);
  await wallet.close();
  await chain.close();
  expect(loaded).toEqual([]);
  expect(fetched).not.toHaveBeenCalled();
  fetched.mockRestore();
});

test('the error of a wallet storage that does not answer names it', async () => {
  jest.resetModules();
  for (const part of ['', ...parts.map((part) => `/out/src/${part}`)]) jest.dontMock(`@bsv/wallet-toolbox${part}`);
  const { createChain, createServerWallet, WalletUnavailableError } = await import('../src/index.js');
  const chain = createChain({ network: 'main', database: memory });
  const storageUrl = `http://127.0.0.1:${await findFreePort()}`;
  const wallet = createServerWallet({ privateKey, storageUrl, chain, database: memory });
  const error: unknown = await wallet.getWallet().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(WalletUnavailableError);
  expect(String(error)).toMatch(/storage at WALLET_STORAGE_URL can not be used/);
  await wallet.close();
  await chain.close();
});
