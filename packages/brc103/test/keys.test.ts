import { KeyDeriver, PrivateKey, ProtoWallet } from '@bsv/sdk';
import { loadCurve } from '../src/curve/load-curve.js';
import { createKeys, formatInvoiceNumber, type KeyDerivation } from '../src/keys.js';
import { SEED, SeededRandom } from './support/seeded-random.js';

const LEVELS = [0, 1, 2] as const;

describe.each(['native', 'wasm'] as const)('keys with %s', (name) => {
  const curve = loadCurve(name);
  const random = new SeededRandom(SEED);
  const party = () => {
    const bytes = random.bytes(32);
    const sdkKey = new PrivateKey(bytes.toString('hex'), 16);
    return {
      keys: createKeys(bytes, curve),
      wallet: new ProtoWallet(sdkKey),
      identityKey: sdkKey.toPublicKey().toString(),
    };
  };

  test('have the same identity as in the SDK', () => {
    const { keys, identityKey } = party();
    expect(keys.identityKey).toBe(identityKey);
  });

  test('make signatures that the SDK verifies, and verify signatures of the SDK', async () => {
    for (let i = 0; i < 30; i++) {
      const [us, them] = [party(), party()];
      const use: KeyDerivation = {
        securityLevel: random.pick(LEVELS),
        protocol: random.pick(['auth message signature', 'Some Other thing', ' trimmed ']),
        keyID: random.text('abcÄ€😀 +/=-', 1 + random.below(60)),
        counterparty: them.identityKey,
      };
      const data = random.bytes(random.below(500));
      const args = { protocolID: [use.securityLevel, use.protocol] as [0 | 1 | 2, string], keyID: use.keyID };

      const ours = us.keys.sign(data, use);
      const verified = await them.wallet.verifySignature({
        ...args,
        data: Array.from(data),
        signature: Array.from(ours),
        counterparty: us.identityKey,
      });
      expect(verified.valid).toBe(true);

      const { signature } = await them.wallet.createSignature({
        ...args,
        data: Array.from(data),
        counterparty: us.identityKey,
      });
      expect(us.keys.verify(data, Buffer.from(signature), use)).toBe(true);
      expect(us.keys.verify(data, Buffer.from(signature), { ...use, keyID: `${use.keyID}x` })).toBe(false);
      expect(us.keys.verify(Buffer.concat([data, Buffer.of(0)]), Buffer.from(signature), use)).toBe(false);
      expect(us.keys.verify(data, Buffer.from(signature), { ...use, counterparty: us.identityKey })).toBe(false);
      expect(us.keys.verify(data, Buffer.of(), use)).toBe(false);
    }
  });

  test('accept their own identity as the counterparty', async () => {
    const { keys, wallet, identityKey } = party();
    const use: KeyDerivation = { securityLevel: 2, protocol: 'tests', keyID: '1', counterparty: identityKey };
    const { signature } = await wallet.createSignature({
      data: [1],
      protocolID: [2, 'tests'],
      keyID: '1',
      counterparty: 'self',
    });
    expect(keys.verify(Buffer.of(1), Buffer.from(signature), use)).toBe(true);
  });

  test('work with more counterparties than the cache holds', () => {
    const keys = createKeys(Buffer.alloc(32, 3), curve, 2);
    const parties = [party(), party(), party(), party()];
    for (let round = 0; round < 2; round++) {
      for (const { keys: theirs, identityKey } of parties) {
        const signature = theirs.sign(Buffer.of(1), {
          securityLevel: 2,
          protocol: 'tests',
          keyID: 'k',
          counterparty: keys.identityKey,
        });
        expect(
          keys.verify(Buffer.of(1), signature, {
            securityLevel: 2,
            protocol: 'tests',
            keyID: 'k',
            counterparty: identityKey,
          }),
        ).toBe(true);
      }
    }
  });

  test('refuse an invalid root key', () => {
    for (const bad of [Buffer.alloc(32), Buffer.alloc(31, 1), Buffer.alloc(0)])
      expect(() => createKeys(bad, curve)).toThrow();
  });
});

describe('invoice numbers', () => {
  // The computation of the SDK, which its types keep private.
  const deriver = new KeyDeriver(new PrivateKey(5)) as unknown as {
    computeInvoiceNumber(protocolID: [number, string], keyID: string): string;
  };
  const attempt = (compute: () => string) => {
    try {
      return compute();
    } catch {
      return 'refused';
    }
  };

  test.each<[number, string, string]>([
    [2, 'auth message signature', 'a b'],
    [0, '  Padded NAME ', '1'],
    [1, 'abcde', 'ÄÖ😀'],
    [2, 'abcd', '1'],
    [2, 'two  spaces', '1'],
    [2, 'under_score', '1'],
    [2, 'my protocol', '1'],
    [2, 'a'.repeat(400), '1'],
    [2, 'a'.repeat(401), '1'],
    [2, `specific linkage revelation 2 ${'a'.repeat(400)}`, '1'],
    [2, `specific linkage revelation 2 ${'a'.repeat(401)}`, '1'],
    [2, 'protocol name', ''],
    [2, 'protocol name', 'k'.repeat(800)],
    [2, 'protocol name', 'k'.repeat(801)],
    [3, 'protocol name', '1'],
    [-1, 'protocol name', '1'],
    [1.5, 'protocol name', '1'],
    [2, '', '1'],
  ])('agree with the SDK for level %p and protocol %p', (level, protocol, keyID) => {
    const theirs = attempt(() => deriver.computeInvoiceNumber([level, protocol], keyID));
    expect(attempt(() => formatInvoiceNumber(level, protocol, keyID))).toBe(theirs);
  });
});
