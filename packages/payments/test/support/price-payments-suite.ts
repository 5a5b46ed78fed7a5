import { createHash, randomBytes } from 'node:crypto';
import { type PriceList, parseSend, RuleError, sendMessages } from '@messagebox/messages';
import {
  createIdentityKey,
  type PaymentDatabase,
  PaymentTestBed,
  type PaymentTestServer,
  SERVER,
  usePaymentDatabase,
} from './payment-test-bed.ts';

const PRICES: PriceList = {
  perSend: 5_000_000,
  perRecipient: 0,
  perKib: 0,
  perMibMonth: 0,
  perListPage: 0,
  storageDays: 30,
  exemptsAllowed: false,
};

/** The promises of payments for requests, on each database. */
export function pricePaymentsSuite(createDatabase: () => Promise<PaymentDatabase>): void {
  const database = usePaymentDatabase(createDatabase);
  let testBed: PaymentTestBed;
  let server: PaymentTestServer;
  let [alice, bob] = ['', ''];
  let ids = 0;

  beforeEach(() => {
    testBed = new PaymentTestBed(database().config);
    server = testBed.open();
    [alice, bob] = [createIdentityKey(), createIdentityKey()];
    testBed.fees.set(bob, 7);
  });
  afterEach(() => testBed.close());

  const toBob = () => ({ recipient: bob, messageId: `price-${++ids}`, messageBox: 'notifications', body: 'hello' });
  const payFees = () => testBed.verifier.payment([SERVER, 10], [bob, 7]);
  const digestOf = (request: object) => createHash('sha256').update(JSON.stringify(request)).digest();

  interface Sent {
    readonly message: object;
    readonly payment?: object | undefined;
  }

  /** Sends like a request over HTTP. @returns `sent`, or the code of the refusal, or the name of another error */
  async function send(request: Sent, header?: string, prices = PRICES, by = server): Promise<string> {
    const payment = by.pricePayments.open({ sender: alice, digest: digestOf(request), bytes: 100, header });
    const options = { ...by.sendOptions, prices };
    try {
      const command = parseSend({ normaliseKey: (key) => key, maxRecipients: 1_000 }, alice, request);
      await sendMessages(options, command, payment);
      return 'sent';
    } catch (error) {
      if (error instanceof RuleError) return error.code;
      return error instanceof Error ? error.name : String(error);
    }
  }

  /** The header that pays 5 satoshis, or another amount, for a request. */
  function pay(request: Sent, satoshis = 5, asked = satoshis): { header: string; txid: string } {
    const offer = { sender: alice, request: digestOf(request), satoshis: asked, now: new Date() };
    const derivationPrefix = testBed.prefixes.create(offer);
    const derivationSuffix = randomBytes(16).toString('base64');
    const script = testBed.scripts.derivePriceScript({ derivationPrefix, derivationSuffix, senderIdentityKey: alice });
    const { bytes, txid } = testBed.verifier.addTransaction([{ satoshis, script }]);
    const transaction = Buffer.from(bytes).toString('base64');
    return { header: JSON.stringify({ derivationPrefix, derivationSuffix, transaction }), txid };
  }

  const stateOf = async ({ txid }: { txid: string }) => (await server.prices.find(txid))?.state;
  const stored = async () => (await server.list(bob)).length;
  const received = (txid: string) => testBed.receiver.calls.filter((call) => call === txid).length;

  describe('of a send without fees', () => {
    beforeEach(() => {
      testBed.fees.set(bob, 0);
      testBed.deliveryFee = 0;
    });

    test('a payment is used up with the message', async () => {
      const request = { message: toBob() };
      expect(await send(request)).toBe('ERR_PAYMENT_REQUIRED');
      const price = pay(request);
      expect([await send(request, price.header), await stateOf(price), await stored()]).toEqual(['sent', 'used', 1]);
      expect([await send(request, price.header), received(price.txid)]).toEqual(['sent', 1]);
      expect(await send({ message: toBob() }, price.header)).toBe('ERR_PAYMENT_REUSED');
    });

    test('an unavailable network leaves a payment to be received later, and once', async () => {
      const request = { message: toBob() };
      const price = pay(request);
      testBed.receiver.beforeReceive = async () => {
        throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'not now', 503);
      };
      expect(await send(request, price.header)).toBe('ERR_CHAIN_UNAVAILABLE');
      expect([await stateOf(price), await stored()]).toEqual(['taking', 0]);
      testBed.receiver.beforeReceive = async () => undefined;
      expect(await send(request, price.header)).toBe('sent');
      expect([await stateOf(price), await stored()]).toEqual(['used', 1]);
    });

    test('a payment that the network refuses may be tried again', async () => {
      const request = { message: toBob() };
      const price = pay(request);
      testBed.receiver.refusal = 'it is not valid';
      expect(await send(request, price.header)).toBe('ERR_PAYMENT_FAILED');
      expect([await stateOf(price), await stored()]).toEqual(['refused', 0]);
      testBed.receiver.refusal = undefined;
      expect([await send(request, price.header), await stateOf(price)]).toEqual(['sent', 'used']);
    });

    test('a payment whose message id is taken meanwhile is a credit', async () => {
      const [request, other] = [{ message: toBob() }, { message: toBob() }];
      const price = pay(request);
      testBed.receiver.beforeReceive = async () => {
        const { recipient, messageId, body } = request.message;
        await server.store.storeMessages([{ recipient, messageId, body, messageBox: 'other', sender: alice }]);
      };
      expect(await send(request, price.header)).toBe('ERR_DUPLICATE_MESSAGE');
      testBed.receiver.beforeReceive = async () => undefined;
      expect(await stateOf(price)).toBe('paid');
      expect([await send(other, price.header), await stateOf(price)]).toEqual(['sent', 'used']);
      expect(received(price.txid)).toBe(1);
    });

    test('a credit of exactly the price is used by a request without a payment', async () => {
      const request = { message: toBob() };
      const [price, dear] = [pay(request), pay(request, 6)];
      const acknowledge = () => server.store.acknowledgeMessages(bob, [request.message.messageId]);
      testBed.receiver.beforeReceive = async () => {
        await server.store.storeMessages([{ ...request.message, sender: alice }]);
      };
      expect(await send(request, price.header)).toBe('sent');
      await acknowledge();
      expect(await send(request, dear.header)).toBe('sent');
      testBed.receiver.beforeReceive = async () => undefined;
      expect([await stateOf(price), await stateOf(dear)]).toEqual(['paid', 'paid']);
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => send({ message: toBob() })));
      expect(outcomes.sort()).toEqual([...Array.from({ length: 3 }, () => 'ERR_PAYMENT_REQUIRED'), 'sent']);
      expect([await stateOf(price), await stateOf(dear)]).toEqual(['used', 'paid']);
      expect(await send({ message: toBob() })).toBe('ERR_PAYMENT_REQUIRED');
    });

    test('a payment whose message somebody else has stored meanwhile is a credit', async () => {
      const request = { message: toBob() };
      const price = pay(request);
      testBed.receiver.beforeReceive = async () => {
        await server.store.storeMessages([{ ...request.message, sender: alice }]);
      };
      expect([await send(request, price.header), await stateOf(price), await stored()]).toEqual(['sent', 'paid', 1]);
    });

    test.each([true, false])('a payment for many requests at once pays for one (locks: %s)', async (locks) => {
      const servers = [testBed.open({ locks }), testBed.open({ locks })];
      const requests = Array.from({ length: 8 }, () => ({ message: toBob() }));
      const price = pay(requests[0] as Sent);
      const outcomes = await Promise.all(
        requests.map((request, i) => send(request, price.header, PRICES, servers[i % 2] as PaymentTestServer)),
      );
      expect(outcomes.sort()).toEqual([...Array.from({ length: 7 }, () => 'ERR_PAYMENT_REUSED'), 'sent']);
      expect([await stored(), await stateOf(price)]).toEqual([1, 'used']);
    });

    test.each([true, false])('the same request many times at once is a success (locks: %s)', async (locks) => {
      const servers = [testBed.open({ locks }), testBed.open({ locks })];
      const request = { message: toBob() };
      const price = pay(request);
      const sends = Array.from({ length: 8 }, (_, i) =>
        send(request, price.header, PRICES, servers[i % 2] as PaymentTestServer),
      );
      expect(await Promise.all(sends)).toEqual(sends.map(() => 'sent'));
      expect([await stored(), await stateOf(price)]).toEqual([1, 'used']);
    });

    test('the price that was asked for counts for this request, also when the price has risen or fallen', async () => {
      const [dearer, cheaper] = [PRICES.perSend * 3, PRICES.perSend / 5];
      const risen = { message: toBob() };
      expect(await send(risen, pay(risen).header, { ...PRICES, perSend: dearer })).toBe('sent');
      const fallen = { message: toBob() };
      const little = pay(fallen, 1, 5);
      expect(await send(fallen, little.header)).toBe('ERR_INSUFFICIENT_PAYMENT');
      expect(await send(fallen, little.header, { ...PRICES, perSend: cheaper })).toBe('sent');
      // For another request the present price counts.
      const asked = pay({ message: toBob() });
      const another = { message: toBob() };
      expect(await send(another, asked.header, { ...PRICES, perSend: dearer })).toBe('ERR_INSUFFICIENT_PAYMENT');
      expect(await send(another, asked.header)).toBe('sent');
    });

    test('a payment is not verified again once it is recorded', async () => {
      const request = { message: toBob() };
      const price = pay(request);
      testBed.receiver.beforeReceive = async () => {
        throw new RuleError('ERR_INTERNALIZE_FAILED', 'not now', 500);
      };
      expect(await send(request, price.header)).toBe('ERR_INTERNALIZE_FAILED');
      testBed.receiver.beforeReceive = async () => undefined;
      testBed.verifier.failure = new RuleError('ERR_INVALID_PAYMENT', 'It must not be verified.');
      expect(await send(request, price.header)).toBe('sent');
    });

    test('an exceeded quota refuses a send before its price is asked for', async () => {
      testBed.quota.messages = 0;
      const limited = testBed.open();
      const request = { message: toBob() };
      expect(await send(request, undefined, PRICES, limited)).toBe('ERR_INBOX_QUOTA_EXCEEDED');
      const price = pay(request);
      expect(await send(request, price.header, PRICES, limited)).toBe('ERR_INBOX_QUOTA_EXCEEDED');
      expect([await stateOf(price), received(price.txid)]).toEqual([undefined, 0]);
    });
  });

  describe('of a send with fees', () => {
    test('is asked for when the fees are verified, and used up with the message', async () => {
      expect(await send({ message: toBob() })).toBe('ERR_MISSING_PAYMENT_TX');
      const tooLittle = { message: toBob(), payment: await testBed.verifier.payment([SERVER, 9], [bob, 7]) };
      expect(await send(tooLittle)).toBe('ERR_INSUFFICIENT_PAYMENT');
      expect(await send(tooLittle, pay(tooLittle).header)).toBe('ERR_INSUFFICIENT_PAYMENT');
      const request = { message: toBob(), payment: await payFees() };
      expect(await send(request)).toBe('ERR_PAYMENT_REQUIRED');
      expect([await stored(), testBed.receiver.calls]).toEqual([0, []]);
      const price = pay(request);
      expect([await send(request, price.header), await stateOf(price), await stored()]).toEqual(['sent', 'used', 1]);
      expect(await send(request, price.header)).toBe('sent');
      // What is stored already needs no price.
      expect(await send(request)).toBe('sent');
      expect(testBed.receiver.calls).toHaveLength(2);
    });

    test('is given back when the network refuses the payment of the fees', async () => {
      const request = { message: toBob(), payment: await payFees() };
      const price = pay(request);
      testBed.receiver.beforeReceive = async () => {
        if (received(price.txid) === 1 && testBed.receiver.calls.length === 2) testBed.receiver.refusal = 'spent';
      };
      expect(await send(request, price.header)).toBe('ERR_INVALID_PAYMENT');
      expect([await stateOf(price), await stored()]).toEqual(['paid', 0]);
      testBed.receiver.refusal = undefined;
      testBed.receiver.beforeReceive = async () => undefined;
      const corrected = { ...request, payment: await payFees() };
      expect([await send(corrected, price.header), await stateOf(price), await stored()]).toEqual(['sent', 'used', 1]);
      expect(received(price.txid)).toBe(1);
    });

    test('is reserved while the send is not finished, and used up by whoever finishes it', async () => {
      const request = { message: toBob(), payment: await payFees() };
      const price = pay(request);
      testBed.onStep = (step) => {
        if (step === 'received') throw new Error('interrupted');
      };
      expect(await send(request, price.header)).toBe('Error');
      expect(await stateOf(price)).toBe('held');
      testBed.fees.set(bob, 0);
      testBed.deliveryFee = 0;
      expect(await send({ message: toBob() }, price.header)).toBe('ERR_PAYMENT_REUSED');
      testBed.onStep = () => undefined;
      expect(await server.runRecovery()).toBe(1);
      expect([await stateOf(price), await stored()]).toEqual(['used', 1]);
      expect(await send(request, price.header)).toBe('sent');
    });

    test('is given back when the payment of the fees is given up after a day', async () => {
      const request = { message: toBob(), payment: await payFees() };
      const price = pay(request);
      testBed.receiver.beforeReceive = async () => {
        if (testBed.receiver.calls.length > 1) throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'not now', 503);
      };
      expect(await send(request, price.header)).toBe('ERR_CHAIN_UNAVAILABLE');
      expect(await stateOf(price)).toBe('held');
      await server.setAge(request.payment, 25 * 3_600_000);
      await server.runRecovery(60_000);
      expect([await server.readState(request.payment), await stateOf(price)]).toEqual(['refused', 'paid']);
    });

    test('is given back when a message id is taken meanwhile', async () => {
      const request = { message: toBob(), payment: await payFees() };
      const price = pay(request);
      testBed.receiver.beforeReceive = async () => {
        const { recipient, messageId, body } = request.message;
        await server.store.storeMessages([{ recipient, messageId, body, messageBox: 'other', sender: alice }]);
      };
      expect(await send(request, price.header)).toBe('ERR_DUPLICATE_MESSAGE');
      expect([await server.readState(request.payment), await stateOf(price)]).toEqual(['unused', 'paid']);
    });

    test('is given back when another payment has stored the message', async () => {
      const request = { message: toBob(), payment: await payFees() };
      const price = pay(request);
      testBed.receiver.beforeReceive = async () => {
        await server.store.storeMessages([{ ...request.message, sender: alice }]);
      };
      expect(await send(request, price.header)).toBe('sent');
      expect([await server.readState(request.payment), await stateOf(price)]).toEqual(['spare', 'paid']);
    });

    test('is used up by a send whose payment pays nobody', async () => {
      testBed.fees.set(bob, 0);
      testBed.deliveryFee = 0;
      const request = { message: toBob(), payment: await testBed.verifier.payment() };
      const price = pay(request);
      expect([await send(request, price.header), await stateOf(price), await stored()]).toEqual(['sent', 'used', 1]);
    });

    test('a blocked sender is not asked for it', async () => {
      testBed.fees.set(bob, -1);
      const request = { message: toBob(), payment: await payFees() };
      const price = pay(request);
      expect([await send(request), await send(request, price.header)]).toEqual([
        'ERR_DELIVERY_BLOCKED',
        'ERR_DELIVERY_BLOCKED',
      ]);
      expect(await stateOf(price)).toBeUndefined();
    });
  });

  test('an interrupted payment is received without its payer, and stays a credit', async () => {
    testBed.fees.set(bob, 0);
    testBed.deliveryFee = 0;
    const request = { message: toBob() };
    const price = pay(request);
    testBed.receiver.beforeReceive = async () => {
      throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'not now', 503);
    };
    await send(request, price.header);
    await server.setPriceAge(price.txid, 7_200_000);
    expect(await server.pricePayments.resumePending(60_000)).toBe(0);
    expect(await stateOf(price)).toBe('taking');
    testBed.receiver.beforeReceive = async () => undefined;
    await server.setPriceAge(price.txid, 7_200_000);
    expect(await server.pricePayments.resumePending(60_000)).toBe(1);
    expect([await stateOf(price), received(price.txid)]).toEqual(['paid', 3]);
    expect([await send({ message: toBob() }, price.header), await stateOf(price)]).toEqual(['sent', 'used']);
    expect(received(price.txid)).toBe(3);
  });

  test('a payment that the network has not accepted for a day is given up, and may be tried again', async () => {
    testBed.fees.set(bob, 0);
    testBed.deliveryFee = 0;
    const request = { message: toBob() };
    const price = pay(request);
    testBed.receiver.beforeReceive = async () => {
      throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'not now', 503);
    };
    await send(request, price.header);
    await server.setPriceAge(price.txid, 25 * 3_600_000);
    await server.pricePayments.resumePending(60_000);
    expect(await stateOf(price)).toBe('refused');
    testBed.receiver.beforeReceive = async () => undefined;
    expect([await send(request, price.header), await stateOf(price)]).toEqual(['sent', 'used']);
  });
}
