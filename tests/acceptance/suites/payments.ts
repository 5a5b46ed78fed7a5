import { randomUUID } from 'node:crypto';
import { Transaction } from '@bsv/sdk';
import { RegistryApp } from '../app.js';
import type { Deployment } from '../deployments.js';
import { LiveSocket } from '../live-socket.js';
import { Payer, type Prices, readServerBalance } from '../payers.js';

/** Messages that cost something, by the real client and ordinary wallets: what one side pays, the others have. */
export function paymentsSuite(at: () => Deployment): void {
  describe('payments', () => {
    const payers: Payer[] = [];
    const opened: { close(): unknown }[] = [];
    let before: number;

    /** The real client tells the console what it pays. */
    beforeEach(async () => {
      for (const method of ['log', 'warn', 'error'] as const) jest.spyOn(console, method).mockReturnValue();
      before = await readServerBalance(at());
    });
    afterEach(async () => {
      jest.restoreAllMocks();
      for (const one of opened.splice(0)) await one.close();
      for (const payer of payers.splice(0)) await payer.close();
    });

    const someone = async (satoshis = 0): Promise<Payer> => {
      const payer = await Payer.open(at().overlays[0] as string, satoshis);
      payers.push(payer);
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
    const earned = async () => (await readServerBalance(at())) - before;
    const pricesOf = async (payer: Payer, recipient: string, messageBox = 'notifications') =>
      (await appOf(payer).client.getMessageBoxQuote({ recipient, messageBox }, at().apis[0])) as Prices;
    const message = (recipient: string) => ({
      recipient,
      messageBox: 'notifications',
      messageId: randomUUID(),
      body: 'hello',
    });

    test('a message is paid for, delivery and recipient, and the recipient gets its part by listing', async () => {
      const [alice, bob] = [await someone(50_000), await someone()];
      await bob.charge(at().apis[0], 25);
      const sent = {
        recipient: bob.key,
        messageBox: 'notifications',
        body: { text: 'worth it' },
        checkPermissions: true,
      };
      await appOf(alice).client.sendMessage(sent, at().apis[0]);
      const listed = await appOf(bob, 1).list('notifications');
      expect(listed).toMatchObject([{ sender: alice.key, body: { text: 'worth it' } }]);
      expect(await bob.readBalance()).toBe(25);
      expect(await earned()).toBe(10);
      expect(await alice.countPaidSatoshis()).toBe(35);
      expect(alice.chainFees).toBeGreaterThan(0);
      // Listing again takes nothing twice.
      await appOf(bob).list('notifications');
      expect(await bob.readBalance()).toBe(25);
    });

    test('a notification to one who charges, taken when it is acknowledged', async () => {
      const [alice, bob] = [await someone(50_000), await someone()];
      await appOf(alice, 1).client.sendNotification(bob.key, 'ding', at().apis[1]);
      const { client } = appOf(bob);
      const [notification] = await client.listMessagesLite({ messageBox: 'notifications', host: at().apis[0] });
      expect(await bob.readBalance()).toBe(0);
      if (notification === undefined) throw new Error('there is no notification');
      const [raw] = (await bob.post(`${at().apis[0]}/listMessages`, { messageBox: 'notifications' })).body[
        'messages'
      ] as [{ body: string }];
      await client.init(at().apis[0]);
      expect(await client.acknowledgeNotification({ ...notification, body: raw.body })).toBe(true);
      expect(await bob.readBalance()).toBe(10);
      expect(await earned()).toBe(10);
      expect(await alice.countPaidSatoshis()).toBe(20);
    });

    test('a payment for the delivery only, and one for the recipient only, are taken', async () => {
      const [alice, bob] = [await someone(50_000), await someone()];
      await bob.charge(at().apis[0], 0);
      await bob.charge(at().apis[0], 12, 'inbox');
      const { client } = appOf(alice);
      const to = { recipient: bob.key, checkPermissions: true };
      await client.sendMessage({ ...to, messageBox: 'notifications', body: 'one' }, at().apis[0]);
      expect([await earned(), await alice.countPaidSatoshis()]).toEqual([10, 10]);
      await client.sendMessage({ ...to, messageBox: 'inbox', body: 'two' }, at().apis[0]);
      expect([await earned(), await alice.countPaidSatoshis()]).toEqual([10, 22]);
      for (const box of ['notifications', 'inbox']) expect(await appOf(bob).list(box)).toHaveLength(1);
      expect(await bob.readBalance()).toBe(12);
    });

    test('a batch with a message that one recipient has already: what paid for both is good for the other', async () => {
      const [alice, bob, carol] = [await someone(50_000), await someone(), await someone()];
      await bob.charge(at().apis[0], 7);
      await carol.charge(at().apis[0], 9);
      const { client } = appOf(alice);
      // The client makes its ids of the body, so the same text to the same recipient is the same message.
      const one = { messageBox: 'notifications', body: 'again' };
      const first = await client.sendMesagetoRecepients({ ...one, recipients: [bob.key] }, at().apis[0]);
      const both = await client.sendMesagetoRecepients({ ...one, recipients: [bob.key, carol.key] }, at().apis[1]);
      expect([first.status, both.status, both.failed]).toEqual(['success', 'success', []]);
      expect(await appOf(bob).list('notifications')).toHaveLength(1);
      expect(await appOf(carol).list('notifications')).toMatchObject([{ sender: alice.key, body: 'again' }]);
      expect([await bob.readBalance(), await carol.readBalance(), await earned()]).toEqual([7, 9, 20]);
    });

    test('25 recipients with fees of their own, one of whom has blocked the sender', async () => {
      const alice = await someone(100_000);
      const recipients: Payer[] = [];
      for (let i = 0; i < 25; i += 1) recipients.push(await someone());
      const fees = recipients.map((_, i) => [0, 10, 5, 133, i][i % 5] as number);
      const [api] = at().apis;
      await Promise.all(recipients.map((one, i) => (i % 5 === 1 ? undefined : one.charge(api, fees[i] as number))));
      const blocked = await someone();
      await blocked.charge(api, -1);
      const keys = [...recipients, blocked].map(({ key }) => key);
      const { client } = appOf(alice);
      const sent = await client.sendMesagetoRecepients(
        { recipients: keys, messageBox: 'notifications', body: 'to all of you' },
        api,
      );
      expect(sent).toMatchObject({ status: 'success', blocked: [blocked.key], failed: [] });
      expect(sent.sent.map(({ recipient }) => recipient)).toEqual(keys.slice(0, 25));

      for (const [i, one] of recipients.entries()) {
        expect(await appOf(one, i % 2).list('notifications')).toMatchObject([
          { sender: alice.key, body: 'to all of you' },
        ]);
        expect(await one.readBalance()).toBe(fees[i]);
      }
      expect(await appOf(blocked).list('notifications')).toEqual([]);
      expect(await earned()).toBe(10);
      expect(alice.transactions).toBe(1);
      expect(await alice.countPaidSatoshis()).toBe(10 + fees.reduce((sum, fee) => sum + fee, 0));
    }, 180_000);

    test('a batch whose delivery fee is paid for each recipient, as newer clients do', async () => {
      const [alice, bob, carol, dave] = [await someone(50_000), await someone(), await someone(), await someone()];
      const recipients = [bob, carol, dave];
      await carol.charge(at().apis[0], 0);
      await dave.charge(at().apis[0], 33);
      const keys = recipients.map(({ key }) => key);
      const quote = await appOf(alice).client.getMessageBoxQuote(
        { recipient: keys, messageBox: 'notifications' } as never,
        at().apis[0],
      );
      expect(quote).toMatchObject({
        quotesByRecipient: [
          { recipient: bob.key, deliveryFee: 10, recipientFee: 10, status: 'payment_required' },
          { recipient: carol.key, deliveryFee: 10, recipientFee: 0, status: 'always_allow' },
          { recipient: dave.key, deliveryFee: 10, recipientFee: 33, status: 'payment_required' },
        ],
        totals: { deliveryFees: 30, recipientFees: 43, totalForPayableRecipients: 73 },
      });
      const payment = await alice.payBatch(appOf(alice).client, {
        serverIdentityKey: at().processes.apis[0].listening['identityKey'] as string,
        deliveryFee: 30,
        recipientFees: new Map([
          [bob.key, 10],
          [carol.key, 0],
          [dave.key, 33],
        ]),
      });
      const ids = keys.map(() => randomUUID());
      const batch = { recipients: keys, messageBox: 'notifications', messageId: ids, body: 'to all' };
      const answer = await alice.post(`${at().apis[1]}/sendMessage`, { message: batch, payment });
      expect(answer).toMatchObject({
        status: 200,
        body: { status: 'success', results: keys.map((recipient, i) => ({ recipient, messageId: ids[i] })) },
      });
      for (const one of recipients) {
        expect(await appOf(one, 1).list('notifications')).toMatchObject([{ sender: alice.key, body: 'to all' }]);
      }
      expect(await Promise.all(recipients.map((one) => one.readBalance()))).toEqual([10, 0, 33]);
      expect([await earned(), await alice.countPaidSatoshis()]).toEqual([30, 73]);
    });

    test.each([
      ['too long for a wallet', '📬'.repeat(200), '📬'.repeat(12)],
      ['too short for a wallet', 'hi', undefined],
      ['with control characters', 'for\ta\u0000message', 'for a message'],
    ])('a description that is %s: the recipient gets its money all the same', async (_what, description, stored) => {
      const [alice, bob] = [await someone(50_000), await someone()];
      const payment = await alice.pay(appOf(alice).client, bob.key, await pricesOf(alice, bob.key));
      const request = { message: message(bob.key), payment: { ...payment, description } };
      expect(await alice.post(`${at().apis[0]}/sendMessage`, request)).toMatchObject({ status: 200 });
      const { body } = await bob.post(`${at().apis[1]}/listMessages`, { messageBox: 'notifications', offset: 0 });
      const [listed] = body['messages'] as [{ body: string }];
      const found = JSON.parse(listed.body) as { payment: { description?: string } };
      expect(found.payment.description).toBe(stored);
      await appOf(bob).list('notifications');
      expect([await bob.readBalance(), await earned()]).toEqual([10, 10]);
    });

    test('the same request at another instance: taken once; the same payment for anything else: refused', async () => {
      const [alice, bob, mallory] = [await someone(50_000), await someone(), await someone()];
      const payment = await alice.pay(appOf(alice).client, bob.key, await pricesOf(alice, bob.key));
      const request = { message: message(bob.key), payment };
      const first = await alice.post(`${at().apis[0]}/sendMessage`, request);
      expect(first).toMatchObject({ status: 200 });
      expect(await alice.post(`${at().apis[1]}/sendMessage`, request)).toEqual(first);
      const reused = { status: 400, body: { code: 'ERR_PAYMENT_REUSED' } };
      for (const [one, other] of [
        [alice, { ...request, message: message(bob.key) }],
        [mallory, { ...request, message: message(bob.key) }],
      ] as const) {
        expect(await one.post(`${at().apis[1]}/sendMessage`, other)).toMatchObject(reused);
      }
      const { messageId } = request.message;
      expect(await appOf(bob).list('notifications')).toMatchObject([{ messageId, sender: alice.key }]);
      await bob.post(`${at().apis[0]}/acknowledgeMessage`, { messageIds: [messageId] });
      expect(await alice.post(`${at().apis[1]}/sendMessage`, request)).toEqual(first);
      expect(await appOf(bob).list('notifications')).toEqual([]);
      expect([await earned(), await bob.readBalance(), await alice.countPaidSatoshis()]).toEqual([10, 10, 20]);
    });

    test('live, with a payment in the frame: stored and taken as over HTTP, listed by the recipient and not pushed', async () => {
      const [alice, bob] = [await someone(50_000), await someone()];
      const payment = await alice.pay(appOf(alice).client, bob.key, await pricesOf(alice, bob.key));
      const listener = new LiveSocket(at().realtimes[1], bob.wallet, bob.key);
      const socket = new LiveSocket(at().realtimes[0], alice.wallet, alice.key);
      opened.push(listener, socket);
      await Promise.all([listener.authenticate(), socket.authenticate()]);
      const pushes = await listener.join('notifications');
      const roomId = `${bob.key}-notifications`;
      const sendLive = async (given: object, messageId: string) => {
        const acked = socket.events(`sendMessageAck-${roomId}`).waitForNext((ack) => ack['messageId'] === messageId);
        const { recipient, body } = message(bob.key);
        socket.client.emit('sendMessage', { roomId, message: { messageId, recipient, body }, payment: given });
        return await acked;
      };
      const [bad, good, again] = [randomUUID(), randomUUID(), randomUUID()];
      const failed = socket.events('paymentFailed').waitForNext();
      const refusal = { code: 'ERR_INVALID_PAYMENT', messageId: bad };
      expect(await sendLive({ ...payment, tx: [1, 2, 3] }, bad)).toMatchObject({ status: 'error', ...refusal });
      expect(await failed).toMatchObject(refusal);
      expect(await sendLive(payment, good)).toEqual({ status: 'success', messageId: good });
      expect(await sendLive(payment, good)).toEqual({ status: 'success', messageId: good });
      expect(await sendLive(payment, again)).toMatchObject({ status: 'error', code: 'ERR_PAYMENT_REUSED' });
      expect(await appOf(bob).list('notifications')).toMatchObject([{ messageId: good, body: 'hello' }]);
      expect([await earned(), await bob.readBalance(), await alice.countPaidSatoshis()]).toEqual([10, 10, 20]);
      // From the same publisher to the same listener: had the paid one been pushed, it would have come before.
      const unpaid = randomUUID();
      const joined = await listener.join('free');
      const acked = socket.events(`sendMessageAck-${bob.key}-free`).waitForNext();
      socket.client.emit('sendMessage', {
        roomId: `${bob.key}-free`,
        message: { messageId: unpaid, recipient: bob.key, body: 'free' },
      });
      expect(await acked).toMatchObject({ status: 'success' });
      await joined.waitFor(({ messageId }) => messageId === unpaid);
      expect(pushes.all).toEqual([]);
    });

    test('what a recipient finds is the transaction with its proofs, and no output but its own', async () => {
      const [alice, bob] = [await someone(50_000), await someone()];
      const payment = await alice.pay(appOf(alice).client, bob.key, await pricesOf(alice, bob.key));
      await alice.post(`${at().apis[0]}/sendMessage`, { message: message(bob.key), payment });
      const { messages } = (await bob.post(`${at().apis[1]}/listMessages`, { messageBox: 'notifications' })).body;
      const [{ body }] = messages as [{ body: string }];
      const found = JSON.parse(body) as { message: string; payment: { tx: number[]; outputs: object[] } };
      expect(found).toMatchObject({ message: 'hello', payment: { outputs: [payment.outputs[1]] } });
      expect(found.payment.outputs).toHaveLength(1);
      const transaction = Transaction.fromAtomicBEEF(found.payment.tx);
      expect(transaction.id('hex')).toBe(Transaction.fromAtomicBEEF(payment.tx).id('hex'));
      expect(transaction.inputs.every(({ sourceTransaction }) => sourceTransaction?.merklePath !== undefined)).toBe(
        true,
      );
    });
  });
}
