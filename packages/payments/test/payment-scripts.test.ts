import { PrivateKey } from '@bsv/sdk';
import { pay } from '../../../tests/support/brc29.ts';
import { publicKeyOf, scriptOfPayee, scriptsOf } from './support/paying.js';

const [server, alice, bob] = [PrivateKey.fromRandom(), PrivateKey.fromRandom(), PrivateKey.fromRandom()];
const scripts = scriptsOf(server);
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');

test('what is paid to the server, as payer and payee derive it with the SDK', async () => {
  for (const payer of [alice, bob, 'anyone'] as const) {
    const paid = await pay(publicKeyOf(server), 10, payer);
    expect(hex(scripts.ofServer(paid.remittance))).toBe(hex(paid.output.script));
    expect(hex(scripts.ofServer(paid.remittance))).toBe(hex(scriptOfPayee(server, paid)));
  }
});

test('what anyone pays to a recipient, as payer and payee derive it with the SDK', async () => {
  for (const payee of [alice, bob, server]) {
    const paid = await pay(publicKeyOf(payee), 10, 'anyone');
    expect(hex(scripts.ofRecipient(publicKeyOf(payee), paid.remittance))).toBe(hex(paid.output.script));
    expect(hex(scripts.ofRecipient(publicKeyOf(payee), paid.remittance))).toBe(hex(scriptOfPayee(payee, paid)));
  }
});

test('what is different is another script: payee, payer, prefix, suffix', async () => {
  const paid = await pay(publicKeyOf(bob), 10, 'anyone');
  const expected = hex(paid.output.script);
  expect(hex(scripts.ofRecipient(publicKeyOf(alice), paid.remittance))).not.toBe(expected);
  expect(hex(scripts.ofServer(paid.remittance))).not.toBe(expected);
  for (const name of ['derivationPrefix', 'derivationSuffix'] as const) {
    expect(hex(scripts.ofRecipient(publicKeyOf(bob), { ...paid.remittance, [name]: 'AAAA' }))).not.toBe(expected);
  }
});

test('what a sender pays a recipient under its own key cannot be told', async () => {
  const paid = await pay(publicKeyOf(bob), 10, alice);
  expect(scripts.ofRecipient(publicKeyOf(bob), paid.remittance)).toBeUndefined();
});
