import { randomBytes, randomUUID } from 'node:crypto';
import { AuthFetch, PrivateKey, Utils } from '@bsv/sdk';
import {
  createBrc29Payment,
  describePaymentOutput,
  requestFreeOutput,
  spendFreeOutput,
} from '@messagebox/test-support/brc29';
import { PricePrefixes } from '../../packages/payments/src/price-prefixes.ts';
import { RegistryApp } from '../acceptance/app.js';
import { withDatabase } from '../acceptance/database.js';
import { type Deploy, type Deployment, useDeployment } from '../acceptance/deployments.js';
import { LiveSocket } from '../acceptance/live-socket.js';
import { Payer, readServerBalance } from '../acceptance/payers.js';
import { PricePayer, toPaymentHeader } from './price-payer.js';

const PRIVATE_KEY = randomBytes(32);
const SERVER = PrivateKey.fromHex(PRIVATE_KEY.toString('hex')).toPublicKey().toString();
/** A send to one recipient costs 3.25 satoshis, and 1 for each KiB; a list 0.4. */
const PRICES = {
  PRICE_BASE: '2',
  PRICE_PER_RECIPIENT: '1.25',
  PRICE_PER_KIB: '1',
  PRICE_PER_MIB_MONTH: '1024',
  PRICE_PER_LIST_PAGE: '0.4',
};

