import { DELIVERY_FEE_MAX_AGE_MS, DeliveryFees } from '../src/fees/delivery-fees.js';
import { type ServerFee, StoreUnavailableError } from '../src/store/index.js';

const updatedAt = new Date(0);
const failure = new StoreUnavailableError(new Error('away'));
let inDatabase: ServerFee[];
let now: number;
const store = {
  all: jest.fn(async () => inDatabase),
  set: jest.fn(async (messageBox: string, deliveryFee: number) => {
    const fee = { messageBox, deliveryFee, updatedAt };
    inDatabase = [...inDatabase.filter((one) => one.messageBox !== messageBox), fee];
    return fee;
  }),
};
let fees: DeliveryFees;

beforeEach(() => {
  jest.clearAllMocks();
  now = 0;
  inDatabase = [{ messageBox: 'notifications', deliveryFee: 10, updatedAt }];
  fees = new DeliveryFees(store, () => now);
});

test('a box without a fee is delivered for nothing', async () => {
  expect(await fees.feeFor('notifications')).toBe(10);
  expect(await fees.feeFor('inbox')).toBe(0);
});

test('a server that cannot take money charges nothing, and still tells what is set', async () => {
  const free = new DeliveryFees(store, () => now, false);
  expect(await free.feeFor('notifications')).toBe(0);
  expect(await free.all()).toEqual(inDatabase);
});

test('is read once while it is young, whoever asks', async () => {
  await Promise.all([fees.feeFor('a'), fees.feeFor('b'), fees.feeFor('c')]);
  now = DELIVERY_FEE_MAX_AGE_MS - 1;
  expect(await fees.feeFor('notifications')).toBe(10);
  expect(store.all).toHaveBeenCalledTimes(1);
});

test('a change by somebody else is obeyed when the bound is reached', async () => {
  await fees.feeFor('inbox');
  inDatabase = [{ messageBox: 'inbox', deliveryFee: 3, updatedAt }];
  now = DELIVERY_FEE_MAX_AGE_MS - 1;
  expect(await fees.feeFor('inbox')).toBe(0);
  now = DELIVERY_FEE_MAX_AGE_MS;
  expect(await fees.feeFor('inbox')).toBe(3);
  expect(await fees.feeFor('notifications')).toBe(0);
});

test('the age counts from the beginning of the reading', async () => {
  let answer: (rows: ServerFee[]) => void = () => {};
  store.all.mockReturnValueOnce(new Promise<ServerFee[]>((resolve) => (answer = resolve)));
  const waiting = fees.feeFor('inbox');
  now = DELIVERY_FEE_MAX_AGE_MS;
  answer([]);
  await waiting;
  await fees.feeFor('inbox');
  expect(store.all).toHaveBeenCalledTimes(2);
});

test('what is too old is not used when it cannot be read, and the next try may work', async () => {
  await fees.feeFor('inbox');
  now = DELIVERY_FEE_MAX_AGE_MS;
  store.all.mockRejectedValueOnce(failure);
  await expect(fees.feeFor('inbox')).rejects.toBe(failure);
  expect(await fees.feeFor('notifications')).toBe(10);
});

test('an own change counts at once, also against a reading from before it', async () => {
  let answer: (rows: ServerFee[]) => void = () => {};
  store.all.mockReturnValueOnce(new Promise<ServerFee[]>((resolve) => (answer = resolve)));
  const before = fees.feeFor('inbox');
  expect(await fees.set('inbox', 4)).toEqual({ messageBox: 'inbox', deliveryFee: 4, updatedAt });
  expect(await fees.feeFor('inbox')).toBe(4);
  answer([]);
  expect(await before).toBe(0);
  expect(await fees.feeFor('inbox')).toBe(4);
});

test('a change that failed may have been made: it is read again', async () => {
  await fees.feeFor('inbox');
  store.set.mockRejectedValueOnce(failure);
  await expect(fees.set('inbox', 4)).rejects.toBe(failure);
  inDatabase = [{ messageBox: 'inbox', deliveryFee: 4, updatedAt }];
  expect(await fees.feeFor('inbox')).toBe(4);
});

test('a fee below nothing, in a database that was taken over, is nothing', async () => {
  inDatabase = [{ messageBox: 'inbox', deliveryFee: -5, updatedAt }];
  expect(await fees.feeFor('inbox')).toBe(0);
});
