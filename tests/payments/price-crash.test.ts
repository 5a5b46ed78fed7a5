import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { PrivateKey } from '@bsv/sdk';
import { createKnex, openStore, type StoreConfig } from '@messagebox/store';
import { createBrc29Payment, describePaymentOutput, spendFreeOutput } from '@messagebox/test-support/brc29';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import { type Chain, createChain } from '@messagebox/wallet';
import type { Knex } from 'knex';
import { waitUntil, withTimeout } from '../acceptance/history.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { readWalletBalance, WALLET_FILE } from '../support/wallet-balance.js';
import { PricePayer } from './price-payer.js';

const FEES = { delivery: 10, recipient: 25 };
const PRICES = { send: 6, list: 2 };
const PRICE_STEPS = ['price verified', 'price recorded', 'price received', 'price settled'];
const STEPS = ['price held', 'verified', 'recorded', 'received', 'stored'];
const AT_EACH_STEP = 1;
const AT_RANDOM = 1;

interface CrashDatabase {
  readonly config: StoreConfig;
  /** Where the wallet keeps its records. */
  readonly walletConfig: StoreConfig;
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

function createSqliteDatabase(): CrashDatabase {
  const folder = createTemporaryFolder();
  const filename = join(folder.path, 'messagebox.sqlite');
  return {
    config: { client: 'better-sqlite3', filename },
    walletConfig: { client: 'better-sqlite3', filename: join(folder.path, WALLET_FILE) },
    env: { KNEX_DB_CLIENT: 'better-sqlite3', KNEX_DB_CONNECTION: JSON.stringify({ filename }) },
    remove: async () => folder.remove(),
  };
}

async function createServerDatabase(): Promise<CrashDatabase> {
  const { config, url, drop } = await createMysqlDatabase();
  const env = { KNEX_DB_CLIENT: 'mysql2', KNEX_DB_CONNECTION: JSON.stringify(url) };
  return { config, walletConfig: config, env, remove: drop };
}

// A charged send takes every step that the others take, so it alone is tried on both.
describe('with SQLite', () => priceCrashSuite(async () => createSqliteDatabase(), ['charged send']));
describeWithMysql('with MySQL', () => priceCrashSuite(createServerDatabase, ['send', 'charged send', 'list']));

/**
 * An api that is killed while it takes prices.
 *
 * @param tried the kinds of requests
 */
function priceCrashSuite(createDatabase: () => Promise<CrashDatabase>, tried: readonly string[]): void {
  const serverKey = PrivateKey.fromRandom();
  const server = serverKey.toPublicKey().toString();
  let database: CrashDatabase;
  let knex: Knex;
  let walletKnex: Knex;
  let chain: Chain;
  let api: ServiceProcess;
  let alice: PricePayer;
  let bob: PricePayer;

  beforeAll(async () => {
    database = await createDatabase();
    const store = openStore(database.config);
    await store.migrate();
    await store.close();
    knex = createKnex(database.config);
    chain = createChain({ network: 'local', database: database.config });
    const faucet = async () => (await chain.getLocalChain()).fund({ lockingScript: '51', satoshis: 1_000 });
    [alice, bob] = [new PricePayer(faucet), new PricePayer(faucet)];
    const env = {
      HOST: '127.0.0.1',
      SERVER_PRIVATE_KEY: serverKey.toHex(),
      PRICE_BASE: '6',
      PRICE_PER_LIST_PAGE: '2',
      ...database.env,
    };
    api = await startService({ name: 'api', script: 'tests/payments/crashing-api.mjs', env });
    await bob.post(`${api.url}/permissions/set`, { messageBox: 'notifications', recipientFee: FEES.recipient });
    // The wallet makes its tables with the first payment.
    const first = await newSend('inbox');
    expect(await alice.post(first.url, first.request, first.header)).toMatchObject({ status: 200 });
    walletKnex = createKnex(database.walletConfig);
  });
  afterAll(async () => {
    await api?.kill();
    await chain?.close();
    await walletKnex?.destroy();
    await knex?.destroy();
    await database?.remove();
  });

  interface PaidRequest {
    readonly url: string;
    readonly request: object;
    readonly header: string;
    readonly txid: string;
    readonly messageId: string | undefined;
  }

  /** A send to Bob with what it costs: in `notifications` also delivery and recipient. */
  async function newSend(messageBox: 'inbox' | 'notifications'): Promise<PaidRequest> {
    const message = { recipient: bob.key, messageBox, messageId: randomUUID(), body: 'hello' };
    const request = messageBox === 'inbox' ? { message } : { message, payment: await payFees() };
    return { ...(await payPrice(`${api.url}/sendMessage`, request)), messageId: message.messageId };
  }

  async function newList(): Promise<PaidRequest> {
    const request = { messageBox: `box ${randomUUID()}` };
    return { ...(await payPrice(`${api.url}/listMessages`, request)), messageId: undefined };
  }

  async function payPrice(url: string, request: object) {
    const { header, transaction } = await alice.pay(server, url, request);
    return { url, request, header, txid: transaction.id('hex') };
  }

  async function payFees(): Promise<object> {
    const money = await (await chain.getLocalChain()).fund({ lockingScript: '51', satoshis: 1_000 });
    const paid = [
      await createBrc29Payment(server, FEES.delivery, 'anyone'),
      await createBrc29Payment(bob.key, FEES.recipient, 'anyone'),
    ];
    const transaction = spendFreeOutput(
      money,
      paid.map(({ output }) => output),
    );
    return { tx: transaction.toAtomicBEEF(), outputs: paid.map((one, i) => describePaymentOutput(one, i)) };
  }

  /** The state of the price's payment, how often the server has it, and how often Bob has the message. */
  async function traces({ txid, messageId }: PaidRequest) {
    const [payment] = await knex('request_payments').where({ txid: Buffer.from(txid, 'hex') });
    const received = await walletKnex('outputs').where({ txid, spendable: true });
    const stored = messageId === undefined ? [] : await knex('messages').where({ messageId: Buffer.from(messageId) });
    return { state: payment && String(payment.state), received: received.length, stored: stored.length };
  }

  /** @returns whether the client got an answer before the end */
  async function sendAndCrash({ url, request, header }: PaidRequest): Promise<boolean> {
    process.kill(api.pid, 'SIGUSR2');
    await api.waitForLog('"msg":"armed"');
    const answered = await withTimeout(
      30_000,
      'an answer, or the end of the connection',
      alice.post(url, request, header).then(
        ({ status }) => {
          expect(status).toBe(200);
          return true;
        },
        () => false,
      ),
    );
    expect(await withTimeout(30_000, 'the end of the process', api.exited)).toMatchObject({ signal: 'SIGKILL' });
    return answered;
  }

  test('after the same request, at each step and at any moment, one price is taken and one message stored', async () => {
    const kinds = [
      { name: 'send', steps: PRICE_STEPS, make: () => newSend('inbox'), costs: PRICES.send },
      {
        name: 'charged send',
        steps: [...PRICE_STEPS, ...STEPS],
        make: () => newSend('notifications'),
        costs: PRICES.send + FEES.delivery,
      },
      { name: 'list', steps: PRICE_STEPS, make: newList, costs: PRICES.list },
    ].filter(({ name }) => tried.includes(name));
    const found: Record<string, number> = {};
    let costs = 0;
    const balance = await readWalletBalance(walletKnex, server);
    for (const { name, steps, make, costs: each } of kinds) {
      const took = await durationOf(make);
      costs += 2 * each;
      const plans = [
        ...steps.flatMap((step) =>
          Array.from({ length: AT_EACH_STEP }, () => ({ CRASH_AT: step, CRASH_AFTER_MS: '' })),
        ),
        ...Array.from({ length: AT_RANDOM }, () => ({ CRASH_AT: '', CRASH_AFTER_MS: String(randomInt(2 * took)) })),
      ];
      for (const plan of plans) {
        await api.restart({ samePort: true, env: plan });
        const made = await make();
        costs += each;
        const answered = await sendAndCrash(made);
        const { state, received, stored } = await traces(made);
        const left = `${name}: ${state}, received ${received}, stored ${stored}, ${answered ? 'answered' : 'not answered'}`;
        found[left] = (found[left] ?? 0) + 1;
        expect({ left, kept: received <= 1 && stored <= 1 && (stored === 0 || state === 'used') }).toMatchObject({
          kept: true,
        });
        await api.restart({ samePort: true, env: { CRASH_AT: '', CRASH_AFTER_MS: '' } });
        for (let time = 0; time < 2; time += 1) {
          expect(await alice.post(made.url, made.request, made.header)).toMatchObject({ status: 200 });
          const isSend = made.messageId !== undefined;
          expect(await traces(made)).toEqual({ state: 'used', received: 1, stored: isSend ? 1 : 0 });
        }
      }
    }
    process.stdout.write(`after the crash: ${JSON.stringify(found, null, 1)}\n`);
    expect(await readWalletBalance(walletKnex, server)).toBe(balance + costs);
    // The steps at least must have left these behind.
    expect(Object.keys(found)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/: undefined, received 0, stored 0/),
        expect.stringMatching(/: taking, received 0, stored 0/),
        expect.stringMatching(/: taking, received 1, stored 0/),
        expect.stringMatching(/: paid, received 1, stored 0/),
        expect.stringMatching(/: held, received 1, stored 0/),
        expect.stringMatching(/: used, received 1, stored 1/),
      ]),
    );
  }, 600_000);

  test('whose client never comes back: the price is received, and stays good for another request', async () => {
    await api.restart({ samePort: true, env: { CRASH_AT: 'price recorded', CRASH_AFTER_MS: '' } });
    const made = await newSend('inbox');
    expect(await sendAndCrash(made)).toBe(false);
    expect(await traces(made)).toEqual({ state: 'taking', received: 0, stored: 0 });
    await api.restart({ samePort: true, env: { CRASH_AT: '', IDLE_MS: '500' } });
    await waitUntil('the price is received', async () => (await traces(made)).state === 'paid');
    const other = { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body: 'another' };
    expect(await alice.post(made.url, { message: other }, made.header)).toMatchObject({ status: 200 });
    expect(await traces({ ...made, messageId: other.messageId })).toEqual({ state: 'used', received: 1, stored: 1 });
    expect(await alice.post(made.url, made.request, made.header)).toMatchObject({
      status: 400,
      body: { code: 'ERR_PAYMENT_REUSED' },
    });
  }, 60_000);

  test('after a charged send was recorded: the message is delivered without the client, and the price is used up', async () => {
    for (const step of ['recorded', 'received']) {
      await api.restart({ samePort: true, env: { CRASH_AT: step, CRASH_AFTER_MS: '' } });
      const made = await newSend('notifications');
      expect(await sendAndCrash(made)).toBe(false);
      expect(await traces(made)).toEqual({ state: 'held', received: 1, stored: 0 });
      await api.restart({ samePort: true, env: { CRASH_AT: '', IDLE_MS: '500' } });
      await waitUntil('the message is stored', async () => (await traces(made)).stored === 1);
      expect(await traces(made)).toEqual({ state: 'used', received: 1, stored: 1 });
    }
  }, 60_000);

  /** Milliseconds from the request to its answer, with everything loaded. Makes two requests. */
  async function durationOf(make: () => Promise<PaidRequest>): Promise<number> {
    await api.restart({ samePort: true, env: { CRASH_AT: '', CRASH_AFTER_MS: '' } });
    let took = 0;
    for (let time = 0; time < 2; time += 1) {
      const { url, request, header } = await make();
      const from = performance.now();
      expect(await alice.post(url, request, header)).toMatchObject({ status: 200 });
      took = performance.now() - from;
    }
    return Math.ceil(took);
  }
}
