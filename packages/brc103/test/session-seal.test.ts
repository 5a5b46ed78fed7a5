import { randomBytes } from 'node:crypto';
import { SessionNotFoundError } from '../src/errors.js';
import { createSessionSeal, type SealedContent } from '../src/session-seal.js';

const SERVER = `02${'ab'.repeat(32)}`;
const SECRET = Buffer.alloc(32, 1);
const content = (nonceBytes = 48): SealedContent => ({
  identityKey: `03${'cd'.repeat(32)}`,
  clientNonce: randomBytes(nonceBytes).toString('base64'),
  issuedAt: 1_768_600_000_123,
});
const flip = (bytes: Buffer, at: number, bit: number) => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy.toString('base64');
};

test("what was sealed comes out again, for every allowed size, without base64 padding and within BRC-43's 800 characters", () => {
  const seal = createSessionSeal([SECRET], SERVER);
  for (let size = 16; size <= 128; size++) {
    const sealed = content(size);
    const nonce = seal.seal(sealed);
    expect(seal.open(nonce)).toEqual(sealed);
    expect(nonce).toMatch(/^[A-Za-z0-9+/]+$/);
    expect(nonce.length % 4).toBe(0);
    expect(nonce.length).toBeLessThanOrEqual(268);
    expect(`${sealed.clientNonce} ${nonce}`.length).toBeLessThanOrEqual(800);
  }
  expect(seal.seal(content(48))).toHaveLength(160);
});

test('two nonces for the same content differ, and show nothing of it', () => {
  const seal = createSessionSeal([SECRET], SERVER);
  const sealed = content();
  const [first, second] = [seal.seal(sealed), seal.seal(sealed)];
  expect(first).not.toBe(second);
  expect(Buffer.from(first, 'base64').includes(Buffer.from(sealed.identityKey, 'hex'))).toBe(false);
});

test('every changed bit is noticed', () => {
  const seal = createSessionSeal([SECRET], SERVER);
  const bytes = Buffer.from(seal.seal(content()), 'base64');
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) expect(() => seal.open(flip(bytes, at, bit))).toThrow(SessionNotFoundError);
  }
});

test('every other length, and everything that is no nonce, is not found', () => {
  const seal = createSessionSeal([SECRET], SERVER);
  const nonce = seal.seal(content());
  for (let length = 0; length < nonce.length; length++)
    expect(() => seal.open(nonce.slice(0, length))).toThrow(SessionNotFoundError);
  const foreign: unknown[] = [
    ...[`${nonce}AAAA`, ` ${nonce}`, `${nonce}\n`, nonce.replace(/.$/, '='), '', randomBytes(48).toString('base64')],
    ...['A'.repeat(100_000), null, undefined, 5, {}, [nonce]],
  ];
  for (const other of foreign) expect(() => seal.open(other as string)).toThrow(SessionNotFoundError);
});

test('another secret or another server identity does not open it', () => {
  const nonce = createSessionSeal([SECRET], SERVER).seal(content());
  expect(() => createSessionSeal([Buffer.alloc(32, 2)], SERVER).open(nonce)).toThrow(SessionNotFoundError);
  expect(() => createSessionSeal([SECRET], `03${'ab'.repeat(32)}`).open(nonce)).toThrow(SessionNotFoundError);
});

test('secrets rotate: the first seals, all open, a dropped one no longer does', () => {
  const [old, young] = [Buffer.alloc(32, 1), Buffer.alloc(40, 2)];
  const before = createSessionSeal([old], SERVER);
  const during = createSessionSeal([young, old], SERVER);
  const after = createSessionSeal([young], SERVER);
  const sealed = content();
  const [oldNonce, youngNonce] = [before.seal(sealed), during.seal(sealed)];
  expect(during.open(oldNonce)).toEqual(sealed);
  expect(after.open(youngNonce)).toEqual(sealed);
  expect(() => before.open(youngNonce)).toThrow(SessionNotFoundError);
  expect(() => after.open(oldNonce)).toThrow(SessionNotFoundError);
});

test('all of 300 secrets open their own, although their one-byte ids must collide', () => {
  const secrets = Array.from({ length: 300 }, (_, i) => Buffer.alloc(32, `secret ${i}`));
  const opener = createSessionSeal(secrets, SERVER);
  for (const secret of secrets) {
    const sealed = content();
    expect(opener.open(createSessionSeal([secret], SERVER).seal(sealed))).toEqual(sealed);
  }
});

test('refuses bad secrets and contents', () => {
  expect(() => createSessionSeal([], SERVER)).toThrow('At least one');
  expect(() => createSessionSeal([Buffer.alloc(31, 1)], SERVER)).toThrow('32 bytes');
  const seal = createSessionSeal([SECRET], SERVER);
  for (const size of [0, 15, 129]) expect(() => seal.seal(content(size))).toThrow(RangeError);
  expect(() => seal.seal({ ...content(), identityKey: 'self' })).toThrow(RangeError);
});
