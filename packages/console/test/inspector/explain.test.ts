import { PrivateKey, ProtoWallet, Utils, type WalletInterface } from '@bsv/sdk';
import { labelSignature } from '../../app/src/inspector/explain/check-signature.js';
import { explainEncryption, findEncryptedBodies } from '../../app/src/inspector/explain/explain-encryption.js';
import { labelServerNonce } from '../../app/src/inspector/explain/explain-nonce.js';
import { explainSignature, type SignatureToExplain } from '../../app/src/inspector/explain/explain-signature.js';
import { KeyRing } from '../../app/src/inspector/explain/key-ring.js';
import type { Step } from '../../app/src/inspector/explain/steps.js';
import { WalletLog } from '../../app/src/inspector/observe/wallet-log.js';
import { recordWallet } from '../../app/src/inspector/observe/wallet-observer.js';
import { encodeUtf8, toBase64 } from '../../app/src/inspector/wire/bytes.js';
import { LabelledBytesBuilder } from '../../app/src/inspector/wire/labelled-bytes.js';

const mine = PrivateKey.fromRandom();
const theirs = PrivateKey.fromRandom();
const ownKey = mine.toPublicKey().toString();
const peerKey = theirs.toPublicKey().toString();
const bare = new ProtoWallet(mine) as unknown as WalletInterface;
const peer = new ProtoWallet(theirs);
const protocolID: [2, string] = [2, 'auth message signature'];
const keyID = 'bm9uY2U= eW91cg==';

let calls: WalletLog;
let keys: KeyRing;
let wallet: WalletInterface;

beforeEach(() => {
  calls = new WalletLog();
  keys = new KeyRing();
  keys.add(ownKey, bare);
  wallet = recordWallet(bare, calls, ownKey);
});

const label = (text: string) => new LabelledBytesBuilder().add(encodeUtf8(text), 'body', 'body', text).build();

function createClaim(given: Pick<SignatureToExplain, 'signature' | 'signer'> & Partial<SignatureToExplain>) {
  return { subject: 'the event', data: label('content'), keyID, keyIDParts: 'nonces', ownKey, peerKey, ...given };
}

async function explainClaim(claim: SignatureToExplain): Promise<{ step: Step; facts: Record<string, string> }> {
  const steps = await explainSignature(claim, { calls, keys });
  const step = steps[1];
  if (step === undefined) throw new Error('There is no second step');
  const facts = Object.fromEntries(steps.flatMap((each) => each.facts.map((fact) => [fact.label, fact.value])));
  return { step, facts };
}

const bytesOf = (text: string) => [...encodeUtf8(text)];

describe('an own signature', () => {
  it('is verified when the wallet signed what was seen', async () => {
    const { signature } = await wallet.createSignature({
      data: bytesOf('content'),
      protocolID,
      keyID,
      counterparty: peerKey,
    });
    const { step, facts } = await explainClaim(createClaim({ signer: 'own', signature: Uint8Array.from(signature) }));
    expect(step.verified).toBe(true);
    expect(facts['Same bytes']).toBe('Yes: what the wallet signed is what was seen on the wire.');
    expect(facts['Invoice number']).toBe(`2-auth message signature-${keyID}`);
    const { publicKey } = await peer.getPublicKey({ protocolID, keyID, counterparty: ownKey });
    expect(facts['Derived public key']).toBe(publicKey);
  });

  it('fails when what was seen differs from what the wallet signed, and says where', async () => {
    const { signature } = await wallet.createSignature({
      data: bytesOf('contents'),
      protocolID,
      keyID,
      counterparty: peerKey,
    });
    const { step, facts } = await explainClaim(createClaim({ signer: 'own', signature: Uint8Array.from(signature) }));
    expect(step.verified).toBe(false);
    expect(facts['Same bytes']).toBe(
      'No: what the wallet signed (8 bytes) differs from what was seen on the wire (7 bytes) from byte 7 on, after the end.',
    );
    expect(facts['Checked by the inspector']).toBe('The signature does not match these bytes.');
  });

  it('is verified by the wallet’s word when the body is longer than what is kept', async () => {
    const { signature } = await wallet.createSignature({
      data: bytesOf('content'),
      protocolID,
      keyID,
      counterparty: peerKey,
    });
    const data = new LabelledBytesBuilder().add(encodeUtf8('cont'), 'body', 'body', '').build(3);
    const { step, facts } = await explainClaim(
      createClaim({ signer: 'own', data, signature: Uint8Array.from(signature) }),
    );
    expect(step.verified).toBe(true);
    expect(facts['Checked by the inspector']).toBe('Not possible: the body is longer than what the inspector keeps.');
  });

  it('has no verdict when nothing is known of it', async () => {
    const claim = createClaim({ signer: 'own', signature: Uint8Array.of(1) });
    keys.remove(ownKey);
    expect((await explainClaim(claim)).step.verified).toBeUndefined();
  });
});

