import { join } from 'node:path';
import { PrivateKey, type WalletInterface } from '@bsv/sdk';
import type { Funding } from '@messagebox/devnet';
import { RuleError } from '@messagebox/messages';
import { createLogger } from '@messagebox/shared';
import { type Brc29Payment, createBrc29Payment, spendFreeOutput } from '@messagebox/test-support/brc29';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { ChainUnavailableError } from '@messagebox/transactions';
import { type Chain, createChain, createServerWallet, type ServerWallet } from '@messagebox/wallet';
import { createNetworkReceiver } from '../src/network-receiver.js';
import { toIdentityKey } from './support/payee-scripts.ts';

const log = createLogger('test', 'info', { write: () => undefined });
const folder = createTemporaryFolder();
const database = { client: 'better-sqlite3' as const, filename: join(folder.path, 'messagebox.sqlite') };
const serverKey = PrivateKey.fromRandom();
const privateKey = Uint8Array.from(Buffer.from(serverKey.toHex(), 'hex'));

let chain: Chain;
let wallet: ServerWallet;
beforeAll(() => {
  chain = createChain({ network: 'local', database });
  wallet = createServerWallet({ privateKey, storageUrl: undefined, chain, database });
});
afterAll(async () => {
  await wallet.close();
  await chain.close();
  folder.remove();
});
afterEach(() => void jest.restoreAllMocks());

const receiver = (money: object = { chain, wallet }, timeoutMs = 30_000) =>
  createNetworkReceiver({
    bsv: money as { chain: Chain; wallet: ServerWallet },
    hasWallet: true,
    purpose: 'delivery fee',
    log,
    timeoutMs,
  });

/** Funds an output that anybody may spend. */
const fund = async (): Promise<Funding> => (await chain.getLocalChain()).fund({ lockingScript: '51', satoshis: 1_000 });

/** Spends the funded output. The transaction is not broadcast. */
function spend(funding: Funding, ...paid: Brc29Payment[]) {
  const change = { satoshis: 900, script: Uint8Array.of(0x51) };
  const transaction = spendFreeOutput(funding, paid.length === 0 ? [change] : paid.map(({ output }) => output));
  return { txid: transaction.id('hex'), beef: Uint8Array.from(transaction.toAtomicBEEF()) };
}

const toServer = (satoshis: number) => createBrc29Payment(toIdentityKey(serverKey), satoshis, 'anyone');
const outputOf = ({ remittance }: Brc29Payment) => ({ outputIndex: 0, remittance });
const statusOf = async (txid: string) =>
  (await (await chain.getLocalChain()).services.getStatusForTxids([txid])).results[0]?.status;
const codeOf = (receiving: Promise<unknown>) =>
  receiving.then(
    (outcome) => outcome,
    (error: unknown) => (error instanceof RuleError ? error.code : error),
  );
const post = async ({ txid, beef }: { txid: string; beef: Uint8Array }) =>
  (await chain.getLocalChain()).postBeef((await chain.getLocalChain()).parseBeef(beef), [txid]);

test('a transaction that was not broadcast reaches the network, and the wallet once', async () => {
  const paid = await toServer(123);
  const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
  const before = await wallet.balance();
  expect(await statusOf(payment.txid)).toBe('unknown');
  for (let time = 0; time < 3; time += 1) {
    expect(await receiver().receive(payment)).toBe('received');
    expect(await wallet.balance()).toBe(before + 123);
  }
  expect(await statusOf(payment.txid)).toBe('mined');
});

test('a transaction that its sender has broadcast is received', async () => {
  const paid = await toServer(45);
  const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
  const before = await wallet.balance();
  expect(await post(payment)).toMatchObject([{ status: 'success' }]);
  expect(await receiver().receive(payment)).toBe('received');
  expect(await wallet.balance()).toBe(before + 45);
});

