import { MerklePath, PrivateKey, Transaction } from '@bsv/sdk';
import {
  type Brc29Payment,
  createBrc29Payment,
  describePaymentOutput,
  type FreeOutput,
  requestFreeOutput,
  spendFreeOutput,
} from '@messagebox/test-support/brc29';
import { RawClient, type Session } from '@messagebox/test-support/raw-client';
import { createUniqueId, HttpTestBed } from './refusals.ts';

/** The fee of the box of these tests. */
const FEES = { delivery: 10, bob: 25, carol: 30 };
const MISER = PrivateKey.fromRandom();

let world: HttpTestBed;
let carol: Session;
/** A stranger to the message. */
const mallory = new RawClient().identityKey;
let server = '';
let bob = '';

beforeAll(async () => {
  const operator = new RawClient();
  world = await HttpTestBed.start({ ADMIN_IDENTITY_KEYS: operator.identityKey });
  server = world.server.identityKey;
  bob = world.recipient.client.identityKey;
  carol = await new RawClient().shakeHands(world.server.port);
  const admin = await operator.shakeHands(world.server.port);
  await world.expectAccepted(
    admin.sign({
      method: 'PUT',
      path: '/admin/fees',
      headers: [['Content-Type', 'application/json']],
      body: Buffer.from(JSON.stringify({ messageBox: 'paid', deliveryFee: FEES.delivery })),
    }),
    admin,
  );
  for (const [owner, recipientFee] of [
    [world.recipient, FEES.bob],
    [carol, FEES.carol],
  ] as const) {
    for (const messageBox of ['paid', 'inbox']) {
      await world.expectAccepted(owner.post('/permissions/set', { messageBox, recipientFee }), owner);
    }
  }
});
afterAll(() => world.close());

/** A payment as a client would send it, every part of which can be replaced. */
class Payment {
  readonly paid: Brc29Payment[] = [];
  tx: unknown;
  outputs: unknown;

  static async to(...payees: (readonly [string, number, (PrivateKey | 'anyone')?])[]): Promise<Payment> {
    const payment = new Payment(await requestFreeOutput(world.server.url, 100_000));
    for (const [payee, satoshis, payer] of payees)
      payment.paid.push(await createBrc29Payment(payee, satoshis, payer ?? 'anyone'));
    payment.outputs = payment.paid.map((one, i) => describePaymentOutput(one, i));
    payment.tx = payment.transaction().toAtomicBEEF();
    return payment;
  }

  private constructor(readonly money: FreeOutput) {}

  transaction(): Transaction {
    return spendFreeOutput(
      this.money,
      this.paid.map(({ output }) => output),
    );
  }

  with(change: { readonly tx?: unknown; readonly outputs?: unknown }): object {
    return { tx: this.tx, outputs: this.outputs, description: 'for a message', ...change };
  }
}

/** All that Bob and the server charge. */
const enough = () => Payment.to([server, FEES.delivery], [bob, FEES.bob]);
const request = (payment: unknown, fields: object = {}) => ({
  ...world.message({ messageBox: 'paid', ...fields }),
  payment,
});
const refused = (payment: unknown, code: string, fields: object = {}) =>
  world.expectRefused(world.sendMessage(request(payment, fields)), code);
const bytesOf = (hexAscii: string) => [...Buffer.from(hexAscii)];

describe('payment', () => {
  test.each([{}, [], 'money', 7, true, { outputs: [] }, { tx: null }])(
    'refuses a payment without a transaction: %j',
    async (payment) => {
      await refused(payment, 'ERR_MISSING_PAYMENT_TX');
    },
  );

  test('none at all', async () => {
    await refused(undefined, 'ERR_MISSING_PAYMENT_TX');
    await refused(null, 'ERR_MISSING_PAYMENT_TX');
  });
});