/** Prices of requests, paid by `AuthFetch` and by hand. Each deployment behaves so. */
export function pricesSuite(deploy: Deploy): void {
  const at = useDeployment(() => deploy({ SERVER_PRIVATE_KEY: PRIVATE_KEY.toString('hex'), ...PRICES }));
  const opened: { close(): unknown }[] = [];
  let before: number;

  beforeEach(async () => {
    for (const method of ['log', 'warn', 'error', 'info'] as const) jest.spyOn(console, method).mockReturnValue();
    before = await readServerBalance(at());
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const one of opened.splice(0)) await one.close();
  });

  const earned = async () => (await readServerBalance(at())) - before;
  const faucet = () => at().overlays[0] as string;
  const wealthy = async (satoshis = 0): Promise<Payer> => {
    const payer = await Payer.open(faucet(), satoshis);
    opened.push(payer);
    return payer;
  };
  const appOf = ({ wallet, key }: Payer, instance = 0): RegistryApp => {
    const app = new RegistryApp(wallet, key, {
      http: at().apis[instance] as string,
      live: at().realtimes[instance] as string,
    });
    opened.push(app);
    return app;
  };
  const someone = () => new PricePayer(faucet());
  const newKey = () => PrivateKey.fromRandom().toPublicKey().toString();
  const sendUrl = (instance = 0) => `${at().apis[instance]}/sendMessage`;
  const listUrl = (instance = 0) => `${at().apis[instance]}/listMessages`;
  const message = (recipient: string, fields: object = {}) => ({
    message: { recipient, messageBox: 'inbox', messageId: randomUUID(), body: 'hello', ...fields },
  });
  /** A send of exactly this many bytes of JSON. */
  const messageOf = (bytes: number, recipient: string, fields: object = {}) => {
    const short = message(recipient, { body: 'x', ...fields });
    const missing = bytes - Buffer.byteLength(JSON.stringify(short));
    return { message: { ...short.message, body: `x${'y'.repeat(missing)}` } };
  };
  /** How often a message is stored, and in which state a payment is. */
  const readStored = (messageId: string) =>
    withDatabase(at(), async (knex) => (await knex('messages').where({ messageId: Buffer.from(messageId) })).length);
  const readState = ({ transaction }: { transaction: { id(form: 'hex'): string } }) =>
    withDatabase(at(), async (knex) => {
      const [row] = await knex('request_payments').where({ txid: Buffer.from(transaction.id('hex'), 'hex') });
      return row === undefined ? undefined : String(row.state);
    });

  test('GET /info tells the prices', async () => {
    const response = await fetch(`${at().apis[0]}/info`);
    expect(((await response.json()) as { prices?: unknown }).prices).toEqual({
      perSend: 2,
      perRecipient: 1.25,
      perKib: 1,
      perMibMonth: 1_024,
      perListPage: 0.4,
      storageDays: expect.any(Number),
      exemptsAllowed: false,
    });
  });

  describe('AuthFetch', () => {
    test('pays for a send by itself, once, and is told what it has paid', async () => {
      const [alice, bob] = [await wealthy(50_000), newKey()];
      const fetch = new AuthFetch(alice.wallet);
      const request = messageOf(2_048, bob);
      const response = await fetch.fetch(sendUrl(), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(request),
      });
      expect({ status: response.status, body: await response.json() }).toMatchObject({
        status: 200,
        body: { status: 'success' },
      });
      // 2 + 1.25 + 2, and the body's bytes of a MiB for a month: 1024 satoshis.
      const stored = (Buffer.byteLength(request.message.body) / 1_048_576) * 1_024;
      const price = Math.ceil(2 + 1.25 + 2 + stored);
      expect(price).toBe(8);
      expect(response.headers.get('x-bsv-payment-satoshis-paid')).toBe('8');
      expect([await earned(), await alice.countPaidSatoshis(), alice.transactions]).toEqual([8, 8, 1]);
      expect(await readStored(request.message.messageId)).toBe(1);
    });

    test('that asks anew after its request was lost does not pay again', async () => {
      const [alice, bob] = [await wealthy(50_000), newKey()];
      const request = message(bob);
      const payer = new PricePayer(faucet());
      const asked = await payer.ask(sendUrl(), request);
      const paid = await payer.makePayment(SERVER, asked);
      // As a crash leaves it between the payment and the message.
      await withDatabase(at(), async (knex) => {
        await knex('request_payments').insert({
          txid: Buffer.from(paid.transaction.id('hex'), 'hex'),
          sender: Buffer.from(alice.key),
          state: Buffer.from('paid'),
          satoshis: asked.satoshis,
          created_at: Date.now(),
          updated_at: Date.now(),
        });
      });
      expect(await alice.post(sendUrl(), request)).toMatchObject({ status: 200 });
      expect([alice.transactions, await earned(), await readState(paid)]).toEqual([0, 0, 'used']);
      // The next one pays.
      expect(await alice.post(sendUrl(), message(bob))).toMatchObject({ status: 200 });
      expect(alice.transactions).toBe(1);
    });

    test('pays for a list by itself', async () => {
      const alice = await wealthy(50_000);
      expect(await alice.post(listUrl(), { messageBox: 'inbox' })).toMatchObject({
        status: 200,
        body: { messages: [] },
      });
      expect([await earned(), await alice.countPaidSatoshis(), alice.transactions]).toEqual([1, 1, 1]);
    });

    test('pays price, delivery and recipient at once: balances add up to the satoshi', async () => {
      const [alice, bob] = [await wealthy(50_000), await wealthy(10_000)];
      await bob.charge(at().apis[0], 25);
      const { client } = appOf(alice);
      const sent = { recipient: bob.key, messageBox: 'notifications', body: 'worth it', checkPermissions: true };
      await client.sendMessage(sent, at().apis[0]);
      const paid = await alice.countPaidSatoshis();
      expect(alice.transactions).toBe(2);
      // The delivery is 10, and the rest is the price.
      const price = (await earned()) - 10;
      expect(price).toBeGreaterThan(3);
      expect(paid).toBe(10 + 25 + price);
      const [funds, spent] = [await bob.readBalance(), await bob.countPaidSatoshis()];
      expect(spent).toBe(0);
      const listed = await appOf(bob, 1).list('notifications');
      expect(listed).toMatchObject([{ sender: alice.key, body: 'worth it' }]);
      // Bob has taken his 25, and paid for lists what the server has earned since.
      const lists = (await earned()) - 10 - price;
      expect(lists).toBeGreaterThan(0);
      expect(await bob.readBalance()).toBe(funds + 25 - lists - bob.chainFees);
    });

    test('a refused request costs nothing', async () => {
      const [alice, bob] = [await wealthy(50_000), someone()];
      await bob.post(`${at().apis[0]}/permissions/set`, { messageBox: 'closed', recipientFee: -1 });
      const refused = async (request: object, code: string) => {
        expect(await alice.post(sendUrl(), request)).toMatchObject({ body: { code } });
      };
      await refused(message(bob.key, { messageBox: 'closed' }), 'ERR_DELIVERY_BLOCKED');
      await refused(message(bob.key, { messageId: '' }), 'ERR_INVALID_MESSAGEID');
      await refused(message(bob.key, { messageBox: 'notifications' }), 'ERR_MISSING_PAYMENT_TX');
      const payment = await alice.pay(appOf(alice).client, bob.key, {
        deliveryFee: 9,
        recipientFee: 10,
        deliveryAgentIdentityKey: SERVER,
      });
      const made = { count: alice.transactions };
      await refused({ ...message(bob.key, { messageBox: 'notifications' }), payment }, 'ERR_INSUFFICIENT_PAYMENT');
      expect(await alice.post(listUrl(), { messageBox: 'inbox', limit: -1 })).toMatchObject({ status: 400 });
      expect([alice.transactions, await earned()]).toEqual([made.count, 0]);
    });
  });

  describe('a payment', () => {
    test('is asked for with amount and prefix, and pays', async () => {
      const [alice, bob] = [someone(), newKey()];
      const request = messageOf(1_024, bob);
      const paid = await alice.pay(SERVER, sendUrl(), request);
      const answer = await alice.post(sendUrl(1), request, paid.header);
      expect(answer).toMatchObject({ status: 200, body: { status: 'success', messageId: request.message.messageId } });
      expect(answer.headers.get('x-bsv-payment-satoshis-paid')).toBe(String(await earned()));
      expect([await readState(paid), await readStored(request.message.messageId)]).toEqual(['used', 1]);
    });

    test('for the same request again is a success without another effect, even when the message was acknowledged', async () => {
      const [alice, bob] = [someone(), someone()];
      const request = message(bob.key);
      const { messageId } = request.message;
      const paid = await alice.pay(SERVER, sendUrl(), request);
      for (const instance of [0, 1, 0]) {
        expect(await alice.post(sendUrl(instance), request, paid.header)).toMatchObject({ status: 200 });
      }
      const [once, acknowledge] = [await earned(), `${at().apis[0]}/acknowledgeMessage`];
      expect(await bob.post(acknowledge, { messageIds: [messageId] })).toMatchObject({ status: 200 });
      expect(await alice.post(sendUrl(), request, paid.header)).toMatchObject({ status: 200, body: { messageId } });
      expect([await earned(), await readStored(messageId)]).toEqual([once, 0]);
    });

    test('for two requests at once pays for one of them', async () => {
      const [alice, bob] = [someone(), newKey()];
      const requests = Array.from({ length: 4 }, () => message(bob));
      const paid = await alice.pay(SERVER, sendUrl(), requests[0]);
      const answers = await Promise.all(requests.map((request, i) => alice.post(sendUrl(i % 2), request, paid.header)));
      expect(answers.map(({ status, body }) => `${status} ${body['code'] ?? ''}`).sort()).toEqual([
        '200 ',
        ...Array.from({ length: 3 }, () => '400 ERR_PAYMENT_REUSED'),
      ]);
      const stored = await Promise.all(requests.map((request) => readStored(request.message.messageId)));
      expect(stored.reduce((sum, count) => sum + count)).toBe(1);
    });

    test('whose request was refused is good for another one', async () => {
      const [alice, bob] = [someone(), someone()];
      const request = message(bob.key, { messageBox: 'later' });
      const paid = await alice.pay(SERVER, sendUrl(), request);
      await bob.post(`${at().apis[0]}/permissions/set`, { messageBox: 'later', recipientFee: -1 });
      expect(await alice.post(sendUrl(), request, paid.header)).toMatchObject({ status: 403 });
      expect([await readState(paid), await earned()]).toEqual([undefined, 0]);
      const other = message(bob.key, { messageBox: 'other' });
      expect(await alice.post(sendUrl(), other, paid.header)).toMatchObject({ status: 200 });
      expect(await readState(paid)).toBe('used');
    });

    test('for what is stored already is not taken', async () => {
      const [alice, bob] = [someone(), newKey()];
      const request = message(bob);
      await alice.post(sendUrl(), request, (await alice.pay(SERVER, sendUrl(), request)).header);
      const once = await earned();
      // The same message in other bytes.
      const again = { message: { ...request.message, expiresAt: null } };
      expect(await alice.post(sendUrl(), again)).toMatchObject({ status: 200 });
      expect(await earned()).toBe(once);
    });

    test('is kept in full when it is more than the price', async () => {
      const [alice, bob] = [someone(), newKey()];
      const request = message(bob);
      const paid = await alice.makePayment(SERVER, await alice.ask(sendUrl(), request), { satoshis: 777 });
      const answer = await alice.post(sendUrl(), request, paid.header);
      expect(answer.headers.get('x-bsv-payment-satoshis-paid')).toBe('777');
      expect(await earned()).toBe(777);
    });

    test('for a list is good for three responses to the same request', async () => {
      const alice = someone();
      const request = { messageBox: 'inbox', limit: 5 };
      const paid = await alice.pay(SERVER, listUrl(), request);
      const reused = { status: 400, body: { code: 'ERR_PAYMENT_REUSED' } };
      for (const instance of [0, 1, 0]) {
        const answer = await alice.post(listUrl(instance), request, paid.header);
        expect(answer).toMatchObject({ status: 200, body: { messages: [] } });
        expect(answer.headers.get('x-bsv-payment-satoshis-paid')).toBe('1');
        // It is bound to the body of the request.
        expect(await alice.post(listUrl(), { messageBox: 'another' }, paid.header)).toMatchObject(reused);
      }
      expect(await alice.post(listUrl(), request, paid.header)).toMatchObject(reused);
      expect(await alice.post(listUrl(), { messageBox: 'other' }, paid.header)).toMatchObject(reused);
      expect(await earned()).toBe(1);
    });
  });

  describe('a payment is refused, and costs nothing,', () => {
    const refuse = async (payer: PricePayer, request: object, header: string, code: string) => {
      const stored = await withDatabase(at(), (knex) => knex('request_payments').select('txid', 'state'));
      const answer = await payer.post(sendUrl(), request, header);
      expect({ status: answer.status, body: answer.body }).toMatchObject({
        status: 400,
        body: { status: 'error', code },
      });
      expect(answer.headers.get('x-bsv-payment-derivation-prefix')).toBeNull();
      expect(await withDatabase(at(), (knex) => knex('request_payments').select('txid', 'state'))).toEqual(stored);
      expect(await earned()).toBe(0);
    };

    test('when it is garbage', async () => {
      const [alice, bob] = [someone(), newKey()];
      const request = message(bob);
      const { header } = await alice.pay(SERVER, sendUrl(), request);
      const good = JSON.parse(header) as Record<string, unknown>;
      for (const bad of [
        'garbage',
        '[]',
        'null',
        '"text"',
        `${'['.repeat(5_000)}`,
        JSON.stringify({}),
        JSON.stringify({ ...good, transaction: 'not base64!' }),
        JSON.stringify({ ...good, transaction: Utils.toBase64([1, 2, 3]) }),
        JSON.stringify({ ...good, transaction: 7 }),
        JSON.stringify({ ...good, derivationSuffix: 'ü' }).replace('ü', '\\u00fc'),
        JSON.stringify({ ...good, derivationSuffix: 'A'.repeat(4_000) }),
        JSON.stringify({ ...good, derivationPrefix: null }),
      ]) {
        await refuse(alice, request, bad, 'ERR_MALFORMED_PAYMENT');
      }
      const cut = String(good['transaction']).slice(0, 80);
      await refuse(alice, request, JSON.stringify({ ...good, transaction: cut }), 'ERR_PAYMENT_FAILED');
      expect(await alice.post(sendUrl(), request, header)).toMatchObject({ status: 200 });
    });

    test('when it is too little', async () => {
      const [alice, bob] = [someone(), newKey()];
      const request = message(bob);
      const asked = await alice.ask(sendUrl(), request);
      const { header } = await alice.makePayment(SERVER, asked, { satoshis: asked.satoshis - 1 });
      await refuse(alice, request, header, 'ERR_INSUFFICIENT_PAYMENT');
    });

    test('when it pays somebody else, or not with the first output', async () => {
      const [alice, bob] = [someone(), newKey()];
      const request = message(bob);
      const asked = await alice.ask(sendUrl(), request);
      const toBob = await alice.makePayment(SERVER, asked, { payee: bob });
      await refuse(alice, request, toBob.header, 'ERR_PAYMENT_FAILED');
      const { output } = await createBrc29Payment(bob, 500, 'anyone');
      const second = await alice.makePayment(SERVER, asked, { before: [output] });
      await refuse(alice, request, second.header, 'ERR_PAYMENT_FAILED');
    });

    test('when another identity was asked', async () => {
      const [alice, mallory, bob] = [someone(), someone(), newKey()];
      const request = message(bob);
      const asked = await alice.ask(sendUrl(), request);
      const { header } = await mallory.makePayment(SERVER, asked);
      await refuse(mallory, request, header, 'ERR_INVALID_DERIVATION_PREFIX');
      // What Alice has made is of no use to Mallory either.
      const made = await alice.makePayment(SERVER, asked);
      await refuse(mallory, request, made.header, 'ERR_INVALID_DERIVATION_PREFIX');
      expect(await alice.post(sendUrl(), request, made.header)).toMatchObject({ status: 200 });
      before = await readServerBalance(at());
      await refuse(mallory, message(bob), made.header, 'ERR_INVALID_DERIVATION_PREFIX');
    });

    test('when its prefix is changed, made up, or expired', async () => {
      const [alice, bob] = [someone(), newKey()];
      const request = message(bob);
      const asked = await alice.ask(sendUrl(), request);
      const bytes = Buffer.from(asked.prefix, 'base64');
      // The last byte of the amount.
      bytes.writeUInt8(1, 11);
      const day = 86_400_000;
      const server = new PricePrefixes(PRIVATE_KEY);
      const issue = (ms: number) =>
        server.create({ sender: alice.key, request: randomBytes(32), satoshis: 1, now: new Date(Date.now() - ms) });
      for (const prefix of [bytes.toString('base64'), randomBytes(48).toString('base64'), issue(day + 60_000)]) {
        const { header } = await alice.makePayment(SERVER, asked, { prefix });
        await refuse(alice, request, header, 'ERR_INVALID_DERIVATION_PREFIX');
      }
      const { header } = await alice.makePayment(SERVER, asked, { prefix: issue(day - 60_000) });
      expect(await alice.post(sendUrl(), request, header)).toMatchObject({ status: 200 });
    });

    test('when the price of this request was not asked for, and is higher', async () => {
      const [alice, bob] = [someone(), newKey()];
      const paid = await alice.pay(SERVER, sendUrl(), message(bob));
      await refuse(alice, messageOf(10_240, bob), paid.header, 'ERR_INSUFFICIENT_PAYMENT');
      await refuse(
        alice,
        message(bob, { recipient: undefined, recipients: [bob, newKey()], messageId: [randomUUID(), randomUUID()] }),
        paid.header,
        'ERR_INSUFFICIENT_PAYMENT',
      );
    });

    test('when its money is spent elsewhere', async () => {
      const [alice, bob] = [someone(), newKey()];
      const money = await requestFreeOutput(faucet(), 10_000);
      const first = message(bob);
      const paid = await alice.makePayment(SERVER, await alice.ask(sendUrl(), first), { money });
      expect(await alice.post(sendUrl(), first, paid.header)).toMatchObject({ status: 200 });
      const once = await earned();
      const second = message(bob);
      const spent = await alice.makePayment(SERVER, await alice.ask(sendUrl(), second), { money });
      const failed = { status: 400, body: { code: 'ERR_PAYMENT_FAILED' } };
      expect(await alice.post(sendUrl(), second, spent.header)).toMatchObject(failed);
      expect(await alice.post(sendUrl(1), second, spent.header)).toMatchObject(failed);
      expect([await readState(spent), await earned(), await readStored(second.message.messageId)]).toEqual([
        'refused',
        once,
        0,
      ]);
    });

    test('when its output pays the delivery of a message as well', async () => {
      const [alice, bob] = [someone(), newKey()];
      const request = message(bob, { messageBox: 'notifications' });
      const charges = await createBrc29Payment(bob, 10, 'anyone');
      const asked = await alice.ask(sendUrl(), message(bob));
      const made = await alice.makePayment(SERVER, asked, { satoshis: 50 });
      const output = made.transaction.outputs[0];
      const transaction = spendFreeOutput(await requestFreeOutput(faucet(), 1_000), [
        { satoshis: 50, script: Uint8Array.from(output?.lockingScript.toBinary() ?? []) },
        charges.output,
      ]);
      const payment = {
        tx: transaction.toAtomicBEEF(),
        outputs: [
          {
            outputIndex: 0,
            protocol: 'wallet payment',
            paymentRemittance: {
              derivationPrefix: asked.prefix,
              derivationSuffix: made.suffix,
              senderIdentityKey: alice.key,
            },
          },
          describePaymentOutput(charges, 1),
        ],
      };
      const header = toPaymentHeader(asked.prefix, made.suffix, transaction);
      await refuse(alice, { ...request, payment }, header, 'ERR_INVALID_PAYMENT');
    });
  });

  test('a live send that is not paid is refused, and the real client then pays over HTTP', async () => {
    const [alice, bob] = [await wealthy(50_000), newKey()];
    const socket = new LiveSocket(at().realtimes[0], alice.wallet, alice.key);
    opened.push(socket);
    await socket.authenticate();
    const roomId = `${bob}-inbox`;
    const [failed, acked] = [
      socket.events('paymentFailed').waitForNext(),
      socket.events(`sendMessageAck-${roomId}`).waitForNext(),
    ];
    const messageId = randomUUID();
    socket.client.emit('sendMessage', { roomId, message: { messageId, recipient: bob, body: 'live' } });
    const refusal = { code: 'ERR_PAYMENT_REQUIRED', messageId, satoshisRequired: 4 };
    expect(await failed).toMatchObject(refusal);
    expect(await acked).toMatchObject({ status: 'error', ...refusal });
    expect([await readStored(messageId), await earned()]).toEqual([0, 0]);

    await appOf(alice).sendLive({ recipient: bob, messageBox: 'inbox', body: 'live', messageId });
    expect(await readStored(messageId)).toBe(1);
    expect(await earned()).toBe(await alice.countPaidSatoshis());
    expect(await earned()).toBeGreaterThan(3);
  });
}

