import { RuleError, toStoredBodyWithPayment } from '@messagebox/messages';
import { LockUnavailableError, NamedLock, StoreUnavailableError } from '@messagebox/store';
import { waitUntil } from '@messagebox/test-kit';
import {
  createIdentityKey,
  type PaymentDatabase,
  PaymentTestBed,
  type PaymentTestServer,
  SERVER,
  usePaymentDatabase,
} from './payment-test-bed.ts';

/** The promises of the payment service, on each database. */
export function paymentServiceSuite(createDatabase: () => Promise<PaymentDatabase>): void {
  const database = usePaymentDatabase(createDatabase);
  let testBed: PaymentTestBed;
  let server: PaymentTestServer;
  let [alice, bob, carol, mallory] = ['', '', '', ''];
  let ids = 0;

  beforeEach(() => {
    testBed = new PaymentTestBed(database().config);
    server = testBed.open();
    [alice, bob, carol, mallory] = [createIdentityKey(), createIdentityKey(), createIdentityKey(), createIdentityKey()];
    testBed.fees.set(bob, 7);
  });
  afterEach(() => testBed.close());

  const toBob = (change: object = {}) => ({ recipient: bob, messageId: `id-${++ids}`, ...change });
  const payForBob = () => testBed.verifier.payment([SERVER, 10], [bob, 7]);
  const interrupt = (at: string) => {
    testBed.onStep = (step) => {
      if (step === at) throw new Error(`interrupted at ${at}`);
    };
  };
  const goOn = () => {
    testBed.onStep = () => undefined;
  };

  test('a payment is verified, recorded, received and stored, in this order', async () => {
    const payment = await payForBob();
    const seen: unknown[] = [];
    const looks: Promise<unknown>[] = [];
    testBed.onStep = (step) => {
      const look = async () => ({
        step,
        state: await server.readState(payment),
        received: testBed.receiver.received.size,
        stored: (await server.list(bob)).length,
      });
      seen.push(step);
      // SQLite answers in the order of the queries. On MySQL the next step may come before the answer.
      if (database().config.client === 'better-sqlite3') looks.push(look());
    };
    await server.send(alice, toBob(), payment);
    expect(seen).toEqual(['verified', 'recorded', 'received', 'stored']);
    expect(await server.readState(payment)).toBe('done');
    for (const look of (await Promise.all(looks)) as {
      step: string;
      state: string;
      received: number;
      stored: number;
    }[]) {
      if (look.step === 'verified') expect(look).toMatchObject({ received: 0, stored: 0 });
      if (look.step === 'recorded') expect(look).toMatchObject({ stored: 0 });
      if (look.step === 'stored') expect(look).toMatchObject({ state: 'done', received: 1, stored: 1 });
    }
  });

  test('a paid recipient finds the transaction and its own outputs, an unpaid one the body', async () => {
    testBed.fees.set(carol, 9);
    const dave = createIdentityKey();
    const payment = await testBed.verifier.payment([SERVER, 10], [bob, 7], [carol, 9]);
    const labelled = { ...payment, labels: ['one'] };
    const pushes = await server.countPushes();
    await server.send(alice, { recipients: [bob, dave, carol], messageId: ['a', 'b', 'c'] }, labelled);
    const part = (...outputs: object[]) => ({
      tx: payment.tx.slice(0, 33),
      outputs,
      description: payment.description,
      labels: ['one'],
    });
    const [, second, third] = payment.outputs as [object, object, object];
    const bodies = async (one: string) => (await server.list(one)).map(({ body }) => body);
    expect((await bodies(bob)).map((body) => JSON.parse(body))).toEqual([{ message: 'hello', payment: part(second) }]);
    expect((await bodies(carol)).map((body) => JSON.parse(body))).toEqual([{ message: 'hello', payment: part(third) }]);
    expect(await bodies(bob)).toEqual([toStoredBodyWithPayment('hello', JSON.stringify(part(second)))]);
    expect(await bodies(dave)).toEqual(['hello']);
    // A message with a payment is not published live: a client would acknowledge it and lose the payment.
    expect(testBed.published).toEqual([`${dave} b hello`]);
    expect(await server.countPushes()).toBe(pushes + 3);
  });

  describe('a used up quota', () => {
    const boundedBy = (quota: Partial<PaymentTestBed['quota']>) => {
      testBed.quota = { ...testBed.quota, ...quota };
      return testBed.open();
    };
    const quotaOf = async (sent: Promise<unknown>) => {
      const error = await sent.catch((thrown: unknown) => thrown);
      return error instanceof RuleError ? { code: error.code, status: error.status, ...error.details } : error;
    };
    const untouched = async (payment: { tx: readonly number[] }) => {
      expect(await server.readState(payment)).toBeUndefined();
      expect(testBed.receiver.calls).toEqual([]);
    };

    test('refuses the send before its payment is verified, and the payment can be used later', async () => {
      const bounded = boundedBy({ messages: 1 });
      const first = toBob();
      await server.store.storeMessages([{ ...first, messageBox: 'inbox', sender: carol, body: 'hello' }]);
      const [message, payment] = [toBob(), await payForBob()];
      testBed.verifier.failure = new Error('it was verified');
      const refused = { code: 'ERR_INBOX_QUOTA_EXCEEDED', status: 429, resource: 'messages', limit: 1, recipient: bob };
      expect(await quotaOf(bounded.send(alice, message, payment))).toEqual(refused);
      expect(await quotaOf(bounded.send(alice, message))).toEqual(refused);
      await untouched(payment);
      testBed.verifier.failure = undefined;
      await server.store.acknowledgeMessages(bob, [first.messageId]);
      bounded.sendOptions.quotas?.noteFreed(bob);
      await bounded.send(alice, message, payment);
      expect(await server.readState(payment)).toBe('done');
    });

    test('refuses a payment that makes the message too large for it', async () => {
      const bounded = boundedBy({ bytes: 200 });
      const payment = await payForBob();
      const refused = { code: 'ERR_INBOX_QUOTA_EXCEEDED', resource: 'bytes', limit: 200, recipient: bob };
      expect(await quotaOf(bounded.send(alice, toBob(), payment))).toMatchObject(refused);
      await untouched(payment);
      expect(await server.list(bob)).toEqual([]);
    });

    test('admits exactly the bytes that are stored', async () => {
      const admitted: number[][] = [];
      const { quotas } = server.sendOptions;
      const reserve = quotas?.reserve.bind(quotas);
      jest.spyOn(quotas as NonNullable<typeof quotas>, 'reserve').mockImplementation(async (charges) => {
        const reservation = await reserve?.(charges);
        if (reservation === undefined) throw new Error('no quotas');
        return {
          ...reservation,
          replace: async (others) => {
            admitted.push(others.map(({ bytes }) => bytes));
            await reservation.replace(others);
          },
        };
      });
      await server.send(alice, { recipients: [bob, carol], messageId: ['a', 'b'], body: 'ü"' }, await payForBob());
      const stored = [...(await server.list(bob)), ...(await server.list(carol))];
      expect(admitted).toEqual([stored.map(({ body }) => Buffer.byteLength(body))]);
    });

    test('does not keep a received payment from being finished with success', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      interrupt('received');
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      goOn();
      await server.store.storeMessages([{ ...toBob(), messageBox: 'inbox', sender: carol, body: 'hello' }]);
      const bounded = boundedBy({ messages: 1 });
      expect(await bounded.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(await server.list(bob)).toHaveLength(1);
      // The message is stored by now, so a retry needs no quota.
      expect(await bounded.send(alice, message, payment)).toMatchObject({ status: 'success' });
    });
  });

  describe('a second request with the same payment', () => {
    test('for the same messages gets the same answer, and changes nothing', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      const pushes = await server.countPushes();
      const answer = await server.send(alice, message, payment);
      for (const one of [server, testBed.open()]) expect(await one.send(alice, message, payment)).toEqual(answer);
      expect(testBed.receiver.calls).toHaveLength(1);
      expect(await server.list(bob)).toHaveLength(1);
      expect(testBed.published).toEqual([]);
      expect(await server.countPushes()).toBe(pushes + 1);
    });

    test('stores nothing again after the recipient has acknowledged', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(await server.list(bob)).toEqual([]);
      expect(testBed.receiver.calls).toHaveLength(1);
    });

    test('succeeds many times at once through two instances, and is received and stored once', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      const servers = [server, database().config.client === 'mysql2' ? testBed.open() : server];
      const sends = Array.from({ length: 12 }, (_, i) => servers[i % 2]?.send(alice, message, payment));
      for (const answer of await Promise.all(sends)) expect(answer).toMatchObject({ status: 'success' });
      expect(new Set(testBed.receiver.calls).size).toBe(1);
      expect(testBed.receiver.calls).toHaveLength(1);
      expect(await server.list(bob)).toHaveLength(1);
      expect(testBed.published).toEqual([]);
    });

    test('for some of its messages succeeds without storing them again', async () => {
      testBed.fees.set(carol, 9);
      const payment = await testBed.verifier.payment([SERVER, 10], [bob, 7], [carol, 9]);
      await server.send(alice, { recipients: [bob, carol], messageId: ['x1', 'x2'] }, payment);
      await server.store.acknowledgeMessages(carol, ['x2']);
      expect(await server.send(alice, { recipient: carol, messageId: 'x2' }, payment)).toMatchObject({
        status: 'success',
      });
      expect(await server.list(carol)).toEqual([]);
      expect(testBed.receiver.calls).toHaveLength(1);
    });

    test('for another box is refused and stores nothing', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      expect(await server.sendRefused(alice, { ...message, messageBox: 'other' }, payment)).toBe('ERR_PAYMENT_REUSED');
      expect(await server.list(bob, 'other')).toEqual([]);
    });

    test('for another message or from another sender is refused for ever', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      for (let time = 0; time < 2; time += 1) {
        expect(await server.sendRefused(alice, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
        expect(await server.sendRefused(mallory, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
        expect(
          await server.sendRefused(alice, { recipients: [bob, carol], messageId: [message.messageId, 'z'] }, payment),
        ).toBe('ERR_PAYMENT_REUSED');
      }
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      expect(await server.sendRefused(mallory, message, payment)).toBe('ERR_PAYMENT_REUSED');
      expect(await server.list(bob)).toEqual([]);
      expect(await server.list(carol)).toEqual([]);
      expect(testBed.receiver.calls).toHaveLength(1);
    });
  });

  describe('a batch with one message that is stored already', () => {
    const batch = () => ({ recipients: [bob, carol], messageId: ['same', 'same'] });
    const paid = () => testBed.verifier.payment([SERVER, 10], [bob, 7], [carol, 9]);
    beforeEach(async () => {
      testBed.fees.set(carol, 9);
      await server.send(alice, { recipient: bob, messageId: 'same' }, await payForBob());
    });

    test.each([true, false])('accepts a payment for both messages (by name: %p)', async (named) => {
      const payment = await paid();
      const outputs = payment.outputs.map((output, i) =>
        named && i > 0 ? { ...output, customInstructions: { recipientIdentityKey: [bob, carol][i - 1] } } : output,
      );
      for (let time = 0; time < 2; time += 1) {
        expect(await server.send(alice, batch(), { ...payment, outputs })).toMatchObject({ status: 'success' });
      }
      expect(await server.list(bob)).toHaveLength(1);
      const [stored, ...others] = await server.list(carol);
      expect(others).toEqual([]);
      expect(JSON.parse(stored?.body ?? '').payment.outputs).toEqual([outputs[2]]);
      expect(testBed.receiver.received.size).toBe(2);
    });

    test('does not restore a message that is acknowledged at the same moment', async () => {
      const payment = await paid();
      testBed.receiver.beforeReceive = () => server.store.acknowledgeMessages(bob, ['same']);
      await server.send(alice, batch(), payment);
      expect(await server.list(bob)).toEqual([]);
      expect(await server.list(carol)).toHaveLength(1);
    });

    test('accepts a payment for the other message only', async () => {
      expect(await server.send(alice, batch(), await testBed.verifier.payment([SERVER, 10], [carol, 9]))).toBeDefined();
      expect(await server.list(carol)).toHaveLength(1);
    });

    test('succeeds again after the stored message was acknowledged', async () => {
      const payment = await paid();
      await server.send(alice, batch(), payment);
      await server.store.acknowledgeMessages(bob, ['same']);
      expect(await server.send(alice, batch(), payment)).toMatchObject({ status: 'success' });
      expect(await server.list(bob)).toEqual([]);
    });
  });

  describe('an interruption', () => {
    test.each(['verified', 'recorded', 'received', 'stored'])(
      'after "%s" is completed by the same request',
      async (step) => {
        const [message, payment] = [toBob(), await payForBob()];
        interrupt(step);
        await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
        goOn();
        expect(await testBed.open().send(alice, message, payment)).toMatchObject({ status: 'success' });
        expect([...testBed.receiver.received]).toHaveLength(1);
        expect(await server.list(bob)).toHaveLength(1);
        expect(await server.readState(payment)).toBe('done');
      },
    );

    test('is completed without notifying devices when the message is silent', async () => {
      const [message, payment] = [{ ...toBob(), urgent: false }, await payForBob()];
      interrupt('recorded');
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      goOn();
      const pushes = await server.countPushes();
      expect(await server.runRecovery()).toBe(1);
      expect(await server.list(bob)).toHaveLength(1);
      const [another, more] = [{ ...toBob(), urgent: false }, await payForBob()];
      await server.send(alice, another, more);
      expect(await server.list(bob)).toHaveLength(2);
      expect(await server.countPushes()).toBe(pushes);
    });

    test.each(['recorded', 'received'])(
      'after "%s" is completed without the client, and devices are notified',
      async (step) => {
        const [message, payment] = [toBob(), await payForBob()];
        interrupt(step);
        await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
        goOn();
        const pushes = await server.countPushes();
        expect(await server.list(bob)).toEqual([]);
        expect(await server.runRecovery()).toBe(1);
        expect([...testBed.receiver.received]).toHaveLength(1);
        expect(testBed.published).toEqual([]);
        expect(await server.countPushes()).toBe(pushes + 1);
        const [stored] = await server.list(bob);
        expect(JSON.parse(stored?.body ?? '')).toMatchObject({
          message: 'hello',
          payment: { outputs: [{ outputIndex: 1 }] },
        });
        expect(stored?.sender).toBe(alice);
        expect(await server.runRecovery()).toBe(0);
        expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
        expect(await server.list(bob)).toHaveLength(1);
      },
    );

    test('is completed as recorded, although fees, outputs and body have changed', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      interrupt('recorded');
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      goOn();
      testBed.fees.set(bob, 7_000);
      testBed.deliveryFee = 10_000;
      testBed.verifier.failure = new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
      const changed = { ...payment, outputs: [] };
      expect(await server.send(alice, { ...message, body: 'other' }, changed)).toMatchObject({ status: 'success' });
      expect([...testBed.receiver.received]).toHaveLength(1);
      const [stored] = await server.list(bob);
      expect(JSON.parse(stored?.body ?? '')).toMatchObject({
        message: 'hello',
        payment: { outputs: [{ outputIndex: 1 }] },
      });
    });

    test('is left alone by the recovery while it is young', async () => {
      interrupt('received');
      await expect(server.send(alice, toBob(), await payForBob())).rejects.toThrow('interrupted');
      goOn();
      expect(await server.runRecovery(60_000)).toBe(0);
      expect(await server.list(bob)).toEqual([]);
      expect(await server.runRecovery()).toBe(1);
    });

    test('is completed once by several concurrent recoveries', async () => {
      interrupt('recorded');
      const payments = await Promise.all(Array.from({ length: 6 }, payForBob));
      for (const payment of payments) await expect(server.send(alice, toBob(), payment)).rejects.toThrow('interrupted');
      goOn();
      const other = database().config.client === 'mysql2' ? testBed.open() : server;
      const finished = await Promise.all([server.runRecovery(), other.runRecovery(), server.runRecovery()]);
      expect(finished.reduce((sum, count) => sum + count, 0)).toBe(6);
      expect(await server.list(bob)).toHaveLength(6);
      expect(testBed.published).toEqual([]);
    });

    test('that fails again does not delay other payments', async () => {
      interrupt('recorded');
      for (let i = 0; i < 25; i += 1) {
        await expect(server.send(alice, toBob(), await payForBob())).rejects.toThrow('interrupted');
      }
      const last = await payForBob();
      await expect(server.send(alice, toBob(), last)).rejects.toThrow('interrupted');
      goOn();
      testBed.receiver.beforeReceive = async () => {
        if (testBed.receiver.calls.at(-1) !== Buffer.from(last.tx.slice(0, 32)).toString('hex'))
          throw new Error('away');
      };
      for (let look = 0; look < 2 && (await server.readState(last)) !== 'done'; look += 1) await server.runRecovery();
      expect(await server.readState(last)).toBe('done');
      testBed.receiver.beforeReceive = async () => undefined;
      await waitUntil('all are finished', async () => {
        await server.runRecovery();
        return (await server.list(bob)).length === 26;
      });
    });

    test('of the storing is completed by the retry', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      const storing = jest
        .spyOn(server.store, 'storeMessages')
        .mockRejectedValueOnce(new StoreUnavailableError('away'));
      expect(await server.sendRefused(alice, message, payment)).toBe('StoreUnavailableError');
      expect(await server.list(bob)).toEqual([]);
      expect(await server.readState(payment)).toBe('taking');
      expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(storing).toHaveBeenCalledTimes(2);
      expect([...testBed.receiver.received]).toHaveLength(1);
      expect(await server.list(bob)).toHaveLength(1);
    });
  });

  test('after a lost lock, one of two instances stores and the other finds that the payment is done', async () => {
    const [message, payment] = [toBob(), await payForBob()];
    const [one, other] = [testBed.open({ locks: false }), testBed.open({ locks: false })];
    let arrived = 0;
    let bothAreThere: () => void = () => undefined;
    const both = new Promise<void>((resolve) => {
      bothAreThere = resolve;
    });
    let firstIsGone: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      firstIsGone = resolve;
    });
    testBed.receiver.beforeReceive = async () => {
      arrived += 1;
      const isFirst = arrived === 1;
      if (arrived === 2) bothAreThere();
      await both;
      if (!isFirst) await first;
    };
    const sends = [one, other].map((server) => server.send(alice, message, payment));
    await Promise.race(sends);
    expect(await server.list(bob)).toHaveLength(1);
    await server.store.acknowledgeMessages(bob, [message.messageId]);
    firstIsGone();
    for (const answer of await Promise.all(sends)) expect(answer).toMatchObject({ status: 'success' });
    expect(await server.list(bob)).toEqual([]);
    expect(testBed.published).toEqual([]);
    expect(await server.readState(payment)).toBe('done');
  });

  test('after a lost lock, both instances refuse what the network refused to one', async () => {
    const [message, payment] = [toBob(), await payForBob()];
    const [one, other] = [testBed.open({ locks: false }), testBed.open({ locks: false })];
    testBed.receiver.beforeReceive = async () => {
      testBed.receiver.beforeReceive = async () => undefined;
      testBed.receiver.refusal = 'it is not valid';
      expect(await other.sendRefused(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
      testBed.receiver.refusal = undefined;
    };
    expect(await one.sendRefused(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
    expect(await server.list(bob)).toEqual([]);
    expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
    expect(await server.list(bob)).toHaveLength(1);
  });

  test('a payment whose lock cannot be acquired is refused as retriable, and is not recorded', async () => {
    const [message, payment] = [toBob(), await payForBob()];
    jest.spyOn(NamedLock.prototype, 'withLock').mockRejectedValueOnce(new LockUnavailableError('busy'));
    expect(await server.sendRefused(alice, message, payment)).toBe('StoreUnavailableError');
    expect(await server.readState(payment)).toBeUndefined();
    expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
  });

  test('at most four deliveries are expanded at the same time', async () => {
    const sends = await Promise.all(Array.from({ length: 12 }, async () => [toBob(), await payForBob()] as const));
    let [at, most] = [0, 0];
    const { storeMessages } = server.store;
    jest.spyOn(server.store, 'storeMessages').mockImplementation(async (...args) => {
      at += 1;
      most = Math.max(most, at);
      try {
        return await storeMessages.apply(server.store, args);
      } finally {
        at -= 1;
      }
    });
    await Promise.all(sends.map(([message, payment]) => server.send(alice, message, payment)));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    expect(await server.list(bob)).toHaveLength(12);
  });

  describe('the network', () => {
    test('refuses: nothing is stored, and each retry of the sender asks again', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      testBed.receiver.refusal = 'it spends what is spent already';
      for (let time = 1; time <= 2; time += 1) {
        expect(await server.sendRefused(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
        expect(await server.readState(payment)).toBe('refused');
        expect(testBed.receiver.calls).toHaveLength(time);
      }
      expect(await server.sendRefused(mallory, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
      expect(await server.runRecovery()).toBe(0);
      expect(testBed.receiver.calls).toHaveLength(2);
      expect(await server.list(bob)).toEqual([]);
      expect(testBed.published).toEqual([]);
      testBed.receiver.refusal = undefined;
      expect(await server.send(alice, toBob(), await payForBob())).toMatchObject({ status: 'success' });
    });

    test('refuses: another sender cannot reopen the payment', async () => {
      const payment = await payForBob();
      testBed.receiver.refusal = 'it is not valid';
      expect(await server.sendRefused(alice, toBob(), payment)).toBe('ERR_INVALID_PAYMENT');
      const txid = Buffer.from(payment.tx.slice(0, 32)).toString('hex');
      const delivery = { messageBox: 'inbox', body: 'hello', messages: [] };
      const open = { txid, messageKeys: [], beef: new Uint8Array(), serverOutput: undefined, delivery };
      expect(await server.records.reopen({ ...open, sender: mallory }, new Date())).toBe(false);
      expect(await server.readState(payment)).toBe('refused');
      testBed.receiver.refusal = undefined;
    });

    test('refuses and has it later: the retry completes the payment', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      testBed.receiver.refusal = 'it is not valid';
      expect(await server.sendRefused(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
      testBed.receiver.refusal = undefined;
      expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(await server.readState(payment)).toBe('done');
      expect(await server.list(bob)).toHaveLength(1);
      expect(testBed.published).toEqual([]);
    });

    test('has not accepted it for a day: the payment is given up, and its sender may retry', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      const away = async () => {
        throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
      };
      testBed.receiver.beforeReceive = away;
      expect(await server.sendRefused(alice, message, payment)).toBe('ERR_CHAIN_UNAVAILABLE');
      expect(await server.runRecovery()).toBe(0);
      expect(await server.readState(payment)).toBe('taking');
      await server.setAge(payment, 86_401_000);
      expect(await server.runRecovery()).toBe(0);
      expect(await server.readState(payment)).toBe('refused');
      // The age of the first attempt does not count for the next one.
      expect(await server.sendRefused(alice, message, payment)).toBe('ERR_CHAIN_UNAVAILABLE');
      await server.runRecovery();
      expect(await server.readState(payment)).toBe('taking');
      testBed.receiver.beforeReceive = async () => undefined;
      expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(await server.list(bob)).toHaveLength(1);
    });

    test('does not accept it: the recovery retries less and less often', async () => {
      const payment = await payForBob();
      testBed.receiver.beforeReceive = async () => {
        throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
      };
      expect(await server.sendRefused(alice, toBob(), payment)).toBe('ERR_CHAIN_UNAVAILABLE');
      const looksAfter = async (ageMs: number, untouchedMs: number) => {
        await server.setAge(payment, ageMs, untouchedMs);
        const before = testBed.receiver.calls.length;
        await server.runRecovery(60_000);
        return testBed.receiver.calls.length - before;
      };
      expect(await looksAfter(61_000, 61_000)).toBe(1);
      expect(await looksAfter(3_600_000, 61_000)).toBe(0);
      expect(await looksAfter(3_600_000, 1_700_000)).toBe(0);
      expect(await looksAfter(3_600_000, 1_900_000)).toBe(1);
      expect(await server.paymentService.countPending()).toBe(1);
      testBed.receiver.beforeReceive = async () => undefined;
      expect(await server.runRecovery()).toBe(1);
      expect(await server.paymentService.countPending()).toBe(0);
    });

    test('or the wallet fails: a retry succeeds, and so does the recovery', async () => {
      testBed.receiver.beforeReceive = async () => {
        throw new RuleError('ERR_INTERNALIZE_FAILED', 'Not now.', 500);
      };
      const sends = await Promise.all([0, 1].map(async () => [toBob(), await payForBob()] as const));
      for (const [message, payment] of sends) {
        expect(await server.sendRefused(alice, message, payment)).toBe('ERR_INTERNALIZE_FAILED');
        expect(await server.readState(payment)).toBe('taking');
      }
      expect(await server.list(bob)).toEqual([]);
      testBed.receiver.beforeReceive = async () => undefined;
      await server.send(alice, ...(sends[0] as (typeof sends)[0]));
      expect(await server.list(bob)).toHaveLength(1);
      expect(await server.runRecovery()).toBe(1);
      expect(await server.list(bob)).toHaveLength(2);
    });

    test('cannot be asked: nothing is recorded', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      testBed.verifier.failure = new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
      expect(await server.sendRefused(alice, message, payment)).toBe('ERR_CHAIN_UNAVAILABLE');
      expect(await server.readState(payment)).toBeUndefined();
      testBed.verifier.failure = undefined;
      await server.send(alice, message, payment);
      expect(await server.list(bob)).toHaveLength(1);
    });
  });

  describe('a message id that is taken between the first look and storing', () => {
    const takenBy = (sender: string, messageId: string, messageBox = 'inbox') => {
      testBed.receiver.beforeReceive = async () => {
        testBed.receiver.beforeReceive = async () => undefined;
        await server.store.storeMessages([{ recipient: bob, messageBox, messageId, sender, body: 'first' }]);
      };
    };

    test('is refused, and its sender alone can use the payment for another id', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      takenBy(mallory, message.messageId);
      expect(await server.sendRefused(alice, message, payment)).toBe('ERR_DUPLICATE_MESSAGE');
      expect(await server.list(bob)).toEqual([]);
      expect(await server.sendRefused(alice, message, payment)).toBe('ERR_DUPLICATE_MESSAGE');
      expect(await server.sendRefused(mallory, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
      // The payment must cover what is due for the other message.
      testBed.fees.set(bob, 8);
      expect(await server.sendRefused(alice, toBob(), payment)).toBe('ERR_INSUFFICIENT_PAYMENT');
      testBed.fees.set(bob, 7);
      const other = toBob();
      expect(await server.send(alice, other, payment)).toMatchObject({ messageId: other.messageId });
      expect((await server.list(bob)).map(({ messageId }) => messageId)).toEqual([other.messageId]);
      expect([...testBed.receiver.received]).toHaveLength(1);
      expect(await server.readState(payment)).toBe('done');
      expect(await server.sendRefused(alice, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
    });

    test('and becomes free again lets the same request succeed', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      takenBy(mallory, message.messageId);
      expect(await server.sendRefused(alice, message, payment)).toBe('ERR_DUPLICATE_MESSAGE');
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      await server.send(alice, message, payment);
      expect(await server.list(bob)).toMatchObject([{ sender: alice, messageId: message.messageId }]);
      expect(await server.readState(payment)).toBe('done');
    });

    test('and is found by the recovery ends the payment, which can pay for another id', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      interrupt('received');
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      goOn();
      takenBy(mallory, message.messageId);
      expect(await server.runRecovery()).toBe(0);
      expect(await server.readState(payment)).toBe('unused');
      expect(await server.runRecovery()).toBe(0);
      await server.send(alice, toBob(), payment);
      expect(await server.list(bob)).toHaveLength(1);
    });

    test('and was not found because of an interruption lets the payment pay for another id', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      interrupt('received');
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      goOn();
      await server.store.storeMessages([
        { recipient: bob, messageBox: 'inbox', messageId: message.messageId, sender: mallory, body: 'first' },
      ]);
      const other = toBob();
      await server.send(alice, other, payment);
      expect(await server.list(bob)).toMatchObject([{ messageId: other.messageId }]);
    });

    test('by the same message with another payment leaves one message and a reusable payment', async () => {
      const [message, first, second] = [toBob(), await payForBob(), await payForBob()];
      testBed.receiver.beforeReceive = async () => {
        testBed.receiver.beforeReceive = async () => undefined;
        await server.send(alice, message, second);
      };
      await server.send(alice, message, first);
      expect(await server.list(bob)).toHaveLength(1);
      expect([await server.readState(first), await server.readState(second)]).toEqual(['spare', 'done']);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      await server.send(alice, message, first);
      expect(await server.list(bob)).toEqual([]);
      const other = toBob();
      await server.send(alice, other, first);
      expect(await server.list(bob)).toMatchObject([{ messageId: other.messageId }]);
      expect(await server.sendRefused(alice, toBob(), first)).toBe('ERR_PAYMENT_REUSED');
    });
  });

  test('a transaction that pays nobody is not used up by a stranger', async () => {
    testBed.deliveryFee = 0;
    const payment = await testBed.verifier.payment([bob, 7]);
    await server.send(mallory, { recipient: carol, messageId: 'free' }, { tx: payment.tx, outputs: [] });
    expect((await server.list(carol)).map(({ body }) => body)).toEqual(['hello']);
    expect(await server.readState(payment)).toBeUndefined();
    await server.send(alice, toBob(), payment);
    expect(await server.list(bob)).toHaveLength(1);
  });

  test('without a wallet, payments to recipients are accepted and payments to the server refused', async () => {
    testBed.receiver.hasWallet = false;
    const payment = await payForBob();
    expect(await server.sendRefused(alice, toBob(), payment)).toBe('ERR_PAYMENT_NOT_SUPPORTED');
    expect(await server.readState(payment)).toBeUndefined();
    testBed.deliveryFee = 0;
    expect(await server.sendRefused(alice, toBob(), payment)).toBe('ERR_PAYMENT_NOT_SUPPORTED');
    expect(testBed.receiver.calls).toEqual([]);
    await server.send(alice, toBob(), await testBed.verifier.payment([bob, 7]));
    expect(await server.list(bob)).toHaveLength(1);
  });

  test('a payment that is too large to be stored is refused before it is received', async () => {
    testBed.fees.clear();
    testBed.deliveryFee = 0;
    const recipients = Array.from({ length: 400 }, createIdentityKey);
    const payment = await testBed.verifier.payment(...recipients.map((one) => [one, 1] as const));
    const message = { recipients, messageId: recipients.map((_, i) => `large-${i}`), body: 'x'.repeat(100_000) };
    expect(await server.sendRefused(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
    expect(await server.readState(payment)).toBeUndefined();
    expect(testBed.receiver.calls).toEqual([]);
    await server.send(alice, { ...message, body: 'short' }, payment);
    expect(await server.list(recipients[399] as string)).toHaveLength(1);
  });

  test('more concurrent payments than the pool has connections are received', async () => {
    const narrow = testBed.open({ poolSize: 2 });
    const sends = await Promise.all(Array.from({ length: 20 }, async () => [toBob(), await payForBob()] as const));
    let waiting = 0;
    let release: (value?: unknown) => void = () => undefined;
    const allWait = new Promise((resolve) => {
      release = resolve;
    });
    testBed.receiver.beforeReceive = async () => {
      waiting += 1;
      if (waiting === sends.length) release();
      await allWait;
    };
    await Promise.all(sends.map(([message, payment]) => narrow.send(alice, message, payment)));
    expect(await server.list(bob)).toHaveLength(20);
  });

  test('a closed database is reported as StoreUnavailableError', async () => {
    const closed = testBed.open();
    const [message, payment] = [toBob(), await payForBob()];
    const due = {
      sender: alice,
      payment,
      deliveryFee: 10,
      body: 'hello',
      messages: [
        { message: { ...message, messageBox: 'inbox', sender: alice, body: 'hello' }, fee: 7, isStored: false },
      ],
    };
    await closed.store.close();
    await expect(closed.paymentService.deliver(due, async () => undefined)).rejects.toThrow(StoreUnavailableError);
    await expect(closed.runRecovery(0)).rejects.toThrow(StoreUnavailableError);
    expect(testBed.receiver.calls).toEqual([]);
  });
}
