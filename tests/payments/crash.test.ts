import { randomInt, randomUUID } from 'node:crypto';
import { PrivateKey } from '@bsv/sdk';
import { openStore } from '@messagebox/store';
import { createBrc29Payment, describePaymentOutput, spendFreeOutput } from '@messagebox/test-support/brc29';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import { type Chain, createChain } from '@messagebox/wallet';
import knexModule, { type Knex } from 'knex';
import { waitUntil, withTimeout } from '../acceptance/history.js';
import { Person } from '../acceptance/people.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { readWalletBalance } from '../support/wallet-balance.js';

const FEES = { delivery: 10, recipient: 25 };
const STEPS = ['verified', 'recorded', 'received', 'stored'];
const AT_EACH_STEP = 3;
const AT_RANDOM = 12;
/** Side by side; each has an api of its own, on one database. */
const LANES = 2;

describeWithMysql('an api that is killed while it takes a payment', () => {
  const serverKey = PrivateKey.fromRandom();
  const server = serverKey.toPublicKey().toString();
  const [alice, bob] = [new Person(), new Person()];
  let database: TestDatabase;
  let knex: Knex;
  let chain: Chain;
  let apis: ServiceProcess[];

  beforeAll(async () => {
    database = await createMysqlDatabase();
    const store = openStore(database.config);
    await store.migrate();
    await store.close();
    knex = knexModule.knex({ client: 'mysql2', connection: database.url });
    chain = createChain({ network: 'local', database: database.config });
    const env = {
      HOST: '127.0.0.1',
      SERVER_PRIVATE_KEY: serverKey.toHex(),
      KNEX_DB_CLIENT: 'mysql2',
      KNEX_DB_CONNECTION: JSON.stringify(database.url),
    };
    const start = () => startService({ name: 'api', script: 'tests/payments/crashing-api.mjs', env });
    apis = await Promise.all(Array.from({ length: LANES }, start));
    await bob.post(`${apis[0]?.url}/permissions/set`, { messageBox: 'notifications', recipientFee: FEES.recipient });
    // The wallet makes its tables with the first payment, whichever test comes first.
    expect(await alice.post(`${apis[0]?.url}/sendMessage`, (await newRequest()).request)).toMatchObject({
      status: 200,
    });
  });
  afterAll(async () => {
    await Promise.all((apis ?? []).map((api) => api.kill()));
    await chain?.close();
    await knex?.destroy();
    await database?.drop();
  });

  /** A message to Bob and its payment, which nobody has sent to the network. */
  async function newRequest() {
    const money = await (await chain.getLocalChain()).fund({ lockingScript: '51', satoshis: 1_000 });
    const paid = [
      await createBrc29Payment(server, FEES.delivery, 'anyone'),
      await createBrc29Payment(bob.key, FEES.recipient, 'anyone'),
    ];
    const transaction = spendFreeOutput(
      money,
      paid.map(({ output }) => output),
    );
    const payment = { tx: transaction.toAtomicBEEF(), outputs: paid.map((one, i) => describePaymentOutput(one, i)) };
    const message = { recipient: bob.key, messageBox: 'notifications', messageId: randomUUID(), body: 'hello' };
    return { txid: transaction.id('hex'), messageId: message.messageId, request: { message, payment } };
  }

  /** The traces of a payment: its state, how often the server has it, and how often Bob has the message. */
  async function traces({ txid, messageId }: { txid: string; messageId: string }) {
    const [payment] = await knex('payments').where({ txid: Buffer.from(txid, 'hex') });
    const received = await knex('outputs').where({ txid, spendable: true, satoshis: FEES.delivery });
    const stored = await knex('messages').where({ messageId: Buffer.from(messageId) });
    return { state: String(payment?.state), received: received.length, stored: stored.length };
  }

  type Request = Awaited<ReturnType<typeof newRequest>>;

  /** Sends it and lets the api end as its environment says. @returns whether the client got an answer before */
  async function sendAndCrash(api: ServiceProcess, { request }: Request): Promise<boolean> {
    process.kill(api.pid, 'SIGUSR2');
    await api.waitForLog('"msg":"armed"');
    const answered = await withTimeout(
      30_000,
      'an answer, or the end of the connection',
      alice.post(`${api.url}/sendMessage`, request).then(
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

  async function expectOnce(made: Request): Promise<void> {
    expect(await traces(made)).toEqual({ state: 'done', received: 1, stored: 1 });
  }

  test('at each step, and at any moment: after the same request, one payment is taken and one message stored', async () => {
    const took = await durationOfASend();
    const plans = [
      ...STEPS.flatMap((step) => Array.from({ length: AT_EACH_STEP }, () => ({ CRASH_AT: step, CRASH_AFTER_MS: '' }))),
      ...Array.from({ length: AT_RANDOM }, () => ({
        CRASH_AT: '',
        CRASH_AFTER_MS: String(randomInt(3 * took)),
      })),
    ];
    const found: Record<string, number> = {};
    const balance = await readWalletBalance(knex, server);
    const run = async (api: ServiceProcess) => {
      let plan = plans.pop();
      await api.restart({ samePort: true, env: plan ?? {} });
      while (plan !== undefined) {
        const made = await newRequest();
        const answered = await sendAndCrash(api, made);
        const { state, received, stored } = await traces(made);
        const left = `${state}, received ${received}, stored ${stored}, ${answered ? 'answered' : 'not answered'}`;
        found[left] = (found[left] ?? 0) + 1;
        expect(stored).toBe(answered || state === 'done' ? 1 : 0);

        // Told how to end the next time; what it serves until then also loads all that it will need.
        plan = plans.pop();
        await api.restart({ samePort: true, env: plan ?? {} });
        for (let time = 0; time < 2; time += 1) {
          expect(await alice.post(`${api.url}/sendMessage`, made.request)).toMatchObject({
            status: 200,
            body: { status: 'success', messageId: made.messageId },
          });
          await expectOnce(made);
        }
      }
    };
    await Promise.all(apis.map(run));
    process.stdout.write(`after the crash: ${JSON.stringify(found)}\n`);
    const runs = STEPS.length * AT_EACH_STEP + AT_RANDOM;
    expect(await readWalletBalance(knex, server)).toBe(balance + runs * FEES.delivery);
    // The steps at least must have left these behind.
    expect(Object.keys(found)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^undefined/),
        expect.stringMatching(/^taking, received 0/),
        expect.stringMatching(/^taking, received 1/),
        expect.stringMatching(/^done/),
      ]),
    );
  }, 400_000);

  test('and whose client never comes back: another look completes it', async () => {
    const [api] = apis as [ServiceProcess];
    for (const step of ['recorded', 'received']) {
      await api.restart({ samePort: true, env: { CRASH_AT: step, CRASH_AFTER_MS: '' } });
      const made = await newRequest();
      expect(await sendAndCrash(api, made)).toBe(false);
      expect(await traces(made)).toMatchObject({ state: 'taking', stored: 0 });
      await api.restart({ samePort: true, env: { CRASH_AT: '', IDLE_MS: '500' } });
      await waitUntil('the payment is finished', async () => (await traces(made)).state === 'done');
      await expectOnce(made);
    }
  }, 60_000);

  /** Milliseconds from the request to its answer, with everything loaded. */
  async function durationOfASend(): Promise<number> {
    const [api] = apis as [ServiceProcess];
    await alice.post(`${api.url}/sendMessage`, (await newRequest()).request);
    const { request } = await newRequest();
    const from = performance.now();
    expect(await alice.post(`${api.url}/sendMessage`, request)).toMatchObject({ status: 200 });
    return Math.ceil(performance.now() - from);
  }
});
