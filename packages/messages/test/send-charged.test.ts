import {
  type MessageStore,
  openDatabase,
  type PermissionStore,
  SqlPermissionStore,
  StoreUnavailableError,
  type TransactionHook,
} from '@messagebox/store';
import { toStoredBodyWithPayment } from '../src/message-body.js';
import { parseSend } from '../src/parse-send.js';
import type { DeliverPaidMessages, DuePayment } from '../src/payment-processor.js';
import { RuleError } from '../src/rule-error.js';
import { type SendMessagesOptions, sendMessages } from '../src/send-messages.js';

const ALICE = `02${'a'.repeat(64)}`;
const BOB = `03${'b'.repeat(64)}`;
const CAROL = `02${'c'.repeat(64)}`;
const DAVE = `03${'d'.repeat(64)}`;
const payment = { tx: [1, 2, 3], outputs: [] };

let store: MessageStore;
let permissions: PermissionStore;
let parts: SendMessagesOptions & { deliveryFees: { feeFor: jest.Mock } };
let pushed: { recipient: string; body: string }[];
let taken: DuePayment[];
let ids = 0;

/** Stores a part of the payment with each message whose recipient has a fee. */
const deliverWith = async (due: DuePayment, store: DeliverPaidMessages, alongside: TransactionHook) => {
  const messages = due.messages.map(({ message, fee }) =>
    fee > 0
      ? { ...message, body: toStoredBodyWithPayment(due.body, JSON.stringify({ for: message.recipient })) }
      : message,
  );
  await store({ messages, liveBody: due.body }, alongside);
};
const processor = {
  deliver: jest.fn(async (due: DuePayment, store: DeliverPaidMessages) => {
    taken.push(due);
    await deliverWith(due, store, async () => undefined);
  }),
  isSettled: jest.fn(async () => false),
};
const dueFor = ({ messages }: DuePayment) =>
  messages.map(({ message: { recipient, messageId }, fee }) => ({ recipient, messageId, fee }));

beforeEach(async () => {
  const database = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  store = database.messages;
  await store.migrate();
  permissions = new SqlPermissionStore(database.sql);
  pushed = [];
  taken = [];
  processor.deliver.mockClear();
  parts = {
    store,
    permissions,
    deliveryFees: { feeFor: jest.fn(async () => 0) },
    events: { publish: ({ recipient, body }) => void pushed.push({ recipient, body }) },
  };
});

afterEach(() => store.close());

const normaliseKey = (key: string) => (/^0[23][0-9a-f]{64}$/.test(key) ? key : undefined);
const send = (options: SendMessagesOptions, sender: string, request: object) =>
  sendMessages(options, parseSend({ normaliseKey, maxRecipients: 100 }, sender, request));
const fee = (recipient: string, recipientFee: number, sender: string | undefined = undefined) =>
  permissions.set({ recipient, sender, messageBox: 'inbox', recipientFee });
const toAll = (recipients: string[], over: object = {}) => ({
  message: { recipients, messageBox: 'inbox', messageId: recipients.map(() => `id-${++ids}`), body: 'hello', ...over },
});
const bodies = async (recipient: string) =>
  (await store.listMessages({ recipient, messageBox: 'inbox', maxBytes: 1e6 })).messages.map(({ body }) => body);
const refusal = async (request: object, by: Partial<SendMessagesOptions> = {}) => {
  const error = await send({ ...parts, ...by }, ALICE, request).catch((thrown: unknown) => thrown);
  if (!(error instanceof RuleError)) throw error;
  const { code, status, details } = error;
  return { code, status, details };
};
const nothingHappened = async () => {
  for (const one of [BOB, CAROL, DAVE]) expect(await bodies(one)).toEqual([]);
  expect(pushed).toEqual([]);
  expect(taken).toEqual([]);
};

test('sends a free message without asking what is stored', async () => {
  const areStored = jest.spyOn(store, 'areStored');
  await send(parts, ALICE, toAll([BOB, CAROL]));
  expect(areStored).not.toHaveBeenCalled();
  expect(await bodies(BOB)).toEqual(['hello']);
});