describe('payment.tx', () => {
  test.each<[string, unknown]>([
    ['text', 'AQEBAQ=='],
    ['hex', '01010101'],
    ['an object', { 0: 1, 1: 1 }],
    ['a number', 16_843_009],
    ['an empty list', []],
    ['a byte too large', [1, 1, 1, 256]],
    ['a fraction', [1.5]],
    ['nested', [[1, 1, 1, 1]]],
    ['garbage', bytesOf('this is no transaction')],
    ['a million bytes and one', new Array(1_000_001).fill(1)],
    ['three million bytes', new Array(3_000_000).fill(0)],
    ['the beginning of a BEEF, and no more', [1, 1, 1, 1, ...new Array(32).fill(7), 2, 0, 0xbe, 0xef]],
  ])('%s', async (_what, tx) => {
    const payment = await enough();
    await refused(payment.with({ tx }), 'ERR_INVALID_PAYMENT');
  });

  test('refuses a transaction that is cut off at either end, or followed by something', async () => {
    const payment = await enough();
    const tx = payment.tx as number[];
    for (const wrong of [tx.slice(0, -1), tx.slice(1), tx.slice(0, 40), [...tx, 0]]) {
      await refused(payment.with({ tx: wrong }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('refuses a transaction without the ones that it spends', async () => {
    const payment = await enough();
    await refused(payment.with({ tx: payment.transaction().toBinary() }), 'ERR_INVALID_PAYMENT');
    const unproven = payment.transaction();
    const source = Transaction.fromBinary(Transaction.fromAtomicBEEF(payment.money.atomicBeef).toBinary());
    (unproven.inputs[0] as { sourceTransaction: Transaction }).sourceTransaction = source;
    await refused(payment.with({ tx: unproven.toAtomicBEEF(true) }), 'ERR_INVALID_PAYMENT');
  });

  test('refuses a BEEF that is not an AtomicBEEF', async () => {
    const payment = await enough();
    const transaction = payment.transaction();
    for (const tx of [transaction.toBEEF(), [...transaction.toBEEFUint8Array()]]) {
      await refused(payment.with({ tx }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('refuses an AtomicBEEF that names another transaction than its own', async () => {
    const payment = await enough();
    const tx = [...(payment.tx as number[])];
    tx[4] = (tx[4] as number) ^ 1;
    await refused(payment.with({ tx }), 'ERR_INVALID_PAYMENT');
  });

  test('refuses a proof of a block that is not in the chain', async () => {
    const payment = await enough();
    const { height } = await chain<{ height: number }>('findChainTipHeader');
    const made = payment.paid.map(({ output }) => output);
    for (const at of [1, height, height + 1, 4_000_000]) {
      // Money out of nothing, in a block of its own.
      const source = spendFreeOutput(payment.money, [{ satoshis: 1_000_000 + at, script: Uint8Array.of(0x51) }]);
      source.merklePath = new MerklePath(at, [[{ offset: 0, hash: source.id('hex'), txid: true }]]);
      const forged = spendFreeOutput({ atomicBeef: source.toAtomicBEEF(), outputIndex: 0 }, made);
      await refused(payment.with({ tx: forged.toAtomicBEEF() }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('refuses a transaction whose script fails', async () => {
    const payment = await enough();
    const locked = await Payment.to([mallory, 50_000]);
    // Spends what it has no signature for: an output of a transaction that is on its way itself.
    const thief = spendFreeOutput(
      { atomicBeef: locked.tx as number[], outputIndex: 0 },
      payment.paid.map(({ output }) => output),
    );
    await refused(payment.with({ tx: thief.toAtomicBEEF(true) }), 'ERR_INVALID_PAYMENT');
  });

  test('refuses a transaction that is not final, because it can still be replaced', async () => {
    const { height } = await chain<{ height: number }>('findChainTipHeader');
    for (const messageBox of ['paid', 'inbox']) {
      const payment = messageBox === 'paid' ? await enough() : await Payment.to([bob, FEES.bob]);
      for (const [lockTime, sequence] of [
        [2_000_000_000, 0],
        [2_000_000_000, 0xfffffffe],
        [Math.floor(Date.now() / 1_000), 0],
        [height + 1_000, 0],
      ] as const) {
        const transaction = payment.transaction();
        transaction.lockTime = lockTime;
        for (const input of transaction.inputs) input.sequence = sequence;
        const answer = await refused(payment.with({ tx: transaction.toAtomicBEEF() }), 'ERR_INVALID_PAYMENT', {
          messageBox,
        });
        expect(answer.text).toContain('not final');
      }
    }
  });

  test('refuses a transaction that spends more than its inputs', async () => {
    const payment = await Payment.to([server, FEES.delivery], [bob, 200_000]);
    await refused(payment.with({}), 'ERR_INVALID_PAYMENT');
  });

  test('refuses 100,000 outputs', async () => {
    const payment = await enough();
    const many = Array.from({ length: 100_000 }, () => ({ satoshis: 0, script: Uint8Array.of(0x6a) }));
    const transaction = spendFreeOutput(payment.money, [...payment.paid.map(({ output }) => output), ...many]);
    await refused(payment.with({ tx: transaction.toAtomicBEEF() }), 'ERR_INVALID_PAYMENT');
  });

  test('refuses a transaction that spends a spent output', async () => {
    for (const messageBox of ['paid', 'inbox']) {
      const payment = messageBox === 'paid' ? await enough() : await Payment.to([bob, FEES.bob]);
      const rival = spendFreeOutput(payment.money, [{ satoshis: 5, script: Uint8Array.of(0x51) }]);
      await publish(rival);
      for (let time = 0; time < 2; time += 1) await refused(payment.with({}), 'ERR_INVALID_PAYMENT', { messageBox });
    }
  });
});

describe('payment.outputs', () => {
  test.each<[string, unknown]>([
    ['text', 'all of them'],
    ['an object', { 0: {} }],
    ['nothing inside', [null]],
    ['90,000 of nothing', new Array(90_000).fill({})],
    ['2,001 of them', new Array(2_001).fill({ outputIndex: 0, protocol: 'wallet payment' })],
    ['an unknown protocol', [{ outputIndex: 0, protocol: 'gift' }]],
    ['no remittance', [{ outputIndex: 0, protocol: 'wallet payment' }]],
  ])('%s', async (_what, outputs) => {
    await refused((await enough()).with({ outputs }), 'ERR_INVALID_PAYMENT');
  });

  test.each<[string, object]>([
    ['a prefix that is no base64', { derivationPrefix: 'invoice 7' }],
    ['a prefix of 10,000 characters', { derivationPrefix: 'AAAA'.repeat(2_500) }],
    ['a sender off the curve', { senderIdentityKey: `02${'0'.repeat(63)}5` }],
    ['a sender that is a word', { senderIdentityKey: 'anyone' }],
    ['another sender', { senderIdentityKey: MISER.toPublicKey().toString() }],
    ['another prefix', { derivationPrefix: 'AAAA' }],
  ])('%s', async (_what, change) => {
    const payment = await enough();
    for (const wrong of [0, 1]) {
      const outputs = payment.paid.map((one, i) =>
        describePaymentOutput(i === wrong ? { ...one, remittance: { ...one.remittance, ...change } } : one, i),
      );
      await refused(payment.with({ outputs }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('refuses no outputs, and none for the server', async () => {
    const payment = await enough();
    const insertion = { outputIndex: 1, protocol: 'basket insertion', insertionRemittance: { basket: 'tokens' } };
    for (const outputs of [undefined, null, [], [insertion]]) {
      await refused(payment.with({ outputs }), 'ERR_MISSING_DELIVERY_OUTPUT');
    }
  });

  test('refuses an index that does not exist, is below zero or is not an integer', async () => {
    const payment = await enough();
    for (const index of [2, 4_294_967_295, Number.MAX_SAFE_INTEGER, -1, 0.5, '0', null]) {
      const outputs = payment.paid.map((one, i) =>
        describePaymentOutput(one, i, i === 1 ? { outputIndex: index } : {}),
      );
      await refused(payment.with({ outputs }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('the transaction does not pay', async () => {
    const payment = await Payment.to([mallory, 50_000]);
    const honest = await enough();
    await refused(payment.with({}), 'ERR_INVALID_PAYMENT');
    await refused(payment.with({ outputs: honest.outputs }), 'ERR_INVALID_PAYMENT');
  });

  test('refuses one satoshi too little, for the server or for a recipient', async () => {
    const { delivery } = FEES;
    await refused((await Payment.to([server, delivery - 1], [bob, FEES.bob])).with({}), 'ERR_INSUFFICIENT_PAYMENT');
    await refused((await Payment.to([server, delivery], [bob, FEES.bob - 1])).with({}), 'ERR_INSUFFICIENT_PAYMENT');
    await refused((await Payment.to([bob, FEES.bob - 1])).with({}), 'ERR_INSUFFICIENT_PAYMENT', {
      messageBox: 'inbox',
    });
  });

  test('refuses an output that pays another key', async () => {
    await refused((await Payment.to([mallory, FEES.delivery], [bob, FEES.bob])).with({}), 'ERR_INVALID_PAYMENT');
    await refused((await Payment.to([server, FEES.delivery], [mallory, FEES.bob])).with({}), 'ERR_INVALID_PAYMENT');
    // The recipient, but under a key that only the sender and the recipient can derive.
    await refused((await Payment.to([server, FEES.delivery], [bob, FEES.bob, MISER])).with({}), 'ERR_INVALID_PAYMENT');
  });

  test('refuses an output that names a recipient whom it does not pay', async () => {
    const payment = await enough();
    for (const recipientIdentityKey of [mallory, server, 'bob', 7]) {
      const outputs = payment.paid.map((one, i) =>
        describePaymentOutput(one, i, i === 1 ? { customInstructions: JSON.stringify({ recipientIdentityKey }) } : {}),
      );
      await refused(payment.with({ outputs }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('refuses one output for two recipients, or for a recipient and the server', async () => {
    const both = () => ({
      recipient: [bob, carol.client.identityKey],
      messageId: [createUniqueId(), createUniqueId()],
    });
    const payment = await Payment.to([server, 1_000], [bob, 1_000]);
    const [first, second] = payment.outputs as [object, object];
    await refused(payment.with({}), 'ERR_INSUFFICIENT_OUTPUTS', both());
    await refused(payment.with({ outputs: [first, second, second] }), 'ERR_INVALID_PAYMENT', both());
    await refused(payment.with({ outputs: [first, first] }), 'ERR_INVALID_PAYMENT');
    await refused(payment.with({ outputs: [first] }), 'ERR_MISSING_RECIPIENT_OUTPUTS');
    const twice = await Payment.to([server, 1_000], [bob, 1_000], [bob, 1_000]);
    const named = twice.paid.map((one, i) =>
      describePaymentOutput(one, i, i > 0 ? { customInstructions: { recipientIdentityKey: bob } } : {}),
    );
    await refused(twice.with({ outputs: named }), 'ERR_MISSING_RECIPIENT_OUTPUTS', both());
  });
});

test('a payment that was accepted pays for nothing else', async () => {
  const payment = await enough();
  const sent = request(payment.with({}));
  const before = await world.server.rows();
  await world.expectAccepted(world.sendMessage(sent));
  const after = await world.server.rows();
  expect(after).toMatchObject({ satoshis: before.satoshis + FEES.delivery, messages: before.messages + 1 });
  await refused(payment.with({}), 'ERR_PAYMENT_REUSED');
  await world.expectRefused(carol.post('/sendMessage', request(payment.with({}))), 'ERR_PAYMENT_REUSED', carol);
  expect(await world.expectAccepted(world.sendMessage(sent))).toMatchObject({ status: 'success' });
  expect(await world.server.rows()).toEqual(after);
});

test('accepts no payment of a blocked sender', async () => {
  const payment = await enough();
  const { identityKey } = world.sender.client;
  const block = (recipientFee: number) =>
    world.expectAccepted(
      world.recipient.post('/permissions/set', { messageBox: 'paid', sender: identityKey, recipientFee }),
      world.recipient,
    );
  await block(-1);
  const rows = await world.server.rows();
  const answer = await world.send(world.sendMessage(request(payment.with({}))));
  expect({ status: answer.status, ...JSON.parse(answer.text) }).toMatchObject({
    status: 'error',
    code: 'ERR_DELIVERY_BLOCKED',
  });
  expect(await world.server.rows()).toEqual(rows);
  await block(FEES.bob);
  await world.expectAccepted(world.sendMessage(request(payment.with({}))));
});

describe('a send that is too large', () => {
  const isKnown = async (transaction: Transaction) => {
    const { results } = await chain<{ results: { status: string }[] }>('getStatusForTxids', [transaction.id('hex')]);
    return results.some(({ status }) => status !== 'unknown');
  };
  const refusedForSize = async (sent: object, code: string, details: object) => {
    const answer = await world.expectRefused(world.sendMessage(sent), code);
    expect(JSON.parse(answer.text)).toMatchObject(details);
  };

  test('is refused before anything of its payment is taken, and the payment is good for a smaller one', async () => {
    const payment = await enough();
    const transaction = payment.transaction();
    // The body of the request.
    await refusedForSize(request(payment.with({}), { body: 'x'.repeat(10_485_760) }), 'ERR_BODY_TOO_LARGE', {
      field: 'requestBody',
      limit: 10_485_760,
    });
    // With its payment each quote takes four bytes in a list, which no client would read.
    await refusedForSize(request(payment.with({}), { body: '"'.repeat(4_000_000) }), 'ERR_INVALID_PAYMENT', {
      field: 'payment.tx',
      limit: 16_000_000,
    });
    // Without a payment's wrapper as well, when the body looks like one.
    const body = JSON.stringify({ message: '', quotes: '"'.repeat(2_000_000) });
    await refusedForSize(request(payment.with({}), { body }), 'ERR_MESSAGE_TOO_LARGE', {
      field: 'message.body',
      limit: 16_000_000,
    });
    // The name of the box, the id, the number of recipients.
    for (const [fields, code, field] of [
      [{ messageBox: 'b'.repeat(256) }, 'ERR_INVALID_MESSAGEBOX', 'messageBox'],
      [{ messageId: 'i'.repeat(257) }, 'ERR_INVALID_MESSAGEID', 'message.messageId'],
      [{ recipient: Array(101).fill(bob) }, 'ERR_TOO_MANY_RECIPIENTS', 'message.recipients'],
    ] as const) {
      await refusedForSize(request(payment.with({}), fields), code, { field });
    }
    expect(await isKnown(transaction)).toBe(false);
    const before = await world.server.rows();
    await world.expectAccepted(world.sendMessage(request(payment.with({}))));
    expect(await isKnown(transaction)).toBe(true);
    expect(await world.server.rows()).toMatchObject({
      satoshis: before.satoshis + FEES.delivery,
      messages: before.messages + 1,
    });
  });
});

async function publish(transaction: Transaction): Promise<void> {
  const beef = Buffer.from(transaction.toBEEF()).toString('base64');
  expect(await chain('postBeef', beef, [transaction.id('hex')])).toMatchObject([{ status: 'success' }]);
}

async function chain<T>(method: string, ...args: unknown[]): Promise<T> {
  const answer = await fetch(`${world.server.url}/development/chain`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ method, args }),
  });
  return ((await answer.json()) as { result: T }).result;
}
