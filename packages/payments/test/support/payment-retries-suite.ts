import { RuleError } from '@messagebox/messages';
import { waitUntil, withTimeout } from '@messagebox/test-kit';
import { createSignal } from '@messagebox/test-support/signal';
import {
  createIdentityKey,
  type PaymentDatabase,
  PaymentTestBed,
  type PaymentTestServer,
  SERVER,
  usePaymentDatabase,
} from './payment-test-bed.ts';

/** The promises of the payment service for retries, on each database. */
export function paymentRetriesSuite(createDatabase: () => Promise<PaymentDatabase>): void {
  const database = usePaymentDatabase(createDatabase);
  let testBed: PaymentTestBed;
  let server: PaymentTestServer;
  let [alice, bob, mallory] = ['', '', ''];
  let ids = 0;

  beforeEach(() => {
    testBed = new PaymentTestBed(database().config);
    server = testBed.open();
    [alice, bob, mallory] = [createIdentityKey(), createIdentityKey(), createIdentityKey()];
    testBed.fees.set(bob, 7);
  });
  afterEach(() => testBed.close());

  const toBob = () => ({ recipient: bob, messageId: `repeat-${++ids}` });
  const payForBob = () => testBed.verifier.payment([SERVER, 10], [bob, 7]);

  describe('a sender who was blocked in the meantime', () => {
    test('gets success for a payment that was done and acknowledged', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      testBed.fees.set(bob, -1);
      expect(await server.sendRefused(alice, message, payment)).toBe('nothing');
      expect(await server.list(bob)).toEqual([]);
    });

    test('gets success for a payment that was received and not stored yet', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      testBed.onStep = (step) => {
        if (step === 'received') throw new Error('interrupted');
      };
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      testBed.onStep = () => undefined;
      testBed.fees.set(bob, -1);
      expect(await server.sendRefused(alice, message, payment)).toBe('nothing');
      expect(await server.list(bob)).toHaveLength(1);
    });

    test.each(['a new payment', 'a payment that the network refused', 'a payment that was used for another message'])(
      'is refused with %s',
      async (how) => {
        const [message, payment] = [toBob(), await payForBob()];
        if (how.includes('refused')) {
          testBed.receiver.refusal = 'it is not valid';
          expect(await server.sendRefused(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
          testBed.receiver.refusal = undefined;
        } else if (how.includes('another message')) {
          await server.send(alice, toBob(), payment);
        }
        const [stored, asked] = [await server.list(bob), testBed.receiver.calls.length];
        testBed.fees.set(bob, -1);
        expect(await server.sendRefused(alice, message, payment)).toBe('ERR_DELIVERY_BLOCKED');
        expect(await server.list(bob)).toEqual(stored);
        expect(testBed.receiver.calls).toHaveLength(asked);
      },
    );

    test("is refused with somebody else's payment", async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      testBed.fees.set(bob, -1);
      expect(await server.sendRefused(mallory, message, payment)).toBe('ERR_DELIVERY_BLOCKED');
      expect(await server.list(bob)).toEqual([]);
    });
  });

  test.each([0, 7])(
    'of two messages to one recipient, the second brings the payment when the first is stored already (fee %p)',
    async (fee) => {
      const [first, second] = [toBob().messageId, toBob().messageId];
      await server.send(alice, { recipient: bob, messageId: first }, await payForBob());
      testBed.fees.set(bob, fee);
      const payment = await testBed.verifier.payment([SERVER, 10], [bob, 7], [bob, 7]);
      await server.send(alice, { recipients: [bob, bob], messageId: [first, second] }, payment);
      const stored = (await server.list(bob)).find(({ messageId }) => messageId === second);
      expect(JSON.parse(stored?.body ?? '')).toMatchObject({ payment: { outputs: payment.outputs.slice(1) } });
    },
  );

  test('after a lost lock, a payment that went on to another message is a success for the stored message only', async () => {
    const [one, other] = [testBed.open({ locks: false }), testBed.open({ locks: false })];
    const [payment, first, second] = [await payForBob(), toBob(), toBob()];
    const [slowIsThere, slowGoesOn, secondIsThere, secondGoesOn] = [
      createSignal(),
      createSignal(),
      createSignal(),
      createSignal(),
    ];
    // The first instance waits for the network.
    testBed.receiver.beforeReceive = () => {
      slowIsThere.resolve();
      return slowGoesOn.promise;
    };
    const slow = one.sendRefused(alice, first, payment);
    await slowIsThere.promise;
    // Its lock is lost. The client's retry reaches the other instance, where the message id is taken.
    testBed.receiver.beforeReceive = () =>
      server.store.storeMessages([
        { recipient: bob, messageBox: 'inbox', messageId: first.messageId, sender: mallory, body: 'x' },
      ]);
    expect(await other.sendRefused(alice, first, payment)).toBe('ERR_DUPLICATE_MESSAGE');
    await server.store.acknowledgeMessages(bob, [first.messageId]);
    // The client uses the same payment for another message, as the error says.
    testBed.receiver.beforeReceive = () => {
      secondIsThere.resolve();
      return secondGoesOn.promise;
    };
    const retried = other.sendRefused(alice, second, payment);
    await secondIsThere.promise;
    slowGoesOn.resolve();
    expect(await slow).toBe('StoreUnavailableError');
    secondGoesOn.resolve();
    expect(await retried).toBe('nothing');
    expect((await server.list(bob)).map(({ messageId }) => messageId)).toEqual([second.messageId]);
    expect(await server.sendRefused(alice, first, payment)).toBe('ERR_PAYMENT_REUSED');
  });

  test('another sender of the same transaction is refused without waiting', async () => {
    const payment = await payForBob();
    const [isThere, goesOn] = [createSignal(), createSignal()];
    testBed.receiver.beforeReceive = () => {
      isThere.resolve();
      return goesOn.promise;
    };
    const sending = server.send(alice, toBob(), payment);
    await isThere.promise;
    expect(await withTimeout(20_000, 'an answer', server.sendRefused(mallory, toBob(), payment))).toBe(
      'ERR_PAYMENT_REUSED',
    );
    goesOn.resolve();
    expect(await sending).toMatchObject({ status: 'success' });
  });

  test('of a hundred retries while the network does not answer, 16 wait and the others are refused', async () => {
    const [message, payment] = [toBob(), await payForBob()];
    const away = async () => {
      throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
    };
    testBed.receiver.beforeReceive = away;
    expect(await server.sendRefused(alice, message, payment)).toBe('ERR_CHAIN_UNAVAILABLE');
    const goesOn = createSignal();
    testBed.receiver.beforeReceive = () => goesOn.promise.then(away);
    const said: string[] = [];
    const repeats = Array.from({ length: 100 }, async () => {
      said.push(await server.sendRefused(alice, message, payment));
    });
    await waitUntil('all but 16 have their answer', () => said.length === 84);
    goesOn.resolve();
    await Promise.all(repeats);
    expect(new Set(said)).toEqual(new Set(['ERR_CHAIN_UNAVAILABLE']));
    expect(testBed.receiver.calls).toHaveLength(17);
    testBed.receiver.beforeReceive = async () => undefined;
    expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
  });

  test('an old payment is retried within an hour', async () => {
    const [message, payment] = [toBob(), await payForBob()];
    testBed.receiver.beforeReceive = async () => {
      throw new RuleError('ERR_INTERNALIZE_FAILED', 'Not now.', 500);
    };
    expect(await server.sendRefused(alice, message, payment)).toBe('ERR_INTERNALIZE_FAILED');
    testBed.receiver.beforeReceive = async () => undefined;
    const [tenHours, hour] = [36_000_000, 3_600_000];
    await server.setAge(payment, tenHours, hour - 60_000);
    expect(await server.runRecovery(60_000)).toBe(0);
    await server.setAge(payment, tenHours, hour + 1_000);
    expect(await server.runRecovery(60_000)).toBe(1);
    expect(await server.list(bob)).toHaveLength(1);
  });
}
