import { LockingScript, OverlayAdminTokenTemplate, PushDrop, Utils } from '@bsv/sdk';
import type { Network } from '@messagebox/shared';
import { decodeMessageBoxAd, isMessageBoxAd } from '../src/topics/message-box-ad.js';
import { createServiceAdScript, decodeServiceAd, isServiceAd } from '../src/topics/service-ad.js';
import { createTokenSignatures } from '../src/topics/token-signatures.js';
import { Person, PROTOCOLS } from './support/person.js';

const signatures = createTokenSignatures();
const HOST = 'https://box.mailboxes.org';
const alice = new Person();
const mallory = new Person();

const isAd = (script: LockingScript, network: Network = 'main') =>
  isMessageBoxAd(script.toUint8Array(), network, signatures);

/** Creates a token by Mallory that is wrong in some way. */
async function hostile(
  fields: (string | number[])[],
  options: { forSelf?: boolean; keyID?: string; signed?: boolean; counterparty?: string; level?: 0 | 1 | 2 } = {},
  protocol = PROTOCOLS.tm_messagebox,
): Promise<LockingScript> {
  const { forSelf = true, keyID = '1', signed = true, counterparty = 'anyone', level = protocol[0] } = options;
  const bytes = fields.map((field) => (typeof field === 'string' ? Utils.toArray(field, 'utf8') : field));
  return await new PushDrop(mallory.wallet).lock(bytes, [level, protocol[1]], keyID, counterparty, forSelf, signed);
}

const key = (person: Person) => Utils.toArray(person.identityKey, 'hex');

describe('isMessageBoxAd', () => {
  test('accepts an advertisement of the real client', async () => {
    const script = await alice.messageBoxAd(HOST);
    expect(isAd(script)).toBe(true);
    expect(decodeMessageBoxAd(script.toUint8Array())).toEqual({ identityKey: alice.identityKey, host: HOST });
  });

  test('accepts advertisements of many identities', async () => {
    for (let i = 0; i < 20; i++) expect(isAd(await new Person().messageBoxAd(HOST))).toBe(true);
  });

  test.each<[string, () => Promise<LockingScript>]>([
    ['of another identity', () => hostile([key(alice), HOST])],
    ['of another identity, signed for its own', () => mallory.messageBoxAd(HOST, alice.identityKey)],
    ['locked to another key', () => hostile([key(mallory), HOST], { forSelf: false })],
    ['under another key id', () => hostile([key(mallory), HOST], { keyID: '2' })],
    ['under another protocol', () => hostile([key(mallory), HOST], {}, [1, 'messagebox advertisements'])],
    ['under another security level', () => hostile([key(mallory), HOST], { level: 2 })],
    ['for oneself only', () => hostile([key(mallory), HOST], { counterparty: 'self' })],
    ['without a signature', () => hostile([key(mallory), HOST], { signed: false })],
    ['with a text in place of a signature', () => hostile([key(mallory), HOST, 'signature'], { signed: false })],
    ['with more fields', () => hostile([key(mallory), HOST, 'more'])],
    ['with fewer fields', () => hostile([key(mallory)])],
    ['without a host', () => hostile([key(mallory), ''])],
    ['with a key that is not a point', () => hostile([[2, ...new Array(32).fill(255)], HOST])],
    ['with a key of the wrong length', () => hostile([key(mallory).slice(0, 32), HOST])],
    ['with an uncompressed key', () => hostile([mallory.key.toPublicKey().encode(false) as number[], HOST])],
    ['with a host that is not UTF-8', () => hostile([key(mallory), [...Utils.toArray(`${HOST}/`, 'utf8'), 0xff]])],
    ['with a huge host', () => hostile([key(mallory), `${HOST}/${'x'.repeat(300)}`])],
  ])('refuses a token %s', async (_name, make) => {
    expect(isAd(await make())).toBe(false);
  });

  test('refuses a token with any byte changed', async () => {
    const script = (await alice.messageBoxAd(HOST)).toUint8Array();
    for (let at = 0; at < script.length; at++) {
      const changed = Uint8Array.from(script);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect({ at, isAd: isMessageBoxAd(changed, 'main', signatures) }).toEqual({ at, isAd: false });
    }
  });

  test('refuses other scripts', async () => {
    const script = (await alice.messageBoxAd(HOST)).toUint8Array();
    const others = [
      new Uint8Array(0),
      Uint8Array.of(33),
      script.subarray(0, -1),
      Buffer.concat([script, Buffer.of(0x75)]),
      Buffer.concat([script, Buffer.of(0x6a)]),
      LockingScript.fromASM(`OP_DUP OP_HASH160 ${'11'.repeat(20)} OP_EQUALVERIFY OP_CHECKSIG`).toUint8Array(),
      Buffer.alloc(100_000, 0x51),
      Uint8Array.from(
        (await new PushDrop(alice.wallet).lock([[1]], [1, 'messagebox advertisement'], '1', 'anyone', true)).toBinary(),
      ),
    ];
    for (const other of others) expect(isMessageBoxAd(other, 'main', signatures)).toBe(false);
  });

  test.each([
    'http://box.mailboxes.org',
    'https://localhost',
    'https://box.localhost:8080',
    'https://box.local',
    'https://box.test',
    'https://box.invalid',
    'https://box.internal',
    'https://box',
    'https://box.',
    'https://127.0.0.1',
    'https://2130706433',
    'https://0x7f.1',
    'https://10.1.2.3',
    'https://172.16.0.1',
    'https://192.168.1.1:8443',
    'https://169.254.169.254',
    'https://100.64.0.1',
    'https://0.0.0.0',
    'https://[::1]',
    'https://[::]',
    'https://[fe80::1]',
    'https://[fd00::1]',
    'https://[::ffff:127.0.0.1]',
    'https://[64:ff9b::7f00:1]',
    'https://[2002:7f00:1::]',
  ])('accepts %s on network local only', async (host) => {
    const script = await alice.messageBoxAd(host);
    expect([isAd(script, 'main'), isAd(script, 'test')]).toEqual([false, false]);
    expect(isAd(script, 'local')).toBe(true);
  });

  test.each([
    'box.mailboxes.org',
    'ftp://box.mailboxes.org',
    'https://',
    'https://user@box.mailboxes.org',
    'https://user:secret@box.mailboxes.org',
    'https://box.mailboxes.org/?a=b',
    'https://box.mailboxes.org?',
    'https://box.mailboxes.org/#a',
    'https://box.mailboxes.org#',
    'https://box.mailboxes.org\\a',
    'https:box.mailboxes.org',
    'https://box.mailboxes.org/a b',
    'https://box.mailboxes.org/a,b',
    'https://box,mailboxes.org',
    'https://box.mailboxes.org/a;b',
    'https://box.mailboxes.org/a=b',
    'https://box.mailboxes.org/"',
    'https://box.mailboxes.org/<',
    ' https://box.mailboxes.org',
    'https://box.mailboxes.org\r\nx-injected: 1',
    'https://böx.mailboxes.org',
    'javascript:alert(1)',
  ])('refuses %j on every network', async (host) => {
    const script = await alice.messageBoxAd(host);
    for (const network of ['main', 'test', 'local'] as const) expect(isAd(script, network)).toBe(false);
  });

  test.each([
    'https://box.mailboxes.org',
    'https://box.mailboxes.org:8443/api',
    'https://xn--bx-fka.mailboxes.org/',
    'https://8.8.8.8',
    'https://[2606:4700::1111]',
    `https://box.mailboxes.org/${'x'.repeat(229)}`,
  ])('accepts %s on every network', async (host) => {
    const script = await alice.messageBoxAd(host);
    for (const network of ['main', 'test', 'local'] as const) expect(isAd(script, network)).toBe(true);
  });
});