/** Senders whom a recipient has allowed by name cost nothing, where the operator wants it so. */
export function exemptionSuite(deploy: Deploy): void {
  const at = useDeployment(() => deploy({ PRICE_PER_RECIPIENT: '5', PRICE_EXEMPT_ALLOWED: 'true' }));

  test('a sender whom the recipient has allowed by name pays nothing, over HTTP and live', async () => {
    const [alice, bob, carol] = [newPerson(at()), newPerson(at()), newPerson(at())];
    const url = `${at().apis[0]}/sendMessage`;
    const to = (recipients: readonly string[]) => ({
      message: { recipients, messageBox: 'inbox', messageId: recipients.map(() => randomUUID()), body: 'hello' },
    });
    expect(await alice.ask(url, to([bob.key, carol.key]))).toMatchObject({ satoshis: 10 });
    const set = `${at().apis[0]}/permissions/set`;
    await bob.post(set, { messageBox: 'inbox', recipientFee: 0 });
    expect(await alice.ask(url, to([bob.key]))).toMatchObject({ satoshis: 5 });
    await bob.post(set, { messageBox: 'inbox', sender: alice.key, recipientFee: 0 });
    expect(await alice.post(url, to([bob.key]))).toMatchObject({ status: 200 });
    expect(await alice.ask(url, to([bob.key, carol.key]))).toMatchObject({ satoshis: 5 });
    const socket = new LiveSocket(at().realtimes[0], alice.wallet, alice.key);
    try {
      await socket.authenticate();
      const messageId = randomUUID();
      const roomId = `${bob.key}-inbox`;
      const acked = socket.events(`sendMessageAck-${roomId}`).waitForNext();
      socket.client.emit('sendMessage', { roomId, message: { messageId, recipient: bob.key, body: 'live' } });
      expect(await acked).toEqual({ status: 'success', messageId });
    } finally {
      await socket.close();
    }
  });
}

function newPerson(deployment: Deployment): PricePayer {
  return new PricePayer(deployment.overlays[0] as string);
}
