import { randomBytes } from 'node:crypto';
import { SessionNotFoundError } from '../src/errors.js';
import { createSessionNonces } from '../src/session-nonce.js';

const SERVER = `02${'ab'.repeat(32)}`;
const CLIENT = `03${'cd'.repeat(32)}`;
const SECRET = Buffer.alloc(32, 1);
const ISSUED_AT = 1_768_600_000_123;
const nonces = createSessionNonces([SECRET], SERVER);

const flip = (bytes: Buffer, at: number, bit: number) => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy.toString('base64');
};

test('a nonce has 48 bytes in 64 characters of base64, and opens with what it was minted with', () => {
  const { nonce, handle, issuedAt } = nonces.mint(CLIENT, ISSUED_AT);
  expect(nonce).toMatch(/^[A-Za-z0-9+/]{64}$/);
  expect(handle).toHaveLength(16);
  expect(issuedAt).toBe(ISSUED_AT);
  expect(nonces.open(nonce, CLIENT)).toEqual({ handle, issuedAt });
});

test('two nonces for the same client differ, and name neither party', () => {
  const [first, second] = [nonces.mint(CLIENT, ISSUED_AT), nonces.mint(CLIENT, ISSUED_AT)];
  expect(first.nonce).not.toBe(second.nonce);
  expect(first.handle.equals(second.handle)).toBe(false);
  for (const key of [CLIENT, SERVER]) {
    expect(Buffer.from(first.nonce, 'base64').includes(Buffer.from(key.slice(2, 34), 'hex'))).toBe(false);
  }
});

test('a nonce of another client is not found', () => {
  const { nonce } = nonces.mint(CLIENT, ISSUED_AT);
  for (const other of [`02${'cd'.repeat(32)}`, SERVER, '', 'self', CLIENT.slice(2), `${CLIENT}00`]) {
    expect(() => nonces.open(nonce, other)).toThrow(SessionNotFoundError);
  }
});

test('every changed bit is noticed', () => {
  const bytes = Buffer.from(nonces.mint(CLIENT, ISSUED_AT).nonce, 'base64');
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      expect(() => nonces.open(flip(bytes, at, bit), CLIENT)).toThrow(SessionNotFoundError);
    }
  }
});

test('every other length and every other spelling is not found', () => {
  const { nonce } = nonces.mint(CLIENT, ISSUED_AT);
  for (let length = 0; length < nonce.length; length++) {
    expect(() => nonces.open(nonce.slice(0, length), CLIENT)).toThrow(SessionNotFoundError);
  }
  const others: unknown[] = [
    ...[47, 49, 120].map((size) => randomBytes(size).toString('base64')),
    ...[`${nonce}AAAA`, ` ${nonce}`, `${nonce}\n`, nonce.replace(/.$/, '='), `${nonce}==`, ''],
    ...[
      `-${nonce.slice(1)}`,
      `_${nonce.slice(1)}`,
      randomBytes(48).toString('base64'),
      randomBytes(48).toString('hex'),
    ],
    ...['A'.repeat(100_000), null, undefined, 5, {}, [nonce]],
  ];
  for (const other of others) expect(() => nonces.open(other as string, CLIENT)).toThrow(SessionNotFoundError);
});

test('another secret or another server identity does not verify it', () => {
  const { nonce } = nonces.mint(CLIENT, ISSUED_AT);
  expect(() => createSessionNonces([Buffer.alloc(32, 2)], SERVER).open(nonce, CLIENT)).toThrow(SessionNotFoundError);
  expect(() => createSessionNonces([SECRET], `03${'ab'.repeat(32)}`).open(nonce, CLIENT)).toThrow(SessionNotFoundError);
});

test('secrets rotate: the first mints, all verify, a dropped one no longer does', () => {
  const [old, young] = [Buffer.alloc(32, 1), Buffer.alloc(40, 2)];
  const before = createSessionNonces([old], SERVER);
  const during = createSessionNonces([young, old], SERVER);
  const after = createSessionNonces([young], SERVER);
  const [oldNonce, youngNonce] = [before.mint(CLIENT, ISSUED_AT).nonce, during.mint(CLIENT, ISSUED_AT).nonce];
  expect(during.open(oldNonce, CLIENT).issuedAt).toBe(ISSUED_AT);
  expect(after.open(youngNonce, CLIENT).issuedAt).toBe(ISSUED_AT);
  expect(() => before.open(youngNonce, CLIENT)).toThrow(SessionNotFoundError);
  expect(() => after.open(oldNonce, CLIENT)).toThrow(SessionNotFoundError);
});

test('all of 300 secrets verify their own nonces, although their one-byte ids must collide', () => {
  const secrets = Array.from({ length: 300 }, (_, i) => Buffer.alloc(32, `secret ${i}`));
  const verifier = createSessionNonces(secrets, SERVER);
  for (const secret of secrets) {
    const { nonce, handle } = createSessionNonces([secret], SERVER).mint(CLIENT, ISSUED_AT);
    expect(verifier.open(nonce, CLIENT)).toEqual({ handle, issuedAt: ISSUED_AT });
  }
});

test('bad secrets and identities are refused', () => {
  expect(() => createSessionNonces([], SERVER)).toThrow('At least one');
  expect(() => createSessionNonces([Buffer.alloc(31, 1)], SERVER)).toThrow('32 bytes');
  for (const identityKey of ['self', '', CLIENT.slice(2)]) {
    expect(() => nonces.mint(identityKey, ISSUED_AT)).toThrow(RangeError);
  }
});
