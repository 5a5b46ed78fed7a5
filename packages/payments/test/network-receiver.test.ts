import { join } from 'node:path';
import { PrivateKey, type WalletInterface } from '@bsv/sdk';
import { createLogger, RuleError } from '@messagebox/shared';
import {
  type Chain,
  ChainUnavailableError,
  type Funding,
  openChain,
  openServerWallet,
  type ServerWallet,
} from '@messagebox/wallet';
import { type Paid, pay, spendFree } from '../../../tests/support/brc29.ts';
import { temporaryFolder } from '../../../tests/support/own-process.ts';
import { networkReceiver } from '../src/network-receiver.js';
import { publicKeyOf } from './support/paying.js';

const log = createLogger('test', false, { write: () => undefined });
const folder = temporaryFolder();
const database = { client: 'better-sqlite3' as const, filename: join(folder.path, 'messagebox.sqlite') };
const serverKey = PrivateKey.fromRandom();
const privateKey = Uint8Array.from(Buffer.from(serverKey.toHex(), 'hex'));

let chain: Chain;
let wallet: ServerWallet;
beforeAll(() => {
  chain = openChain({ network: 'local', database });
  wallet = openServerWallet({ privateKey, storageUrl: undefined, chain, database });
});
afterAll(async () => {
  await wallet.close();
  await chain.close();
  folder.remove();
});
afterEach(() => void jest.restoreAllMocks());

const receiver = (money: object = { chain, wallet }, patienceMs = 30_000) =>
  networkReceiver({ money: money as { chain: Chain; wallet: ServerWallet }, hasWallet: true, log, patienceMs });

/** Money that anybody may spend. */
const fund = async (): Promise<Funding> => (await chain.local()).fund({ lockingScript: '51', satoshis: 1_000 });

/** Spends that money; on nobody's chain yet. */
function spend(funding: Funding, ...paid: Paid[]) {
  const change = { satoshis: 900, script: Uint8Array.of(0x51) };
  const transaction = spendFree(funding, paid.length === 0 ? [change] : paid.map(({ output }) => output));
  return { txid: transaction.id('hex'), beef: Uint8Array.from(transaction.toAtomicBEEF()) };
}

const toServer = (satoshis: number) => pay(publicKeyOf(serverKey), satoshis, 'anyone');
const outputOf = ({ remittance }: Paid) => ({ outputIndex: 0, remittance });
const statusOf = async (txid: string) =>
  (await (await chain.local()).services.getStatusForTxids([txid])).results[0]?.status;
const codeOf = (receiving: Promise<unknown>) =>
  receiving.then(
    (outcome) => outcome,
    (error: unknown) => (error instanceof RuleError ? error.code : error),
  );
const post = async ({ txid, beef }: { txid: string; beef: Uint8Array }) =>
  (await chain.local()).postBeef((await chain.local()).parseBeef(beef), [txid]);

test('what nobody has sent to the network is there afterwards, and in the wallet once', async () => {
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

test('what its sender has sent already is received too', async () => {
  const paid = await toServer(45);
  const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
  const before = await wallet.balance();
  expect(await post(payment)).toMatchObject([{ status: 'success' }]);
  expect(await receiver().receive(payment)).toBe('received');
  expect(await wallet.balance()).toBe(before + 45);
});

test('what is for recipients only goes to the network, and no wallet is asked', async () => {
  const payment = { ...spend(await fund()), serverOutput: undefined };
  const wallets = jest.spyOn(wallet, 'wallet');
  expect(await receiver().receive(payment)).toBe('received');
  expect(await statusOf(payment.txid)).toBe('mined');
  expect(wallets).not.toHaveBeenCalled();
});

test.each([true, false])('what spends what is spent already is refused (server is paid: %p)', async (forServer) => {
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
  'a wallet that sends by itself, and is told "%s": the network has it, so that refuses nothing',
  async (status) => {
    const paid = await toServer(10);
    const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
    const reviewActionResults = [{ txid: payment.txid, status }];
    const internalizeAction = () => Promise.reject(Object.assign(new Error('review'), { reviewActionResults }));
    const money = { chain, wallet: { wallet: async () => ({ internalizeAction }) } };
    expect(await codeOf(receiver(money).receive(payment))).toBe('ERR_INTERNALIZE_FAILED');
  },
);

test('a wallet that is away, refuses, or does not come to an end', async () => {
  const paid = await toServer(10);
  const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
  const before = await wallet.balance();
  const withWallet = (internalizeAction: () => Promise<unknown>) => ({
    chain,
    wallet: { wallet: async () => ({ internalizeAction }) as unknown as WalletInterface },
  });
  const away = { chain, wallet: { wallet: () => Promise.reject(new Error('away')) } };
  expect(await codeOf(receiver(away).receive(payment))).toBe('ERR_INTERNALIZE_FAILED');
  const refusing = withWallet(async () => ({ accepted: false }));
  expect(await codeOf(receiver(refusing).receive(payment))).toBe('ERR_INTERNALIZE_FAILED');
  const hanging = withWallet(() => new Promise(() => undefined));
  expect(await codeOf(receiver(hanging, 200).receive(payment))).toBe('ERR_INTERNALIZE_FAILED');
  expect(await receiver().receive(payment)).toBe('received');
  expect(await wallet.balance()).toBe(before + 10);
});

test('a network that is away', async () => {
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

test('the log says why, and nothing of the transaction', async () => {
  const lines: string[] = [];
  const telling = createLogger('test', false, { write: (line) => void lines.push(line) });
  const paid = await toServer(10);
  const payment = { ...spend(await fund(), paid), serverOutput: outputOf(paid) };
  const failing = {
    chain,
    wallet: {
      wallet: async () => {
        throw Object.assign(new Error('no storage'), { tx: [...payment.beef], derivationPrefix: 'secret' });
      },
    },
  };
  const money = failing as unknown as { chain: Chain; wallet: ServerWallet };
  await codeOf(networkReceiver({ money, hasWallet: true, log: telling }).receive(payment));
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 40, txid: payment.txid, reason: 'no storage' },
  ]);
  expect(lines[0]).not.toMatch(/"tx"|derivation/);
});
