import { randomUUID } from 'node:crypto';
import { type Transaction, UnlockingScript } from '@bsv/sdk';
import { requestFaucetOutput } from '@messagebox/test-support/brc29';
import { type Deployment, deployStandalone } from '../acceptance/deployments.js';
import { PricePayer, toPaymentHeader } from './price-payer.js';

/** Hashes 600 times what the unlocking script pushes: with 45,000 bytes that takes long, and fits into a header. */
const HASHING = '76a875'.repeat(600);
const PUSHED = [0x4e, 0xc8, 0xaf, 0x00, 0x00, ...new Array<number>(45_000).fill(7)];

let at: Deployment;
beforeAll(async () => {
  at = await deployStandalone({ PRICE_BASE: '5' });
});
afterAll(() => at.close());

test('payments for requests whose scripts take long keep nobody from paying', async () => {
  const [url, server] = [`${at.apis[0]}/sendMessage`, String(at.processes.apis[0].listening['identityKey'])];
  const message = (recipient: string) => ({
    message: { recipient, messageBox: 'inbox', messageId: randomUUID(), body: 'hello' },
  });
  const money = await requestFaucetOutput(at.overlays[0] as string, HASHING, 1_000);
  const attack: Promise<number>[] = [];
  for (let i = 0; i < 24; i += 1) {
    const attacker = new PricePayer(at.overlays[0] as string);
    const request = message(attacker.key);
    const asked = await attacker.ask(url, request);
    const { transaction, suffix } = await attacker.makePayment(server, asked, { money });
    const header = toPaymentHeader(asked.prefix, suffix, withScript(transaction));
    attack.push(attacker.post(url, request, header).then(({ status }) => status));
  }
  const honest = new PricePayer(at.overlays[0] as string);
  for (let i = 0; i < 3; i += 1) {
    const request = message(honest.key);
    const { header } = await honest.pay(server, url, request);
    expect(await honest.post(url, request, header)).toMatchObject({ status: 200 });
  }
  for (const status of await Promise.all(attack)) expect([200, 400, 503]).toContain(status);
}, 300_000);

function withScript(transaction: Transaction): Transaction {
  for (const input of transaction.inputs) input.unlockingScript = UnlockingScript.fromBinary(PUSHED);
  return transaction;
}