describe('isServiceAd', () => {
  const isOne = (script: LockingScript, protocol: 'SHIP' | 'SLAP' = 'SHIP') =>
    isServiceAd(script.toUint8Array(), protocol, 'main', signatures);

  test.each([
    ['SHIP', 'tm_messagebox'],
    ['SLAP', 'ls_messagebox'],
  ] as const)('%s: what we make is what we read, and what the SDK reads', async (protocol, name) => {
    const script = await createServiceAdScript(alice.wallet, { protocol, domain: HOST, name });
    expect(isOne(script, protocol)).toBe(true);
    expect(isOne(script, protocol === 'SHIP' ? 'SLAP' : 'SHIP')).toBe(false);
    expect(decodeServiceAd(script.toUint8Array())).toEqual({
      protocol,
      identityKey: alice.identityKey,
      domain: HOST,
      name,
    });
    expect(OverlayAdminTokenTemplate.decode(script)).toEqual({
      protocol,
      identityKey: alice.identityKey,
      domain: HOST,
      topicOrService: name,
    });
  });

  test.each<[string, () => Promise<LockingScript>]>([
    ['of another identity', () => hostile(['SHIP', key(alice), HOST, 'tm_x'], {}, PROTOCOLS.SHIP)],
    ['signed as SLAP', () => hostile(['SHIP', key(mallory), HOST, 'tm_x'], {}, PROTOCOLS.SLAP)],
    ['locked to another key', () => hostile(['SHIP', key(mallory), HOST, 'tm_x'], { forSelf: false }, PROTOCOLS.SHIP)],
    ['without a signature', () => hostile(['SHIP', key(mallory), HOST, 'tm_x'], { signed: false }, PROTOCOLS.SHIP)],
    ['of another kind', () => hostile(['SHOP', key(mallory), HOST, 'tm_x'], {}, PROTOCOLS.SHIP)],
    ['of a lookup service', () => hostile(['SHIP', key(mallory), HOST, 'ls_x'], {}, PROTOCOLS.SHIP)],
    ['of a strange name', () => hostile(['SHIP', key(mallory), HOST, 'tm_X y'], {}, PROTOCOLS.SHIP)],
    ['of a long name', () => hostile(['SHIP', key(mallory), HOST, `tm_${'x'.repeat(60)}`], {}, PROTOCOLS.SHIP)],
    ['of no name', () => hostile(['SHIP', key(mallory), HOST, ''], {}, PROTOCOLS.SHIP)],
    ['of a private host', () => hostile(['SHIP', key(mallory), 'https://10.0.0.1', 'tm_x'], {}, PROTOCOLS.SHIP)],
    ['with more fields', () => hostile(['SHIP', key(mallory), HOST, 'tm_x', 'more'], {}, PROTOCOLS.SHIP)],
    [
      "the SDK template's, which only its maker can verify",
      () => new OverlayAdminTokenTemplate(mallory.wallet).lock('SHIP', HOST, 'tm_x'),
    ],
  ])('refuses a token %s', async (_name, make) => {
    expect(isOne(await make())).toBe(false);
  });

  test('accepts names of up to 50 letters and underscores', async () => {
    for (const name of ['tm_a', 'tm_message_box', `tm_${'x'.repeat(47)}`]) {
      expect(isOne(await alice.serviceAd('SHIP', HOST, name))).toBe(true);
    }
    for (const name of ['tm_', 'tm__a', 'tm_a_', 'TM_a', 'tm_a1', 'a', `tm_${'x'.repeat(48)}`]) {
      expect(isOne(await alice.serviceAd('SHIP', HOST, name))).toBe(false);
    }
  });
});
