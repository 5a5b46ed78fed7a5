import { MerklePath, PrivateKey, Transaction } from '@bsv/sdk';
import { described, type Free, freeMoney, type Paid, pay, spendFree } from '../support/brc29.ts';
import { RawClient, type Session } from './raw-client.ts';
import { uniqueId, World } from './refusals.ts';

/** What the box of these tests costs. */
const FEES = { delivery: 10, bob: 25, carol: 30 };
const MISER = PrivateKey.fromRandom();

let world: World;
let carol: Session;
/** A stranger to the message. */
const mallory = new RawClient().identityKey;
let server = '';
let bob = '';

beforeAll(async () => {
  const operator = new RawClient();
  world = await World.start({ ADMIN_IDENTITY_KEYS: operator.identityKey });
  server = world.server.identityKey;
  bob = world.recipient.client.identityKey;
  carol = await new RawClient().shakeHands(world.server.port);
  const admin = await operator.shakeHands(world.server.port);
  await world.taken(
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
      await world.taken(owner.post('/permissions/set', { messageBox, recipientFee }), owner);
    }
  }
});
afterAll(() => world.close());

/** A payment as a client would send it, every part of which can be replaced. */
class Payment {
  readonly paid: Paid[] = [];
  tx: unknown;
  outputs: unknown;

  static async to(...payees: (readonly [string, number, (PrivateKey | 'anyone')?])[]): Promise<Payment> {
    const payment = new Payment(await freeMoney(world.server.url, 100_000));
    for (const [payee, satoshis, payer] of payees) payment.paid.push(await pay(payee, satoshis, payer ?? 'anyone'));
    payment.outputs = payment.paid.map((one, i) => described(one, i));
    payment.tx = payment.transaction().toAtomicBEEF();
    return payment;
  }

  private constructor(readonly money: Free) {}