test('refuses a whole batch when a recipient has blocked the sender, and names the recipient once', async () => {
  await fee(CAROL, -1);
  await fee(DAVE, -1, ALICE);
  await fee(BOB, 5);
  expect(await refusal(toAll([BOB, CAROL, DAVE, CAROL]))).toEqual({
    code: 'ERR_DELIVERY_BLOCKED',
    status: 403,
    details: { blockedRecipients: [CAROL, DAVE] },
  });
  expect(await refusal({ ...toAll([BOB, CAROL]), payment }, { payments: processor })).toMatchObject({
    code: 'ERR_DELIVERY_BLOCKED',
  });
  await nothingHappened();
});

test.each([
  ['a recipient', async () => await fee(BOB, 1)],
  ['the server', async () => void parts.deliveryFees.feeFor.mockResolvedValue(1)],
])('refuses a send without a payment when %s has a fee', async (_who, charge) => {
  await charge();
  for (const by of [{}, { payments: processor }]) {
    expect(await refusal(toAll([BOB, CAROL]), by)).toMatchObject({ code: 'ERR_MISSING_PAYMENT_TX', status: 400 });
  }
  await nothingHappened();
});

test('refuses a payment when none can be taken, whether or not it is due', async () => {
  expect(await refusal({ ...toAll([BOB]), payment })).toMatchObject({ code: 'ERR_PAYMENT_NOT_SUPPORTED' });
  await fee(BOB, 1);
  expect(await refusal({ ...toAll([BOB]), payment })).toMatchObject({ code: 'ERR_PAYMENT_NOT_SUPPORTED' });
  await nothingHappened();
});

test('takes one payment for all recipients, and gives each its part', async () => {
  await fee(BOB, 7);
  await fee(DAVE, 9);
  parts.deliveryFees.feeFor.mockResolvedValue(3);
  const request = { ...toAll([BOB, CAROL, DAVE]), payment };
  await send({ ...parts, payments: processor }, ALICE, request);
  const [first, second, third] = request.message.messageId;
  expect(taken).toMatchObject([{ sender: ALICE, payment, deliveryFee: 3, body: 'hello' }]);
  expect(taken.map(dueFor)).toEqual([
    [
      { recipient: BOB, messageId: first, fee: 7 },
      { recipient: CAROL, messageId: second, fee: 0 },
      { recipient: DAVE, messageId: third, fee: 9 },
    ],
  ]);
  expect((await bodies(BOB)).map((body) => JSON.parse(body))).toEqual([{ message: 'hello', payment: { for: BOB } }]);
  expect(await bodies(CAROL)).toEqual(['hello']);
  expect((await bodies(DAVE)).map((body) => JSON.parse(body))).toEqual([{ message: 'hello', payment: { for: DAVE } }]);
  // The live body stays as it was sent.
  expect(pushed.map(({ body }) => body)).toEqual(['hello', 'hello', 'hello']);
});

test('writes the records of the payment together with the messages, or neither', async () => {
  await fee(BOB, 7);
  const withWrites = (alongside: TransactionHook) => ({
    payments: {
      ...processor,
      deliver: (due: DuePayment, store: DeliverPaidMessages) => deliverWith(due, store, alongside),
    },
  });
  const told: string[] = [];
  const request = { ...toAll([BOB]), payment };
  const failing = withWrites(async () => {
    throw new Error('no');
  });
  await expect(send({ ...parts, ...failing }, ALICE, request)).rejects.toThrow(StoreUnavailableError);
  await nothingHappened();
  const writing = withWrites(async (_runner, stored) => void told.push(...stored.map(({ messageId }) => messageId)));
  await send({ ...parts, ...writing }, ALICE, request);
  expect(told).toEqual(request.message.messageId);
  expect(await bodies(BOB)).toHaveLength(1);
});

