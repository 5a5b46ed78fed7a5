import { createKnex } from '@messagebox/store';
import {
  createIdentityKey,
  type PaymentDatabase,
  PaymentTestBed,
  type PaymentTestServer,
  SERVER,
  usePaymentDatabase,
} from './payment-test-bed.ts';

/** The promises of the payment service for messages that expire, on each database. */
export function expiringPaymentsSuite(createDatabase: () => Promise<PaymentDatabase>): void {
  const database = usePaymentDatabase(createDatabase);
  let testBed: PaymentTestBed;
  let server: PaymentTestServer;
  let knex: ReturnType<typeof createKnex>;
  let [alice, bob, carol] = ['', '', ''];
  let ids = 0;

  beforeEach(() => {
    testBed = new PaymentTestBed(database().config);
    server = testBed.open();
    knex = createKnex(database().config);
    [alice, bob, carol] = [createIdentityKey(), createIdentityKey(), createIdentityKey()];
    testBed.fees.set(bob, 7);
  });
  afterEach(async () => {
    await knex.destroy();
    await testBed.close();
  });

  const expiresAt = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000);
  const createIds = (): [string, string] => [`expiring-${++ids}`, `expiring-${++ids}`];
  const readMarks = async () =>
    (
      await knex('messages')
        .whereIn(
          'recipient',
          [bob, carol].map((key) => Buffer.from(key)),
        )
        .orderBy('id')
    ).map((row) => [Boolean(row.carries_payment), row.expires_at === null ? null : new Date(row.expires_at).getTime()]);

  test('a recipient who is paid keeps the message, one who is not lets it expire', async () => {
    const payment = await testBed.verifier.payment([SERVER, 10], [bob, 7]);
    const batch = { recipients: [bob, carol], messageId: createIds(), expiresAt: expiresAt.toISOString() };
    await server.send(alice, batch, payment);
    expect(await readMarks()).toEqual([
      [true, null],
      [false, expiresAt.getTime()],
    ]);
    expect(await server.list(bob)).toMatchObject([{ expiresAt: undefined }]);
    expect(await server.list(carol)).toMatchObject([{ expiresAt }]);
  });

  test('a message whose delivery alone is paid expires', async () => {
    testBed.fees.delete(bob);
    const payment = await testBed.verifier.payment([SERVER, 10]);
    await server.send(
      alice,
      { recipient: bob, messageId: createIds()[0], expiresAt: expiresAt.toISOString() },
      payment,
    );
    expect(await readMarks()).toEqual([[false, expiresAt.getTime()]]);
  });

  test('the recovery of an interrupted payment stores what the request has asked for', async () => {
    const payment = await testBed.verifier.payment([SERVER, 10], [bob, 7]);
    const batch = { recipients: [bob, carol], messageId: createIds(), expiresAt: expiresAt.toISOString() };
    testBed.onStep = (step) => {
      if (step === 'received') throw new Error('interrupted');
    };
    await expect(server.send(alice, batch, payment)).rejects.toThrow('interrupted');
    testBed.onStep = () => undefined;
    expect(await server.runRecovery()).toBe(1);
    expect(await readMarks()).toEqual([
      [true, null],
      [false, expiresAt.getTime()],
    ]);
  });

  test('a message that the recovery stores after its time is neither listed nor published, and the paid one is kept', async () => {
    const payment = await testBed.verifier.payment([SERVER, 10], [bob, 7]);
    const batch = { recipients: [bob, carol], messageId: createIds(), expiresAt: expiresAt.toISOString() };
    testBed.onStep = (step) => {
      if (step === 'received') throw new Error('interrupted');
    };
    await expect(server.send(alice, batch, payment)).rejects.toThrow('interrupted');
    testBed.onStep = () => undefined;
    const txid = Buffer.from(payment.tx.slice(0, 32));
    const { delivery } = await knex('payments').where({ txid }).first('delivery');
    const late = { ...JSON.parse(delivery), expiresAt: '2025-01-01T00:00:00.000Z' };
    await knex('payments')
      .where({ txid })
      .update({ delivery: JSON.stringify(late) });
    expect(await server.runRecovery()).toBe(1);
    expect(await server.list(bob)).toHaveLength(1);
    expect(await server.list(carol)).toEqual([]);
    expect(testBed.published).toEqual([]);
    expect(await server.readState(payment)).toBe('done');
  });

  test('a wrong expiresAt refuses the send before its payment is looked at', async () => {
    const payment = await testBed.verifier.payment([SERVER, 10], [bob, 7]);
    const message = { recipient: bob, messageId: createIds()[0], expiresAt: '2025-01-01T00:00:00Z' };
    expect(() => server.send(alice, message, payment)).toThrow('expiresAt must be in the future.');
    expect(await server.readState(payment)).toBeUndefined();
    expect(testBed.receiver.calls).toEqual([]);
    expect(await server.list(bob)).toEqual([]);
  });

  test('a transaction that has paid the reference server is refused to every sender, before it is taken', async () => {
    const payment = await testBed.verifier.payment([SERVER, 10], [bob, 7]);
    const now = Date.now();
    // As the migration takes it over.
    await knex('payments').insert({
      txid: Buffer.from(payment.tx.slice(0, 32)),
      sender: Buffer.alloc(0),
      state: Buffer.from('done'),
      covers: '[]',
      created_at: now,
      updated_at: now,
    });
    for (const sender of [alice, carol]) {
      const message = { recipient: bob, messageId: createIds()[0] };
      expect(await server.sendRefused(sender, message, payment)).toBe('ERR_PAYMENT_REUSED');
    }
    expect(await server.runRecovery()).toBe(0);
    expect(testBed.receiver.calls).toEqual([]);
    expect(await server.list(bob)).toEqual([]);
    expect(await server.readState(payment)).toBe('done');
  });
}