  transaction(): Transaction {
    return spendFree(
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
  world.refused(world.sendMessage(request(payment, fields)), code);
const bytesOf = (hexAscii: string) => [...Buffer.from(hexAscii)];

describe('payment', () => {
  test.each([{}, [], 'money', 7, true, { outputs: [] }, { tx: null }])('without a transaction: %j', async (payment) => {
    await refused(payment, 'ERR_MISSING_PAYMENT_TX');
  });

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

  test('cut off at either end, or with something behind', async () => {
    const payment = await enough();
    const tx = payment.tx as number[];
    for (const wrong of [tx.slice(0, -1), tx.slice(1), tx.slice(0, 40), [...tx, 0]]) {
      await refused(payment.with({ tx: wrong }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('the transaction alone, without what it spends', async () => {
    const payment = await enough();
    await refused(payment.with({ tx: payment.transaction().toBinary() }), 'ERR_INVALID_PAYMENT');
    const unproven = payment.transaction();
    const source = Transaction.fromBinary(Transaction.fromAtomicBEEF(payment.money.atomicBeef).toBinary());
    (unproven.inputs[0] as { sourceTransaction: Transaction }).sourceTransaction = source;
    await refused(payment.with({ tx: unproven.toAtomicBEEF(true) }), 'ERR_INVALID_PAYMENT');
  });

  test('a BEEF that is no AtomicBEEF', async () => {
    const payment = await enough();
    const transaction = payment.transaction();
    for (const tx of [transaction.toBEEF(), [...transaction.toBEEFUint8Array()]]) {
      await refused(payment.with({ tx }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('it is about another transaction than the one inside', async () => {
    const payment = await enough();
    const tx = [...(payment.tx as number[])];
    tx[4] = (tx[4] as number) ^ 1;
    await refused(payment.with({ tx }), 'ERR_INVALID_PAYMENT');
  });

  test('its proof is of no block of the chain', async () => {
    const payment = await enough();
    const { height } = await chain<{ height: number }>('findChainTipHeader');
    const made = payment.paid.map(({ output }) => output);
    for (const at of [1, height, height + 1, 4_000_000]) {
      // Money out of nothing, in a block of its own.
      const source = spendFree(payment.money, [{ satoshis: 1_000_000 + at, script: Uint8Array.of(0x51) }]);
      source.merklePath = new MerklePath(at, [[{ offset: 0, hash: source.id('hex'), txid: true }]]);
      const forged = spendFree({ atomicBeef: source.toAtomicBEEF(), outputIndex: 0 }, made);
      await refused(payment.with({ tx: forged.toAtomicBEEF() }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('its script fails', async () => {
    const payment = await enough();
    const locked = await Payment.to([mallory, 50_000]);
    // Spends what it has no signature for: an output of a transaction that is on its way itself.
    const thief = spendFree(
      { atomicBeef: locked.tx as number[], outputIndex: 0 },
      payment.paid.map(({ output }) => output),
    );
    await refused(payment.with({ tx: thief.toAtomicBEEF(true) }), 'ERR_INVALID_PAYMENT');
  });

  test('it is not final: its lock time keeps it out of blocks, and it can still be replaced', async () => {
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

  test('it pays out more than it takes in', async () => {
    const payment = await Payment.to([server, FEES.delivery], [bob, 200_000]);
    await refused(payment.with({}), 'ERR_INVALID_PAYMENT');
  });

  test('100,000 outputs', async () => {
    const payment = await enough();
    const many = Array.from({ length: 100_000 }, () => ({ satoshis: 0, script: Uint8Array.of(0x6a) }));
    const transaction = spendFree(payment.money, [...payment.paid.map(({ output }) => output), ...many]);
    await refused(payment.with({ tx: transaction.toAtomicBEEF() }), 'ERR_INVALID_PAYMENT');
  });

  test('it spends what is spent already', async () => {
    for (const messageBox of ['paid', 'inbox']) {
      const payment = messageBox === 'paid' ? await enough() : await Payment.to([bob, FEES.bob]);
      const rival = spendFree(payment.money, [{ satoshis: 5, script: Uint8Array.of(0x51) }]);
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
        described(i === wrong ? { ...one, remittance: { ...one.remittance, ...change } } : one, i),
      );
      await refused(payment.with({ outputs }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('none, or none for the server', async () => {
    const payment = await enough();
    const insertion = { outputIndex: 1, protocol: 'basket insertion', insertionRemittance: { basket: 'tokens' } };
    for (const outputs of [undefined, null, [], [insertion]]) {
      await refused(payment.with({ outputs }), 'ERR_MISSING_DELIVERY_OUTPUT');
    }
  });

  test('an index that is not there, below zero, no integer', async () => {
    const payment = await enough();
    for (const index of [2, 4_294_967_295, Number.MAX_SAFE_INTEGER, -1, 0.5, '0', null]) {
      const outputs = payment.paid.map((one, i) => described(one, i, i === 1 ? { outputIndex: index } : {}));
      await refused(payment.with({ outputs }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('the transaction does not pay', async () => {
    const payment = await Payment.to([mallory, 50_000]);
    const honest = await enough();
    await refused(payment.with({}), 'ERR_INVALID_PAYMENT');
    await refused(payment.with({ outputs: honest.outputs }), 'ERR_INVALID_PAYMENT');
  });

  test('one satoshi too little, for the server or for a recipient', async () => {
    const { delivery } = FEES;
    await refused((await Payment.to([server, delivery - 1], [bob, FEES.bob])).with({}), 'ERR_INSUFFICIENT_PAYMENT');
    await refused((await Payment.to([server, delivery], [bob, FEES.bob - 1])).with({}), 'ERR_INSUFFICIENT_PAYMENT');
    await refused((await Payment.to([bob, FEES.bob - 1])).with({}), 'ERR_INSUFFICIENT_PAYMENT', {
      messageBox: 'inbox',
    });
  });

  test('another key is paid', async () => {
    await refused((await Payment.to([mallory, FEES.delivery], [bob, FEES.bob])).with({}), 'ERR_INVALID_PAYMENT');
    await refused((await Payment.to([server, FEES.delivery], [mallory, FEES.bob])).with({}), 'ERR_INVALID_PAYMENT');
    // The recipient, but under a key that only the sender and the recipient can derive.
    await refused((await Payment.to([server, FEES.delivery], [bob, FEES.bob, MISER])).with({}), 'ERR_INVALID_PAYMENT');
  });

  test('somebody is named whom the output does not pay', async () => {
    const payment = await enough();
    for (const recipientIdentityKey of [mallory, server, 'bob', 7]) {
      const outputs = payment.paid.map((one, i) =>
        described(one, i, i === 1 ? { customInstructions: JSON.stringify({ recipientIdentityKey }) } : {}),
      );
      await refused(payment.with({ outputs }), 'ERR_INVALID_PAYMENT');
    }
  });

  test('one output for two recipients, or for recipient and server', async () => {
    const both = () => ({ recipient: [bob, carol.client.identityKey], messageId: [uniqueId(), uniqueId()] });
    const payment = await Payment.to([server, 1_000], [bob, 1_000]);
    const [first, second] = payment.outputs as [object, object];
    await refused(payment.with({}), 'ERR_INSUFFICIENT_OUTPUTS', both());
    await refused(payment.with({ outputs: [first, second, second] }), 'ERR_INVALID_PAYMENT', both());
    await refused(payment.with({ outputs: [first, first] }), 'ERR_INVALID_PAYMENT');
    await refused(payment.with({ outputs: [first] }), 'ERR_MISSING_RECIPIENT_OUTPUTS');
    const twice = await Payment.to([server, 1_000], [bob, 1_000], [bob, 1_000]);
    const named = twice.paid.map((one, i) =>
      described(one, i, i > 0 ? { customInstructions: { recipientIdentityKey: bob } } : {}),
    );
    await refused(twice.with({ outputs: named }), 'ERR_MISSING_RECIPIENT_OUTPUTS', both());
  });
});

test('what was taken already pays for nothing else', async () => {
  const payment = await enough();
  const sent = request(payment.with({}));
  const before = await world.server.rows();
  await world.taken(world.sendMessage(sent));
  const after = await world.server.rows();
  expect(after).toMatchObject({ satoshis: before.satoshis + FEES.delivery, messages: before.messages + 1 });
  await refused(payment.with({}), 'ERR_PAYMENT_REUSED');
  await world.refused(carol.post('/sendMessage', request(payment.with({}))), 'ERR_PAYMENT_REUSED', carol);
  expect(await world.taken(world.sendMessage(sent))).toMatchObject({ status: 'success' });
  expect(await world.server.rows()).toEqual(after);
});

test('a blocked sender pays nothing', async () => {
  const payment = await enough();
  const { identityKey } = world.sender.client;
  const block = (recipientFee: number) =>
    world.taken(
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
  await world.taken(world.sendMessage(request(payment.with({}))));
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