test('refuses the send when the payment processor refuses', async () => {
  await fee(BOB, 7);
  processor.deliver.mockRejectedValueOnce(new RuleError('ERR_MISSING_PAYMENT_TX', 'Nothing in it.'));
  const request = { ...toAll([BOB]), payment };
  expect(await refusal(request, { payments: processor })).toMatchObject({ code: 'ERR_MISSING_PAYMENT_TX' });
  await nothingHappened();
});

test('passes a payment for a free send to the payment processor', async () => {
  await send({ ...parts, payments: processor }, ALICE, { ...toAll([BOB]), payment });
  expect(taken.map(dueFor)).toMatchObject([[{ recipient: BOB, fee: 0 }]]);
  expect(await bodies(BOB)).toEqual(['hello']);
});

describe('a message that is stored already', () => {
  test('is a success without a payment, and the second payment is not taken', async () => {
    await fee(BOB, 7);
    parts.deliveryFees.feeFor.mockResolvedValue(3);
    const request = toAll([BOB]);
    const first = await send({ ...parts, payments: processor }, ALICE, { ...request, payment });
    const [stored] = await bodies(BOB);
    expect(await send({ ...parts, payments: processor }, ALICE, { ...request, payment })).toEqual(first);
    expect(await send({ ...parts, payments: processor }, ALICE, request)).toEqual(first);
    expect(await send(parts, ALICE, request)).toEqual(first);
    expect(processor.deliver).toHaveBeenCalledTimes(1);
    expect(await bodies(BOB)).toEqual([stored]);
    expect(pushed).toHaveLength(1);
  });

  test('is a success for a sender who has been blocked since', async () => {
    const request = toAll([BOB]);
    const first = await send(parts, ALICE, request);
    await fee(BOB, -1);
    expect(await send(parts, ALICE, request)).toEqual(first);
    expect(await refusal(toAll([BOB]))).toMatchObject({ code: 'ERR_DELIVERY_BLOCKED' });
    expect(await bodies(BOB)).toEqual(['hello']);
  });

  test('costs nothing in a batch with new ones, like a repetition within the batch', async () => {
    const old = toAll([BOB]);
    await send(parts, ALICE, old);
    await fee(BOB, 7);
    await fee(CAROL, 9);
    const [oldId] = old.message.messageId;
    const request = toAll([BOB, CAROL, CAROL, DAVE], { messageId: [oldId, 'new', 'new', 'other'] });
    const answer = await send({ ...parts, payments: processor }, ALICE, { ...request, payment });
    expect(answer.messageId).toEqual([oldId, 'new', 'new', 'other']);
    // The sender, who does not know that it is stored, may have paid for it.
    expect(taken[0]?.messages.map(({ isStored }) => isStored)).toEqual([true, false, false]);
    expect(taken.flatMap(dueFor)).toEqual([
      { recipient: BOB, messageId: oldId, fee: 0 },
      { recipient: CAROL, messageId: 'new', fee: 9 },
      { recipient: DAVE, messageId: 'other', fee: 0 },
    ]);
    expect(await bodies(BOB)).toEqual(['hello']);
    expect(await bodies(CAROL)).toHaveLength(1);
  });

  test('is refused from another sender before a payment is taken', async () => {
    const request = toAll([BOB]);
    await send(parts, CAROL, request);
    await fee(BOB, 7);
    expect(await refusal({ ...request, payment }, { payments: processor })).toMatchObject({
      code: 'ERR_DUPLICATE_MESSAGE',
    });
    expect(taken).toEqual([]);
  });
});

test.each(['permissions', 'deliveryFees'] as const)('refuses the send when %s cannot be read', async (name) => {
  const away = jest.fn().mockRejectedValue(new StoreUnavailableError(new Error('away')));
  const broken = { [name]: name === 'permissions' ? { decisions: away } : { feeFor: away } };
  for (const request of [toAll([BOB]), toAll([BOB, CAROL])]) {
    await expect(send({ ...parts, ...broken }, ALICE, request)).rejects.toThrow(StoreUnavailableError);
  }
  expect(away).toHaveBeenCalledTimes(2);
  await nothingHappened();
});
