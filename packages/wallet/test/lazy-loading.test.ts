import { freePort } from '../../../tests/support/ports.ts';

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

test('importing the package does not load the SDK either', async () => {
  jest.doMock('@bsv/sdk', () => {
    throw new Error('loaded');
  });
  await import('../src/index.js');
  jest.dontMock('@bsv/sdk');
});

test('importing the package, and opening things with it, loads no toolbox; using them does', async () => {
  const { openChain, openServerWallet } = await import('../src/index.js');
  const chain = openChain({ network: 'local', database: memory });
  const wallet = openServerWallet({ privateKey, storageUrl: undefined, chain, database: memory });
  expect(loaded).toEqual([]);
  await expect(wallet.wallet()).rejects.toThrow('loaded');
  expect(loaded).not.toEqual([]);
  expect(loaded).not.toContain('');
  await wallet.close();
  await chain.close();
});

test.each(['main', 'test'] as const)('on %s nobody is asked, and a missing variable is named', async (network) => {
  const fetched = jest.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no network'));
  const { openChain, openServerWallet, WalletUnavailableError } = await import('../src/index.js');
  const chain = openChain({ network, database: memory });
  const wallet = openServerWallet({ privateKey, storageUrl: undefined, chain, database: memory });
  await chain.tracker();
  await expect(chain.local()).rejects.toThrow(`the network is ${network}`);
  await expect(wallet.wallet()).rejects.toBeInstanceOf(WalletUnavailableError);
  await expect(wallet.wallet()).rejects.toThrow(/WALLET_STORAGE_URL is missing: set it to/);
  await wallet.close();
  await chain.close();
  expect(loaded).toEqual([]);
  expect(fetched).not.toHaveBeenCalled();
  fetched.mockRestore();
});

test('a wallet storage that does not answer is named', async () => {
  jest.resetModules();
  for (const part of ['', ...parts.map((part) => `/out/src/${part}`)]) jest.dontMock(`@bsv/wallet-toolbox${part}`);
  const { openChain, openServerWallet, WalletUnavailableError } = await import('../src/index.js');
  const chain = openChain({ network: 'main', database: memory });
  const storageUrl = `http://127.0.0.1:${await freePort()}`;
  const wallet = openServerWallet({ privateKey, storageUrl, chain, database: memory });
  const error: unknown = await wallet.wallet().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(WalletUnavailableError);
  expect(String(error)).toMatch(/storage at WALLET_STORAGE_URL can not be used/);
  await wallet.close();
  await chain.close();
});
