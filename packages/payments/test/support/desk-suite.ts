import { RuleError, StoreUnavailableError, storedWithPayment } from '@messagebox/shared';
import { until } from '../../../../tests/acceptance/history.ts';
import { type DeskDatabase, DeskWorld, deskDatabase, newKey, SERVER, type Server } from './desk-world.js';

/** What a payment desk promises, on whichever database. */
export function deskSuite(createDatabase: () => Promise<DeskDatabase>): void {
  const database = deskDatabase(createDatabase);
  let world: DeskWorld;
  let server: Server;
  let [alice, bob, carol, mallory] = ['', '', '', ''];
  let ids = 0;

  beforeEach(() => {
    world = new DeskWorld(database().config);
    server = world.open();
    [alice, bob, carol, mallory] = [newKey(), newKey(), newKey(), newKey()];
    world.fees.set(bob, 7);
  });
  afterEach(() => world.close());

  const toBob = (change: object = {}) => ({ recipient: bob, messageId: `id-${++ids}`, ...change });
  const payForBob = () => world.mint.payment([SERVER, 10], [bob, 7]);
  const interrupt = (at: string) => {
    world.onStep = (step) => {
      if (step === at) throw new Error(`interrupted at ${at}`);
    };
  };
  const goOn = () => {
    world.onStep = () => undefined;
  };

  test('verified, written down, received, stored: in this order', async () => {
    const payment = await payForBob();
    const seen: unknown[] = [];
    const looks: Promise<unknown>[] = [];
    world.onStep = (step) => {
      const look = async () => ({
        step,
        state: await server.state(payment),
        received: world.till.received.size,
        stored: (await server.list(bob)).length,
      });
      seen.push(step);
      // SQLite answers in the order of asking; elsewhere steps may be faster than a look at them.
      if (database().config.client === 'better-sqlite3') looks.push(look());
    };
    await server.send(alice, toBob(), payment);
    expect(seen).toEqual(['verified', 'recorded', 'received', 'stored']);
    expect(await server.state(payment)).toBe('done');
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

  test('each recipient finds the transaction and its own outputs; who is not paid finds the body', async () => {
    world.fees.set(carol, 9);
    const dave = newKey();
    const payment = await world.mint.payment([SERVER, 10], [bob, 7], [carol, 9]);
    const labelled = { ...payment, labels: ['one'] };
    const pushes = await server.pushes();
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
    expect(await bodies(bob)).toEqual([storedWithPayment('hello', JSON.stringify(part(second)))]);
    expect(await bodies(dave)).toEqual(['hello']);
    // Who acknowledges what was pushed would lose the payment: only the message without one is pushed.
    expect(world.published).toEqual([`${dave} b hello`]);
    expect(await server.pushes()).toBe(pushes + 3);
  });

  describe('where there is no room for what is paid for', () => {
    const boundedBy = (quota: Partial<DeskWorld['quota']>) => {
      world.quota = { ...world.quota, ...quota };
      return world.open();
    };
    const quotaOf = async (sent: Promise<unknown>) => {
      const error = await sent.catch((thrown: unknown) => thrown);
      return error instanceof RuleError ? { code: error.code, status: error.status, ...error.details } : error;
    };
    const untouched = async (payment: { tx: readonly number[] }) => {
      expect(await server.state(payment)).toBeUndefined();
      expect(world.till.asked).toEqual([]);
    };

    test('the send is refused before its payment is verified, and the payment can be used later', async () => {
      const bounded = boundedBy({ messages: 1 });
      const first = toBob();
      await server.store.storeMessages([{ ...first, messageBox: 'inbox', sender: carol, body: 'hello' }]);
      const [message, payment] = [toBob(), await payForBob()];
      world.mint.failure = new Error('it was verified');
      const refused = { code: 'ERR_INBOX_QUOTA_EXCEEDED', status: 429, resource: 'messages', limit: 1, recipient: bob };
      expect(await quotaOf(bounded.send(alice, message, payment))).toEqual(refused);
      expect(await quotaOf(bounded.send(alice, message))).toEqual(refused);
      await untouched(payment);
      world.mint.failure = undefined;
      await server.store.acknowledgeMessages(bob, [first.messageId]);
      bounded.parts.quotas?.freed(bob);
      await bounded.send(alice, message, payment);
      expect(await server.state(payment)).toBe('done');
    });

    test('nor is a payment taken that makes the message larger than there is room for', async () => {
      const bounded = boundedBy({ bytes: 200 });
      const payment = await payForBob();
      const refused = { code: 'ERR_INBOX_QUOTA_EXCEEDED', resource: 'bytes', limit: 200, recipient: bob };
      expect(await quotaOf(bounded.send(alice, toBob(), payment))).toMatchObject(refused);
      await untouched(payment);
      expect(await server.list(bob)).toEqual([]);
    });

    test('what is admitted is what is stored, to the byte', async () => {
      const admitted: number[][] = [];
      const { quotas } = server.parts;
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

    test('what was taken before is finished all the same, and its sender hears so', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      interrupt('received');
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      goOn();
      await server.store.storeMessages([{ ...toBob(), messageBox: 'inbox', sender: carol, body: 'hello' }]);
      const bounded = boundedBy({ messages: 1 });
      expect(await bounded.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(await server.list(bob)).toHaveLength(1);
      // Stored by now: a repeat needs no room.
      expect(await bounded.send(alice, message, payment)).toMatchObject({ status: 'success' });
    });
  });

  describe('again', () => {
    test('the same request: the same answer, taken and stored and told once', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      const pushes = await server.pushes();
      const answer = await server.send(alice, message, payment);
      for (const one of [server, world.open()]) expect(await one.send(alice, message, payment)).toEqual(answer);
      expect(world.till.asked).toHaveLength(1);
      expect(await server.list(bob)).toHaveLength(1);
      expect(world.published).toEqual([]);
      expect(await server.pushes()).toBe(pushes + 1);
    });

    test('after the recipient has acknowledged: nothing is stored again', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(await server.list(bob)).toEqual([]);
      expect(world.till.asked).toHaveLength(1);
    });

    test('many at once, through two desks on one database: taken and stored once, and all succeed', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      const desks = [server, database().config.client === 'mysql2' ? world.open() : server];
      const sends = Array.from({ length: 12 }, (_, i) => desks[i % 2]?.send(alice, message, payment));
      for (const answer of await Promise.all(sends)) expect(answer).toMatchObject({ status: 'success' });
      expect(new Set(world.till.asked).size).toBe(1);
      expect(world.till.asked).toHaveLength(1);
      expect(await server.list(bob)).toHaveLength(1);
      expect(world.published).toEqual([]);
    });

    test('some of its messages: those are there already', async () => {
      world.fees.set(carol, 9);
      const payment = await world.mint.payment([SERVER, 10], [bob, 7], [carol, 9]);
      await server.send(alice, { recipients: [bob, carol], messageId: ['x1', 'x2'] }, payment);
      await server.store.acknowledgeMessages(carol, ['x2']);
      expect(await server.send(alice, { recipient: carol, messageId: 'x2' }, payment)).toMatchObject({
        status: 'success',
      });
      expect(await server.list(carol)).toEqual([]);
      expect(world.till.asked).toHaveLength(1);
    });

    test('into another box: refused, and nothing is stored', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      expect(await server.refusal(alice, { ...message, messageBox: 'other' }, payment)).toBe('ERR_PAYMENT_REUSED');
      expect(await server.list(bob, 'other')).toEqual([]);
    });

    test('with another message, or from somebody else: refused for ever', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      await server.send(alice, message, payment);
      for (let time = 0; time < 2; time += 1) {
        expect(await server.refusal(alice, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
        expect(await server.refusal(mallory, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
        expect(
          await server.refusal(alice, { recipients: [bob, carol], messageId: [message.messageId, 'z'] }, payment),
        ).toBe('ERR_PAYMENT_REUSED');
      }
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      expect(await server.refusal(mallory, message, payment)).toBe('ERR_PAYMENT_REUSED');
      expect(await server.list(bob)).toEqual([]);
      expect(await server.list(carol)).toEqual([]);
      expect(world.till.asked).toHaveLength(1);
    });
  });

  describe('a batch of which one message is there already', () => {
    const batch = () => ({ recipients: [bob, carol], messageId: ['same', 'same'] });
    const paid = () => world.mint.payment([SERVER, 10], [bob, 7], [carol, 9]);
    beforeEach(async () => {
      world.fees.set(carol, 9);
      await server.send(alice, { recipient: bob, messageId: 'same' }, await payForBob());
    });

    test.each([true, false])('the sender, who did not know, has paid for both (by name: %p)', async (named) => {
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
      expect(world.till.received.size).toBe(2);
    });

    test('acknowledged at this very moment: it does not come back', async () => {
      const payment = await paid();
      world.till.before = () => server.store.acknowledgeMessages(bob, ['same']);
      await server.send(alice, batch(), payment);
      expect(await server.list(bob)).toEqual([]);
      expect(await server.list(carol)).toHaveLength(1);
    });

    test('it need not be paid for again', async () => {
      expect(await server.send(alice, batch(), await world.mint.payment([SERVER, 10], [carol, 9]))).toBeDefined();
      expect(await server.list(carol)).toHaveLength(1);
    });

    test('acknowledged in between: the same request again is a success', async () => {
      const payment = await paid();
      await server.send(alice, batch(), payment);
      await server.store.acknowledgeMessages(bob, ['same']);
      expect(await server.send(alice, batch(), payment)).toMatchObject({ status: 'success' });
      expect(await server.list(bob)).toEqual([]);
    });
  });

  describe('an interruption', () => {
    test.each(['verified', 'recorded', 'received', 'stored'])(
      'at "%s": the same request completes it',
      async (step) => {
        const [message, payment] = [toBob(), await payForBob()];
        interrupt(step);
        await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
        goOn();
        expect(await world.open().send(alice, message, payment)).toMatchObject({ status: 'success' });
        expect([...world.till.received]).toHaveLength(1);
        expect(await server.list(bob)).toHaveLength(1);
        expect(await server.state(payment)).toBe('done');
      },
    );

    test.each(['recorded', 'received'])('at "%s": it is completed without the client, and told', async (step) => {
      const [message, payment] = [toBob(), await payForBob()];
      interrupt(step);
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      goOn();
      const pushes = await server.pushes();
      expect(await server.list(bob)).toEqual([]);
      expect(await server.finishOpen()).toBe(1);
      expect([...world.till.received]).toHaveLength(1);
      expect(world.published).toEqual([]);
      expect(await server.pushes()).toBe(pushes + 1);
      const [stored] = await server.list(bob);
      expect(JSON.parse(stored?.body ?? '')).toMatchObject({
        message: 'hello',
        payment: { outputs: [{ outputIndex: 1 }] },
      });
      expect(stored?.sender).toBe(alice);
      expect(await server.finishOpen()).toBe(0);
      expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(await server.list(bob)).toHaveLength(1);
    });

    test('what was written down is finished, whatever is charged by now, described otherwise or said anew', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      interrupt('recorded');
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      goOn();
      world.fees.set(bob, 7_000);
      world.deliveryFee = 10_000;
      world.mint.failure = new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
      const changed = { ...payment, outputs: [] };
      expect(await server.send(alice, { ...message, body: 'other' }, changed)).toMatchObject({ status: 'success' });
      expect([...world.till.received]).toHaveLength(1);
      const [stored] = await server.list(bob);
      expect(JSON.parse(stored?.body ?? '')).toMatchObject({
        message: 'hello',
        payment: { outputs: [{ outputIndex: 1 }] },
      });
    });

    test('young payments are left alone', async () => {
      interrupt('received');
      await expect(server.send(alice, toBob(), await payForBob())).rejects.toThrow('interrupted');
      goOn();
      expect(await server.finishOpen(60_000)).toBe(0);
      expect(await server.list(bob)).toEqual([]);
      expect(await server.finishOpen()).toBe(1);
    });

    test('several desks look at once: each is finished once', async () => {
      interrupt('recorded');
      const payments = await Promise.all(Array.from({ length: 6 }, payForBob));
      for (const payment of payments) await expect(server.send(alice, toBob(), payment)).rejects.toThrow('interrupted');
      goOn();
      const other = database().config.client === 'mysql2' ? world.open() : server;
      const finished = await Promise.all([server.finishOpen(), other.finishOpen(), server.finishOpen()]);
      expect(finished.reduce((sum, count) => sum + count, 0)).toBe(6);
      expect(await server.list(bob)).toHaveLength(6);
      expect(world.published).toEqual([]);
    });

    test('those that fail do not keep others waiting', async () => {
      interrupt('recorded');
      for (let i = 0; i < 25; i += 1) {
        await expect(server.send(alice, toBob(), await payForBob())).rejects.toThrow('interrupted');
      }
      const last = await payForBob();
      await expect(server.send(alice, toBob(), last)).rejects.toThrow('interrupted');
      goOn();
      world.till.before = async () => {
        if (world.till.asked.at(-1) !== Buffer.from(last.tx.slice(0, 32)).toString('hex')) throw new Error('away');
      };
      for (let look = 0; look < 2 && (await server.state(last)) !== 'done'; look += 1) await server.finishOpen();
      expect(await server.state(last)).toBe('done');
      world.till.before = async () => undefined;
      await until('all are finished', async () => {
        await server.finishOpen();
        return (await server.list(bob)).length === 26;
      });
    });

    test('of storing, after it was received: the retry completes it', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      const storing = jest
        .spyOn(server.store, 'storeMessages')
        .mockRejectedValueOnce(new StoreUnavailableError('away'));
      expect(await server.refusal(alice, message, payment)).toBe('StoreUnavailableError');
      expect(await server.list(bob)).toEqual([]);
      expect(await server.state(payment)).toBe('taking');
      expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(storing).toHaveBeenCalledTimes(2);
      expect([...world.till.received]).toHaveLength(1);
      expect(await server.list(bob)).toHaveLength(1);
    });
  });

  test('two that are at the same payment because a lock was lost: one stores, the other finds that it is done', async () => {
    const [message, payment] = [toBob(), await payForBob()];
    const [one, other] = [world.open({ locks: false }), world.open({ locks: false })];
    let arrived = 0;
    let bothAreThere: () => void = () => undefined;
    const both = new Promise<void>((resolve) => {
      bothAreThere = resolve;
    });
    let firstIsGone: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      firstIsGone = resolve;
    });
    world.till.before = async () => {
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
    expect(world.published).toEqual([]);
    expect(await server.state(payment)).toBe('done');
  });

  test('two that are at it because a lock was lost, of whom one finds that the network refuses', async () => {
    const [message, payment] = [toBob(), await payForBob()];
    const [one, other] = [world.open({ locks: false }), world.open({ locks: false })];
    world.till.before = async () => {
      world.till.before = async () => undefined;
      world.till.refusal = 'it is not valid';
      expect(await other.refusal(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
      world.till.refusal = undefined;
    };
    expect(await one.refusal(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
    expect(await server.list(bob)).toEqual([]);
    expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
    expect(await server.list(bob)).toHaveLength(1);
  });

  test('only a few are written out for the store at once', async () => {
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
    test('refuses: nothing is stored, and it is asked again with each retry, for its sender alone', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      world.till.refusal = 'it spends what is spent already';
      for (let time = 1; time <= 2; time += 1) {
        expect(await server.refusal(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
        expect(await server.state(payment)).toBe('refused');
        expect(world.till.asked).toHaveLength(time);
      }
      expect(await server.refusal(mallory, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
      expect(await server.finishOpen()).toBe(0);
      expect(world.till.asked).toHaveLength(2);
      expect(await server.list(bob)).toEqual([]);
      expect(world.published).toEqual([]);
      world.till.refusal = undefined;
      expect(await server.send(alice, toBob(), await payForBob())).toMatchObject({ status: 'success' });
    });

    test('refuses: nobody else can take the payment up, whatever was looked at before', async () => {
      const payment = await payForBob();
      world.till.refusal = 'it is not valid';
      expect(await server.refusal(alice, toBob(), payment)).toBe('ERR_INVALID_PAYMENT');
      const txid = Buffer.from(payment.tx.slice(0, 32)).toString('hex');
      const delivery = { messageBox: 'inbox', body: 'hello', messages: [] };
      const open = { txid, covers: [], beef: new Uint8Array(), serverOutput: undefined, delivery };
      expect(await server.records.beginAgain({ ...open, sender: mallory }, new Date())).toBe(false);
      expect(await server.state(payment)).toBe('refused');
      world.till.refusal = undefined;
    });

    test('refuses, and has it later all the same: the retry completes it', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      world.till.refusal = 'it is not valid';
      expect(await server.refusal(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
      world.till.refusal = undefined;
      expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(await server.state(payment)).toBe('done');
      expect(await server.list(bob)).toHaveLength(1);
      expect(world.published).toEqual([]);
    });

    test('has not taken it for a day: given up, and its sender may try again', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      const away = async () => {
        throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
      };
      world.till.before = away;
      expect(await server.refusal(alice, message, payment)).toBe('ERR_CHAIN_UNAVAILABLE');
      expect(await server.finishOpen()).toBe(0);
      expect(await server.state(payment)).toBe('taking');
      await server.age(payment, 86_401_000);
      expect(await server.finishOpen()).toBe(0);
      expect(await server.state(payment)).toBe('refused');
      // What it took does not count as the age of the next try.
      expect(await server.refusal(alice, message, payment)).toBe('ERR_CHAIN_UNAVAILABLE');
      await server.finishOpen();
      expect(await server.state(payment)).toBe('taking');
      world.till.before = async () => undefined;
      expect(await server.send(alice, message, payment)).toMatchObject({ status: 'success' });
      expect(await server.list(bob)).toHaveLength(1);
    });

    test('does not take it: looked at less and less often', async () => {
      const payment = await payForBob();
      world.till.before = async () => {
        throw new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
      };
      expect(await server.refusal(alice, toBob(), payment)).toBe('ERR_CHAIN_UNAVAILABLE');
      const looksAfter = async (ageMs: number, untouchedMs: number) => {
        await server.age(payment, ageMs, untouchedMs);
        const before = world.till.asked.length;
        await server.finishOpen(60_000);
        return world.till.asked.length - before;
      };
      expect(await looksAfter(61_000, 61_000)).toBe(1);
      expect(await looksAfter(3_600_000, 61_000)).toBe(0);
      expect(await looksAfter(3_600_000, 1_700_000)).toBe(0);
      expect(await looksAfter(3_600_000, 1_900_000)).toBe(1);
      expect(await server.desk.countOpen()).toBe(1);
      world.till.before = async () => undefined;
      expect(await server.finishOpen()).toBe(1);
      expect(await server.desk.countOpen()).toBe(0);
    });

    test('or the wallet is away: a retry succeeds, and so does a look', async () => {
      world.till.before = async () => {
        throw new RuleError('ERR_INTERNALIZE_FAILED', 'Not now.', 500);
      };
      const sends = await Promise.all([0, 1].map(async () => [toBob(), await payForBob()] as const));
      for (const [message, payment] of sends) {
        expect(await server.refusal(alice, message, payment)).toBe('ERR_INTERNALIZE_FAILED');
        expect(await server.state(payment)).toBe('taking');
      }
      expect(await server.list(bob)).toEqual([]);
      world.till.before = async () => undefined;
      await server.send(alice, ...(sends[0] as (typeof sends)[0]));
      expect(await server.list(bob)).toHaveLength(1);
      expect(await server.finishOpen()).toBe(1);
      expect(await server.list(bob)).toHaveLength(2);
    });

    test('cannot be asked: nothing is written down', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      world.mint.failure = new RuleError('ERR_CHAIN_UNAVAILABLE', 'Not now.', 503);
      expect(await server.refusal(alice, message, payment)).toBe('ERR_CHAIN_UNAVAILABLE');
      expect(await server.state(payment)).toBeUndefined();
      world.mint.failure = undefined;
      await server.send(alice, message, payment);
      expect(await server.list(bob)).toHaveLength(1);
    });
  });

  describe('a message id that is taken between the first look and storing', () => {
    const takenBy = (sender: string, messageId: string, messageBox = 'inbox') => {
      world.till.before = async () => {
        world.till.before = async () => undefined;
        await server.store.storeMessages([{ recipient: bob, messageBox, messageId, sender, body: 'first' }]);
      };
    };

    test('is refused, and the payment stays its sender’s: for another id, but for nobody else', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      takenBy(mallory, message.messageId);
      expect(await server.refusal(alice, message, payment)).toBe('ERR_DUPLICATE_MESSAGE');
      expect(await server.list(bob)).toEqual([]);
      expect(await server.refusal(alice, message, payment)).toBe('ERR_DUPLICATE_MESSAGE');
      expect(await server.refusal(mallory, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
      // It has to cover what is due for the other message too.
      world.fees.set(bob, 8);
      expect(await server.refusal(alice, toBob(), payment)).toBe('ERR_INSUFFICIENT_PAYMENT');
      world.fees.set(bob, 7);
      const other = toBob();
      expect(await server.send(alice, other, payment)).toMatchObject({ messageId: other.messageId });
      expect((await server.list(bob)).map(({ messageId }) => messageId)).toEqual([other.messageId]);
      expect([...world.till.received]).toHaveLength(1);
      expect(await server.state(payment)).toBe('done');
      expect(await server.refusal(alice, toBob(), payment)).toBe('ERR_PAYMENT_REUSED');
    });

    test('and free again: the same request succeeds', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      takenBy(mallory, message.messageId);
      expect(await server.refusal(alice, message, payment)).toBe('ERR_DUPLICATE_MESSAGE');
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      await server.send(alice, message, payment);
      expect(await server.list(bob)).toMatchObject([{ sender: alice, messageId: message.messageId }]);
      expect(await server.state(payment)).toBe('done');
    });

    test('found by the look: it gives up, and another id can be paid with it', async () => {
      const [message, payment] = [toBob(), await payForBob()];
      interrupt('received');
      await expect(server.send(alice, message, payment)).rejects.toThrow('interrupted');
      goOn();
      takenBy(mallory, message.messageId);
      expect(await server.finishOpen()).toBe(0);
      expect(await server.state(payment)).toBe('unused');
      expect(await server.finishOpen()).toBe(0);
      await server.send(alice, toBob(), payment);
      expect(await server.list(bob)).toHaveLength(1);
    });

    test('interrupted before it was found out: another id can be paid with it all the same', async () => {
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

    test('by the same message with another payment: one message, and the second payment can be used', async () => {
      const [message, first, second] = [toBob(), await payForBob(), await payForBob()];
      world.till.before = async () => {
        world.till.before = async () => undefined;
        await server.send(alice, message, second);
      };
      await server.send(alice, message, first);
      expect(await server.list(bob)).toHaveLength(1);
      expect([await server.state(first), await server.state(second)]).toEqual(['spare', 'done']);
      await server.store.acknowledgeMessages(bob, [message.messageId]);
      await server.send(alice, message, first);
      expect(await server.list(bob)).toEqual([]);
      const other = toBob();
      await server.send(alice, other, first);
      expect(await server.list(bob)).toMatchObject([{ messageId: other.messageId }]);
      expect(await server.refusal(alice, toBob(), first)).toBe('ERR_PAYMENT_REUSED');
    });
  });

  test('a transaction by which nobody is paid is not used up, whoever sends it along', async () => {
    world.deliveryFee = 0;
    const payment = await world.mint.payment([bob, 7]);
    await server.send(mallory, { recipient: carol, messageId: 'free' }, { tx: payment.tx, outputs: [] });
    expect((await server.list(carol)).map(({ body }) => body)).toEqual(['hello']);
    expect(await server.state(payment)).toBeUndefined();
    await server.send(alice, toBob(), payment);
    expect(await server.list(bob)).toHaveLength(1);
  });

  test('without a wallet recipients can be paid, and the server not', async () => {
    world.till.hasWallet = false;
    const payment = await payForBob();
    expect(await server.refusal(alice, toBob(), payment)).toBe('ERR_PAYMENT_NOT_SUPPORTED');
    expect(await server.state(payment)).toBeUndefined();
    world.deliveryFee = 0;
    expect(await server.refusal(alice, toBob(), payment)).toBe('ERR_PAYMENT_NOT_SUPPORTED');
    expect(world.till.asked).toEqual([]);
    await server.send(alice, toBob(), await world.mint.payment([bob, 7]));
    expect(await server.list(bob)).toHaveLength(1);
  });

  test('what would be too much to store is refused before it is taken', async () => {
    world.fees.clear();
    world.deliveryFee = 0;
    const recipients = Array.from({ length: 400 }, newKey);
    const payment = await world.mint.payment(...recipients.map((one) => [one, 1] as const));
    const message = { recipients, messageId: recipients.map((_, i) => `large-${i}`), body: 'x'.repeat(100_000) };
    expect(await server.refusal(alice, message, payment)).toBe('ERR_INVALID_PAYMENT');
    expect(await server.state(payment)).toBeUndefined();
    expect(world.till.asked).toEqual([]);
    await server.send(alice, { ...message, body: 'short' }, payment);
    expect(await server.list(recipients[399] as string)).toHaveLength(1);
  });

  test('more payments at once than the pool has connections', async () => {
    const narrow = world.open({ poolSize: 2 });
    const sends = await Promise.all(Array.from({ length: 20 }, async () => [toBob(), await payForBob()] as const));
    let waiting = 0;
    let release: (value?: unknown) => void = () => undefined;
    const allWait = new Promise((resolve) => {
      release = resolve;
    });
    world.till.before = async () => {
      waiting += 1;
      if (waiting === sends.length) release();
      await allWait;
    };
    await Promise.all(sends.map(([message, payment]) => narrow.send(alice, message, payment)));
    expect(await server.list(bob)).toHaveLength(20);
  });

  test('a database that is away is said to be so', async () => {
    const closed = world.open();
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
    await expect(closed.desk.deliver(due, async () => undefined)).rejects.toThrow(StoreUnavailableError);
    await expect(closed.finishOpen(0)).rejects.toThrow(StoreUnavailableError);
    expect(world.till.asked).toEqual([]);
  });
}
