import { randomBytes } from 'node:crypto';
import { PricePrefixes } from '../src/price-prefixes.js';

const key = randomBytes(32);
const prefixes = new PricePrefixes(key);
const [alice, bob] = [`02${'a'.repeat(64)}`, `03${'b'.repeat(64)}`];
const request = randomBytes(32);
const now = new Date('2026-11-30T12:00:00.123Z');
const offer = { sender: alice, request, satoshis: 123_456_789_012, now };

test('a prefix has 48 bytes in base64, and holds time, amount and request', () => {
  const prefix = prefixes.create(offer);
  expect(prefix).toMatch(/^[A-Za-z0-9+/]{64}$/);
  const opened = prefixes.open(prefix, alice);
  expect(opened).toMatchObject({ satoshis: 123_456_789_012, issuedAt: now });
  expect(opened?.isFor(request)).toBe(true);
  expect(opened?.isFor(randomBytes(32))).toBe(false);
});

test('the highest price fits', () => {
  const satoshis = 2 ** 48 - 1;
  expect(prefixes.open(prefixes.create({ ...offer, satoshis }), alice)?.satoshis).toBe(satoshis);
});

test('another instance with the same key opens it; a server with another key does not', () => {
  const prefix = prefixes.create(offer);
  expect(new PricePrefixes(key).open(prefix, alice)).toBeDefined();
  expect(new PricePrefixes(randomBytes(32)).open(prefix, alice)).toBeUndefined();
});

test('only the identity that was asked can use it', () => {
  expect(prefixes.open(prefixes.create(offer), bob)).toBeUndefined();
});

test('a changed bit of time, amount or the code of the identity makes it invalid', () => {
  const bytes = Buffer.from(prefixes.create(offer), 'base64');
  for (let at = 0; at < 32; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (bytes[at] as number) ^ 1;
    expect(prefixes.open(changed.toString('base64'), alice)).toBeUndefined();
  }
});

test('a changed code of the request makes it good for no request at the old price', () => {
  const bytes = Buffer.from(prefixes.create(offer), 'base64');
  for (let at = 32; at < 48; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (bytes[at] as number) ^ 1;
    expect(prefixes.open(changed.toString('base64'), alice)?.isFor(request)).toBe(false);
  }
});

test.each(['', 'garbage', 'A'.repeat(64), 'A'.repeat(63), `${'A'.repeat(62)}==`, '-'.repeat(64), 'ü'.repeat(64)])(
  'what no server has made is not opened: %j',
  (text) => expect(prefixes.open(text, alice)).toBeUndefined(),
);