test('a payment to recipients only goes to the network and not to the wallet', async () => {
  const payment = { ...spend(await fund()), serverOutput: undefined };
  const wallets = jest.spyOn(wallet, 'getWallet');
  expect(await receiver().receive(payment)).toBe('received');
  expect(await statusOf(payment.txid)).toBe('mined');
  expect(wallets).not.toHaveBeenCalled();
});

test.each([true, false])('a double spend is refused (server is paid: %p)', async (forServer) => {
  const funding = await fund();
  expect(await post(spend(funding))).toMatchObject([{ status: 'success' }]);
  const paid = await toServer(10);
  const payment = { ...spend(funding, paid), serverOutput: forServer ? outputOf(paid) : undefined };
  const before = await wallet.balance();
  for (let time = 0; time < 2; time += 1) {
    expect(await receiver().receive(payment)).toEqual({ refused: 'it spends what is spent already' });
  }
  expect(await wallet.balance()).toBe(before);
});

test.each(['doubleSpend', 'invalidTx', 'serviceError'])(
  'a wallet that broadcasts again and gets "%s" does not refuse a transaction that the network has',
  async (status) => {
    const paid = await toServer(10);
    const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
    const reviewActionResults = [{ txid: payment.txid, status }];
    const internalizeAction = () => Promise.reject(Object.assign(new Error('review'), { reviewActionResults }));
    const money = { chain, wallet: { getWallet: async () => ({ internalizeAction }) } };
    expect(await codeOf(receiver(money).receive(payment))).toBe('ERR_INTERNALIZE_FAILED');
  },
);

test('a wallet that fails, refuses or hangs makes the payment retriable', async () => {
  const paid = await toServer(10);
  const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
  const before = await wallet.balance();
  const withWallet = (internalizeAction: () => Promise<unknown>) => ({
    chain,
    wallet: { getWallet: async () => ({ internalizeAction }) as unknown as WalletInterface },
  });
  const away = { chain, wallet: { getWallet: () => Promise.reject(new Error('away')) } };
  expect(await codeOf(receiver(away).receive(payment))).toBe('ERR_INTERNALIZE_FAILED');
  const refusing = withWallet(async () => ({ accepted: false }));
  expect(await codeOf(receiver(refusing).receive(payment))).toBe('ERR_INTERNALIZE_FAILED');
  const hanging = withWallet(() => new Promise(() => undefined));
  expect(await codeOf(receiver(hanging, 200).receive(payment))).toBe('ERR_INTERNALIZE_FAILED');
  expect(await receiver().receive(payment)).toBe('received');
  expect(await wallet.balance()).toBe(before + 10);
});

test('a network that fails or hangs makes the payment retriable', async () => {
  const paid = await toServer(10);
  const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
  const before = await wallet.balance();
  const away = { chain: { broadcast: () => Promise.reject(new ChainUnavailableError()) }, wallet };
  expect(await codeOf(receiver(away).receive(payment))).toBe('ERR_CHAIN_UNAVAILABLE');
  const hanging = { chain: { broadcast: () => new Promise(() => undefined) }, wallet };
  expect(await codeOf(receiver(hanging, 50).receive(payment))).toBe('ERR_CHAIN_UNAVAILABLE');
  expect(await wallet.balance()).toBe(before);
  expect(await receiver().receive(payment)).toBe('received');
  expect(await wallet.balance()).toBe(before + 10);
});

test('the log has the reason and no part of the transaction', async () => {
  const lines: string[] = [];
  const telling = createLogger('test', 'info', { write: (line) => void lines.push(line) });
  const paid = await toServer(10);
  const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
  const failing = {
    chain,
    wallet: {
      getWallet: async () => {
        throw Object.assign(new Error('no storage'), { tx: [...payment.beef], derivationPrefix: 'secret' });
      },
    },
  };
  const bsv = failing as unknown as { chain: Chain; wallet: ServerWallet };
  await codeOf(createNetworkReceiver({ bsv, hasWallet: true, purpose: 'delivery fee', log: telling }).receive(payment));
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 40, txid: payment.txid, reason: 'no storage' },
  ]);
  expect(lines[0]).not.toMatch(/"tx"|derivation/);
});
