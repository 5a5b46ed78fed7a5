import { describePrices, getListPrice, getSendPrice, hasSendPrice, type PriceList } from '../src/index.js';

const FREE: PriceList = {
  perSend: 0,
  perRecipient: 0,
  perKib: 0,
  perMibMonth: 0,
  perListPage: 0,
  storageDays: 30,
  exemptsAllowed: false,
};
const NOTHING = { recipients: 1, requestBytes: 0, storedBytes: 0 };
const MIB = 1_048_576;

test('without prices everything is free', () => {
  const size = { recipients: 1_000, requestBytes: 10 * MIB, storedBytes: 64 * MIB };
  expect([getSendPrice(FREE, size), getListPrice(FREE), hasSendPrice(FREE)]).toEqual([0, 0, false]);
});

test('a send costs the base once, and each recipient', () => {
  const prices = { ...FREE, perSend: 3_000_000, perRecipient: 2_000_000 };
  expect(getSendPrice(prices, NOTHING)).toBe(5);
  expect(getSendPrice(prices, { ...NOTHING, recipients: 10 })).toBe(23);
});

test('a send to nobody who costs something is free', () => {
  const prices = { ...FREE, perSend: 3_000_000, perKib: 1_000_000 };
  expect(getSendPrice(prices, { recipients: 0, requestBytes: 5_000, storedBytes: 0 })).toBe(0);
});

test('a request costs to the byte, and the sum is rounded up once', () => {
  const prices = { ...FREE, perSend: 250_000, perKib: 1_000_000 };
  const costs = (requestBytes: number) => getSendPrice(prices, { ...NOTHING, requestBytes });
  expect([costs(0), costs(768), costs(769), costs(1_792), costs(1_793)]).toEqual([1, 1, 2, 2, 3]);
});

test.each([
  [30, 10],
  [1, 1],
  [3, 1],
  [4, 2],
  [365, 122],
])('what is stored for %d days costs %d satoshis', (storageDays, satoshis) => {
  const prices = { ...FREE, perMibMonth: 10_000_000, storageDays };
  expect(getSendPrice(prices, { ...NOTHING, storedBytes: MIB })).toBe(satoshis);
});

test('decimals add up exactly, where floating-point numbers do not', () => {
  // 0.1 + 0.1 + 0.1 is more than 0.3 in floating-point numbers; so would be the price.
  const prices = { ...FREE, perSend: 700_000, perRecipient: 100_000 };
  expect(getSendPrice(prices, { ...NOTHING, recipients: 3 })).toBe(1);
  expect(getSendPrice({ ...FREE, perSend: 1 }, NOTHING)).toBe(1);
});

test('a price is never more than can be asked for', () => {
  const prices = { ...FREE, perMibMonth: 10_000_000_000_000, storageDays: 36_525 };
  expect(getSendPrice(prices, { ...NOTHING, storedBytes: 64 * MIB * 1_000 })).toBe(2 ** 48 - 1);
});

test('a list costs its price, rounded up', () => {
  expect(getListPrice({ ...FREE, perListPage: 1 })).toBe(1);
  expect(getListPrice({ ...FREE, perListPage: 2_000_000 })).toBe(2);
  expect(getListPrice({ ...FREE, perListPage: 2_000_001 })).toBe(3);
});

test('clients read the prices in satoshis', () => {
  const prices = { ...FREE, perSend: 2_500_000, perKib: 1, exemptsAllowed: true };
  expect(describePrices(prices)).toEqual({
    perSend: 2.5,
    perRecipient: 0,
    perKib: 0.000001,
    perMibMonth: 0,
    perListPage: 0,
    storageDays: 30,
    exemptsAllowed: true,
  });
});
