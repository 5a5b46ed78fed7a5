import { randomBytes } from 'node:crypto';
import { SessionNotFoundError } from '../src/errors.js';
import { createSessionNonceCodec } from '../src/session-nonce.js';

const SERVER = `02${'ab'.repeat(32)}`;
const CLIENT = `03${'cd'.repeat(32)}`;
const SECRET = Buffer.alloc(32, 1);
const ISSUED_AT = 1_768_600_000_123;
const nonces = createSessionNonceCodec([SECRET], SERVER);

const flip = (bytes: Buffer, at: number, bit: number) => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy.toString('base64');
};

test('a nonce has 48 bytes in 64 characters of base64, and verifies with its content', () => {
  const { nonce, handle, issuedAt } = nonces.mint(CLIENT, ISSUED_AT);
  expect(nonce).toMatch(/^[A-Za-z0-9+/]{64}$/);
  expect(handle).toHaveLength(16);
  expect(issuedAt).toBe(ISSUED_AT);
  expect(nonces.verify(nonce, CLIENT)).toEqual({ handle, issuedAt });
});

test('two nonces for the same client differ, and contain the key of neither party', () => {
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
    expect(() => nonces.verify(nonce, other)).toThrow(SessionNotFoundError);
  }
});

test('a nonce with any changed bit is not found', () => {
  const bytes = Buffer.from(nonces.mint(CLIENT, ISSUED_AT).nonce, 'base64');
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      expect(() => nonces.verify(flip(bytes, at, bit), CLIENT)).toThrow(SessionNotFoundError);
    }
  }
});

test('a nonce of another length or spelling is not found', () => {
  const { nonce } = nonces.mint(CLIENT, ISSUED_AT);
  for (let length = 0; length < nonce.length; length++) {
    expect(() => nonces.verify(nonce.slice(0, length), CLIENT)).toThrow(SessionNotFoundError);
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
  for (const other of others) expect(() => nonces.verify(other as string, CLIENT)).toThrow(SessionNotFoundError);
});

test('a nonce does not verify with another secret or another server identity', () => {
  const { nonce } = nonces.mint(CLIENT, ISSUED_AT);
  expect(() => createSessionNonceCodec([Buffer.alloc(32, 2)], SERVER).verify(nonce, CLIENT)).toThrow(
    SessionNotFoundError,
  );
  expect(() => createSessionNonceCodec([SECRET], `03${'ab'.repeat(32)}`).verify(nonce, CLIENT)).toThrow(
    SessionNotFoundError,
  );
});

test('the first secret mints, all secrets verify, and a dropped secret does not verify', () => {
  const [old, young] = [Buffer.alloc(32, 1), Buffer.alloc(40, 2)];
  const before = createSessionNonceCodec([old], SERVER);
  const during = createSessionNonceCodec([young, old], SERVER);
  const after = createSessionNonceCodec([young], SERVER);
  const [oldNonce, youngNonce] = [before.mint(CLIENT, ISSUED_AT).nonce, during.mint(CLIENT, ISSUED_AT).nonce];
  expect(during.verify(oldNonce, CLIENT).issuedAt).toBe(ISSUED_AT);
  expect(after.verify(youngNonce, CLIENT).issuedAt).toBe(ISSUED_AT);
  expect(() => before.verify(youngNonce, CLIENT)).toThrow(SessionNotFoundError);
  expect(() => after.verify(oldNonce, CLIENT)).toThrow(SessionNotFoundError);
});

test('all of 300 secrets verify their own nonces, although their one-byte ids collide', () => {
  const secrets = Array.from({ length: 300 }, (_, i) => Buffer.alloc(32, `secret ${i}`));
  const verifier = createSessionNonceCodec(secrets, SERVER);
  for (const secret of secrets) {
    const { nonce, handle } = createSessionNonceCodec([secret], SERVER).mint(CLIENT, ISSUED_AT);
    expect(verifier.verify(nonce, CLIENT)).toEqual({ handle, issuedAt: ISSUED_AT });
  }
});

test('invalid secrets and identities are refused', () => {
  expect(() => createSessionNonceCodec([], SERVER)).toThrow('At least one');
  expect(() => createSessionNonceCodec([Buffer.alloc(31, 1)], SERVER)).toThrow('32 bytes');
  for (const identityKey of ['self', '', CLIENT.slice(2)]) {
    expect(() => nonces.mint(identityKey, ISSUED_AT)).toThrow(RangeError);
  }
});
