import { type ServerFee, StoreUnavailableError } from '@messagebox/store';
import { DELIVERY_FEE_MAX_AGE_MS, DeliveryFees } from '../src/fees/delivery-fees.js';

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

test('delivers into a box without a fee for free', async () => {
  expect(await fees.feeFor('notifications')).toBe(10);
  expect(await fees.feeFor('inbox')).toBe(0);
});

test('charges nothing on a server that cannot receive money, and still lists the fees', async () => {
  const free = new DeliveryFees(store, () => now, false);
  expect(await free.feeFor('notifications')).toBe(0);
  expect(await free.all()).toEqual(inDatabase);
});

test('reads the fees once while the cache is valid', async () => {
  await Promise.all([fees.feeFor('a'), fees.feeFor('b'), fees.feeFor('c')]);
  now = DELIVERY_FEE_MAX_AGE_MS - 1;
  expect(await fees.feeFor('notifications')).toBe(10);
  expect(store.all).toHaveBeenCalledTimes(1);
});

test('uses a change by another instance when the cache has expired', async () => {
  await fees.feeFor('inbox');
  inDatabase = [{ messageBox: 'inbox', deliveryFee: 3, updatedAt }];
  now = DELIVERY_FEE_MAX_AGE_MS - 1;
  expect(await fees.feeFor('inbox')).toBe(0);
  now = DELIVERY_FEE_MAX_AGE_MS;
  expect(await fees.feeFor('inbox')).toBe(3);
  expect(await fees.feeFor('notifications')).toBe(0);
});

test('counts the age of the cache from the start of the read', async () => {
  let answer: (rows: ServerFee[]) => void = () => {};
  store.all.mockReturnValueOnce(new Promise<ServerFee[]>((resolve) => (answer = resolve)));
  const waiting = fees.feeFor('inbox');
  now = DELIVERY_FEE_MAX_AGE_MS;
  answer([]);
  await waiting;
  await fees.feeFor('inbox');
  expect(store.all).toHaveBeenCalledTimes(2);
});

test('does not use expired fees when they cannot be read, and reads again at the next call', async () => {
  await fees.feeFor('inbox');
  now = DELIVERY_FEE_MAX_AGE_MS;
  store.all.mockRejectedValueOnce(failure);
  await expect(fees.feeFor('inbox')).rejects.toBe(failure);
  expect(await fees.feeFor('notifications')).toBe(10);
});

test('uses its own change at once, even when an earlier read ends after it', async () => {
  let answer: (rows: ServerFee[]) => void = () => {};
  store.all.mockReturnValueOnce(new Promise<ServerFee[]>((resolve) => (answer = resolve)));
  const before = fees.feeFor('inbox');
  expect(await fees.set('inbox', 4)).toEqual({ messageBox: 'inbox', deliveryFee: 4, updatedAt });
  expect(await fees.feeFor('inbox')).toBe(4);
  answer([]);
  expect(await before).toBe(0);
  expect(await fees.feeFor('inbox')).toBe(4);
});

test('reads the fees again after a failed change, which may have been made', async () => {
  await fees.feeFor('inbox');
  store.set.mockRejectedValueOnce(failure);
  await expect(fees.set('inbox', 4)).rejects.toBe(failure);
  inDatabase = [{ messageBox: 'inbox', deliveryFee: 4, updatedAt }];
  expect(await fees.feeFor('inbox')).toBe(4);
});

test('treats a negative fee of an upgraded database as 0', async () => {
  inDatabase = [{ messageBox: 'inbox', deliveryFee: -5, updatedAt }];
  expect(await fees.feeFor('inbox')).toBe(0);
});

test('shows the last fees that were read while they cannot be read again, and never charges them', async () => {
  store.all.mockRejectedValueOnce(failure);
  expect(await fees.latest()).toBeUndefined();
  expect(await fees.latest()).toEqual(new Map([['notifications', 10]]));
  now = DELIVERY_FEE_MAX_AGE_MS;
  store.all.mockRejectedValue(failure);
  expect(await fees.latest()).toEqual(new Map([['notifications', 10]]));
  await expect(fees.feeFor('notifications')).rejects.toBe(failure);
  store.all.mockImplementation(async () => inDatabase);
  inDatabase = [];
  expect(await fees.latest()).toEqual(new Map());
});

test('shows no fees on a server that charges none', async () => {
  expect(await new DeliveryFees(store, () => now, false).latest()).toEqual(new Map());
  expect(store.all).not.toHaveBeenCalled();
});
