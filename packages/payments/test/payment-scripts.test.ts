import { PrivateKey } from '@bsv/sdk';
import { createBrc29Payment } from '@messagebox/test-support/brc29';
import { createPayeeScript, createTestScripts, toIdentityKey } from './support/payee-scripts.ts';

const [server, alice, bob] = [PrivateKey.fromRandom(), PrivateKey.fromRandom(), PrivateKey.fromRandom()];
const scripts = createTestScripts(server);
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');

test('derives the script of a payment to the server as payer and payee do with the SDK', async () => {
  for (const payer of [alice, bob, 'anyone'] as const) {
    const paid = await createBrc29Payment(toIdentityKey(server), 10, payer);
    expect(hex(scripts.deriveServerScript(paid.remittance))).toBe(hex(paid.output.script));
    expect(hex(scripts.deriveServerScript(paid.remittance))).toBe(hex(createPayeeScript(server, paid)));
  }
});

test('derives the script of a payment from anyone to a recipient as payer and payee do with the SDK', async () => {
  for (const payee of [alice, bob, server]) {
    const paid = await createBrc29Payment(toIdentityKey(payee), 10, 'anyone');
    expect(hex(scripts.deriveRecipientScript(toIdentityKey(payee), paid.remittance))).toBe(hex(paid.output.script));
    expect(hex(scripts.deriveRecipientScript(toIdentityKey(payee), paid.remittance))).toBe(
      hex(createPayeeScript(payee, paid)),
    );
  }
});

test('another payee, payer, prefix or suffix gives another script', async () => {
  const paid = await createBrc29Payment(toIdentityKey(bob), 10, 'anyone');
  const expected = hex(paid.output.script);
  expect(hex(scripts.deriveRecipientScript(toIdentityKey(alice), paid.remittance))).not.toBe(expected);
  expect(hex(scripts.deriveServerScript(paid.remittance))).not.toBe(expected);
  for (const name of ['derivationPrefix', 'derivationSuffix'] as const) {
    expect(hex(scripts.deriveRecipientScript(toIdentityKey(bob), { ...paid.remittance, [name]: 'AAAA' }))).not.toBe(
      expected,
    );
  }
});

test('cannot derive the script of a payment under the sender’s own key', async () => {
  const paid = await createBrc29Payment(toIdentityKey(bob), 10, alice);
  expect(scripts.deriveRecipientScript(toIdentityKey(bob), paid.remittance)).toBeUndefined();
});
