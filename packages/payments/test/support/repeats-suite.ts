import { RuleError } from '@messagebox/shared';
import { until, within } from '../../../../tests/acceptance/history.ts';
import { signal } from '../../../../tests/jobs/jobs-suite.ts';
import { type DeskDatabase, DeskWorld, deskDatabase, newKey, SERVER, type Server } from './desk-world.js';

/** What a payment desk promises to those who ask again, meanwhile or much later, on whichever database. */
export function repeatsSuite(createDatabase: () => Promise<DeskDatabase>): void {
  const database = deskDatabase(createDatabase);
  let world: DeskWorld;
  let server: Server;
  let [alice, bob, mallory] = ['', '', ''];
  let ids = 0;

  beforeEach(() => {
    world = new DeskWorld(database().config);
    server = world.open();
    [alice, bob, mallory] = [newKey(), newKey(), newKey()];
    world.fees.set(bob, 7);
  });
  afterEach(() => world.close());

  const toBob = () => ({ recipient: bob, messageId: `repeat-${++ids}` });
  const payForBob = () => world.mint.payment([SERVER, 10], [bob, 7]);

  describe('blocked by now', () => {
    test('after it was done and acknowledged: the same request is a success', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      world.fees.set(bob, -1);
      expect(await server.refusal(alice, message, payment)).toBe('nothing');
      expect(await server.list(bob)).toEqual([]);
    });

    test('after it was taken: nobody is told that nothing was sent, for it will be', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      world.onStep = (step) => {
        if (step === 'received') throw new Error('interrupted');
      };
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      world.onStep = () => undefined;
      world.fees.set(bob, -1);
      expect(await server.refusal(alice, message, payment)).toBe('nothing');
      expect(await server.list(bob)).toHaveLength(1);
    });

    test.each(['anew', 'with what the network refused', 'with what was taken for another message'])(
      'nothing is taken %s',
      async (how) => {
        const [message, payment] = [toBob(), await payForBob()];
        if (how.includes('refused')) {
          world.till.refusal = 'it is not valid';
          expect(await server.refusal(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
          world.till.refusal = undefined;
        } else if (how.includes('another')) {
          await server.send(alice, toBob(), payment);
        }
        const [stored, asked] = [await server.list(bob), world.till.asked.length];
        world.fees.set(bob, -1);
        expect(await server.refusal(alice, message, payment)).toBe('ERR_DELIVERY_BLOCKED');
        expect(await server.list(bob)).toEqual(stored);
        expect(world.till.asked).toHaveLength(asked);
      },
    );

    test("what somebody else's payment was taken for does not count", async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      world.fees.set(bob, -1);
      expect(await server.refusal(mallory, message, payment)).toBe('ERR_DELIVERY_BLOCKED');
      expect(await server.list(bob)).toEqual([]);
    });
  });

  test.each([0, 7])(
    'two messages to one recipient, of which the first is there already: the second brings what was paid (fee %p)',
    async (fee) => {
      const [first, second] = [toBob().messageId, toBob().messageId];
      await server.send(alice, { recipient: bob, messageId: first }, await payForBob());
      world.fees.set(bob, fee);
      const payment = await world.mint.payment([SERVER, 10], [bob, 7], [bob, 7]);
      await server.send(alice, { recipients: [bob, bob], messageId: [first, second] }, payment);
      const stored = (await server.list(bob)).find(({ messageId }) => messageId === second);
      expect(JSON.parse(stored?.body ?? '')).toMatchObject({ payment: { outputs: payment.outputs.slice(1) } });
    },
  );

  test('a lock was lost, and the payment went on to another message: only what is stored is said to be', async () => {
    const [one, other] = [world.open({ locks: false }), world.open({ locks: false })];
    const [payment, first, second] = [await payForBob(), toBob(), toBob()];
    const [slowIsThere, slowGoesOn, secondIsThere, secondGoesOn] = [signal(), signal(), signal(), signal()];
    // One is at the network for the first message, and slow.
    world.till.before = () => {
      slowIsThere.resolve();
      return slowGoesOn.promise;
    };
    const slow = one.refusal(alice, first, payment);
    await slowIsThere.promise;
    // Its lock is lost; the client's retry gets to the other, where the id turns out to be taken.
    world.till.before = () =>
      server.store.storeMessages([
        { recipient: bob, messageBox: 'inbox', messageId: first.messageId, sender: mallory, body: 'x' },
      ]);
    expect(await other.refusal(alice, first, payment)).toBe('ERR_DUPLICATE_MESSAGE');
    await server.store.acknowledgeMessages(bob, [first.messageId]);
    // So the client sends the same payment along with another message, as it was told to.
    world.till.before = () => {
      secondIsThere.resolve();
      return secondGoesOn.promise;
    };
    const retried = other.refusal(alice, second, payment);
    await secondIsThere.promise;
    slowGoesOn.resolve();
    expect(await slow).toBe('StoreUnavailableError');
    secondGoesOn.resolve();
    expect(await retried).toBe('nothing');
    expect((await server.list(bob)).map(({ messageId }) => messageId)).toEqual([second.messageId]);
    expect(await server.refusal(alice, first, payment)).toBe('ERR_PAYMENT_REUSED');
  });

  test('somebody else asks with the same transaction while it is under way: refused without waiting', async () => {
    const payment = await payForBob();
    const [isThere, goesOn] = [signal(), signal()];
    world.till.before = () => {
      isThere.resolve();
      return goesOn.promise;
    };
    const sending = server.send(alice, toBob(), payment);
    await isThere.promise;
    expect(await within(20_000, 'an answer', server.refusal(mallory, toBob(), payment))).toBe('ERR_PAYMENT_REUSED');
    goesOn.resolve();
    expect(await sending).toMatchObject({ status: 'success' });
  });

  test('a hundred repeats while the network does not answer: few are kept waiting, and the others told so', async () => {
    const [message, payment] = [toBob(), await payForBob()];
    const away = async () => {
      throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
    };
    world.till.before = away;
    expect(await server.refusal(alice, message, payment)).toBe('ERR_CHAIN_UNAVAILABLE');
    const goesOn = signal();
    world.till.before = () => goesOn.promise.then(away);
    const said: string[] = [];
    const repeats = Array.from({ length: 100 }, async () => {
      said.push(await server.refusal(alice, message, payment));
    });
    await until('all but 16 have their answer', () => said.length === 84);
    goesOn.resolve();
    await Promise.all(repeats);
    expect(new Set(said)).toEqual(new Set(['ERR_CHAIN_UNAVAILABLE']));
    expect(world.till.asked).toHaveLength(17);
    world.till.before = async () => undefined;
    expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
  });

  test('what has waited for long is looked at within an hour all the same', async () => {
    const [message, payment] = [toBob(), await payForBob()];
    world.till.before = async () => {
      throw new RuleError('ERR_INTERNALIZE_FAILED', 'Not now.', 500);
    };
    expect(await server.refusal(alice, message, payment)).toBe('ERR_INTERNALIZE_FAILED');
    world.till.before = async () => undefined;
    const [tenHours, hour] = [36_000_000, 3_600_000];
    await server.age(payment, tenHours, hour - 60_000);
    expect(await server.finishOpen(60_000)).toBe(0);
    await server.age(payment, tenHours, hour + 1_000);
    expect(await server.finishOpen(60_000)).toBe(1);
    expect(await server.list(bob)).toHaveLength(1);
  });
}