describe('a signature of the server', () => {
  const sign = async (content: string) =>
    (await peer.createSignature({ data: bytesOf(content), protocolID, keyID, counterparty: ownKey })).signature;

  it('is verified without the wallet’s word', async () => {
    const signature = Uint8Array.from(await sign('content'));
    const { step, facts } = await explainClaim(createClaim({ signer: 'peer', signature }));
    expect(step.verified).toBe(true);
    expect(facts['Your wallet']).toBe('It was not asked to verify this signature (yet).');
  });

  it('fails when the content was changed, whatever the client made of it', async () => {
    const signature = await sign('other content');
    const check = { data: bytesOf('other content'), signature, protocolID, keyID, counterparty: peerKey };
    await wallet.verifySignature(check);
    const { step, facts } = await explainClaim(createClaim({ signer: 'peer', signature: Uint8Array.from(signature) }));
    expect(facts['Your wallet']).toBe('It accepted the signature.');
    expect(step.verified).toBe(false);
  });

  it('fails when another identity made it', async () => {
    const stranger = new ProtoWallet(PrivateKey.fromRandom());
    const data = bytesOf('content');
    const { signature } = await stranger.createSignature({ data, protocolID, keyID, counterparty: ownKey });
    await expect(
      wallet.verifySignature({ data, signature, protocolID, keyID, counterparty: peerKey }),
    ).rejects.toThrow();
    const { step, facts } = await explainClaim(createClaim({ signer: 'peer', signature: Uint8Array.from(signature) }));
    expect(step.verified).toBe(false);
    expect(facts['Your wallet']).toBe('It refused the signature.');
  });

  it.each([
    ['nothing', []],
    ['no DER', [1, 2, 3]],
  ])('fails when it is %s', async (_what, signature) => {
    const { step } = await explainClaim(createClaim({ signer: 'peer', signature: Uint8Array.from(signature) }));
    expect(step.verified).toBe(false);
  });
});

describe('the parts of bytes', () => {
  it('of a signature are its integers', async () => {
    const { signature } = await bare.createSignature({ data: [1], protocolID, keyID, counterparty: peerKey });
    const { ranges, bytes } = labelSignature(Uint8Array.from(signature));
    expect(ranges.map(({ label: name }) => name)).toEqual(['sequence', 'integer', 'r', 'integer', 's']);
    expect([...bytes]).toEqual(signature);
  });

  it('of a signature that is no DER are one', () => {
    expect(labelSignature(Uint8Array.of(48, 9, 2)).ranges).toMatchObject([{ meaning: 'This is no signature in DER.' }]);
  });

  it('of a nonce of this server hold the time at which it was made', () => {
    const nonce = new Uint8Array(48);
    nonce.set([2, 1, 0x01, 0x9b, 0x76, 0xda, 0xb8, 0x00]);
    const { ranges } = labelServerNonce(toBase64(nonce));
    expect(ranges.map(({ label: name }) => name)).toEqual(['format', 'key', 'issued at', 'random', 'code']);
    expect(ranges[2]?.meaning).toBe(new Date(0x019b76dab800).toISOString());
  });

  it('of another server’s nonce are one', () => {
    expect(labelServerNonce(toBase64(new Uint8Array(48))).ranges).toMatchObject([{ label: 'nonce' }]);
  });
});

describe('encrypted bodies', () => {
  const encrypted = (text: string) => JSON.stringify({ encryptedMessage: toBase64(encodeUtf8(text)) });

  it.each([
    ['a request', { message: { recipient: 'to', body: encrypted('a') } }, ['to']],
    [
      'a list',
      {
        messages: [
          { sender: 'from', body: encrypted('a') },
          { sender: 'other', body: encrypted('b') },
        ],
      },
      ['from', 'other'],
    ],
    [
      'a message with a payment',
      { messages: [{ sender: 'from', body: JSON.stringify({ message: encrypted('a'), payment: {} }) }] },
      ['from'],
    ],
    ['a plain message', { message: { recipient: 'to', body: 'encryptedMessage' } }, []],
    ['no base64', { message: { recipient: 'to', body: '{"encryptedMessage":"*"}' } }, []],
  ])('are found in %s', (_what, value, counterparties) => {
    expect(findEncryptedBodies(value).map(({ counterparty }) => counterparty)).toEqual(counterparties);
  });

  it('are looked for in bounded depth', () => {
    let value: unknown = { encryptedMessage: toBase64(encodeUtf8('a')) };
    for (let i = 0; i < 10_000; i++) value = [value];
    expect(findEncryptedBodies(value)).toEqual([]);
  });

  it('are decrypted by the identity of the page, when the client did not', async () => {
    const { ciphertext } = await peer.encrypt({
      plaintext: bytesOf('hello'),
      protocolID: [1, 'messagebox'],
      keyID: '1',
      counterparty: ownKey,
    });
    const bodies = [{ ciphertext: Uint8Array.from(ciphertext), counterparty: peerKey }];
    const [step] = await explainEncryption(bodies, 'received', ownKey, { calls, keys });
    expect(step?.verified).toBe(true);
    expect(step?.facts).toContainEqual({ label: 'Decrypted', value: 'hello', form: 'code' });
  });

  it('have no verdict when they are for somebody else', async () => {
    const { ciphertext } = await peer.encrypt({
      plaintext: bytesOf('hello'),
      protocolID: [1, 'messagebox'],
      keyID: '1',
      counterparty: PrivateKey.fromRandom().toPublicKey().toString(),
    });
    const bodies = [{ ciphertext: Uint8Array.from(ciphertext), counterparty: peerKey }];
    const [step] = await explainEncryption(bodies, 'received', ownKey, { calls, keys });
    expect(step?.verified).toBeUndefined();
    expect(step?.facts).toContainEqual(expect.objectContaining({ value: 'No identity of this page can decrypt it.' }));
  });

  it('are explained up to ten, and the rest is announced', async () => {
    const body = { ciphertext: Uint8Array.from(Utils.toArray('x'.repeat(60), 'utf8')), counterparty: peerKey };
    const steps = await explainEncryption(new Array(11).fill(body), 'received', ownKey, { calls, keys });
    expect(steps).toHaveLength(11);
    expect(steps.at(-1)?.title).toBe('More encrypted messages follow');
  });
});
