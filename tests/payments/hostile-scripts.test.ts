import { type Transaction, UnlockingScript } from '@bsv/sdk';
import {
  createBrc29Payment,
  describePaymentOutput,
  requestFaucetOutput,
  requestFreeOutput,
  spendFreeOutput,
} from '@messagebox/test-support/brc29';
import { RawClient, type Session } from '@messagebox/test-support/raw-client';
import { HttpTestBed } from '../bad-input/refusals.ts';

/** Hashes 3,000 times what the unlocking script pushes: with 60,000 bytes that takes seconds. */
const HASHING = `76a875`.repeat(3_000);
const PUSHED = [0x4e, 0x60, 0xea, 0x00, 0x00, ...new Array<number>(60_000).fill(7)];
const FEE = 25;

let world: HttpTestBed;
let bob = '';
beforeAll(async () => {
  world = await HttpTestBed.start();
  bob = world.recipient.client.identityKey;
  await world.expectAccepted(
    world.recipient.post('/permissions/set', { messageBox: 'box', recipientFee: FEE }),
    world.recipient,
  );
});
afterAll(() => world.close());

const request = (payment: object) => ({ ...world.message({ messageBox: 'box' }), payment });

async function honestPayment(): Promise<object> {
  const paid = await createBrc29Payment(bob, FEE, 'anyone');
  const tx = spendFreeOutput(await requestFreeOutput(world.server.url, 1_000), [paid.output]).toAtomicBEEF();
  return { tx, outputs: [describePaymentOutput(paid, 0)], description: 'for a message' };
}

/** Pays Bob, and spends what only a script that takes forever gives away. */
async function dearPayment(): Promise<object> {
  const money = await requestFaucetOutput(world.server.url, HASHING, 1_000);
  const paid = await createBrc29Payment(bob, FEE, 'anyone');
  const transaction: Transaction = spendFreeOutput(money, [paid.output]);
  for (const input of transaction.inputs) input.unlockingScript = UnlockingScript.fromBinary(PUSHED);
  return { tx: transaction.toAtomicBEEF(), outputs: [describePaymentOutput(paid, 0)], description: 'for a message' };
}

test.each([
  ['4 identities with 16 payments each', 4, 16],
  ['64 identities with one payment each', 64, 1],
])(
  'scripts that take as long as they may, of %s, keep nobody from paying',
  async (_what, identities, each) => {
    const dear = await dearPayment();
    const attackers: Session[] = [];
    for (let i = 0; i < identities; i += 1) attackers.push(await new RawClient().shakeHands(world.server.port));
    const attack = attackers.flatMap((attacker) =>
      Array.from({ length: each }, () => world.send(attacker.post('/sendMessage', request(dear)))),
    );
    const honest: unknown[] = [];
    const newcomer = await new RawClient().shakeHands(world.server.port);
    for (const by of [world.sender, newcomer, world.sender]) {
      const body = request(await honestPayment());
      honest.push(body.message['messageId']);
      const answer = await world.send(by.post('/sendMessage', body));
      expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    }
    for (const outcome of await Promise.allSettled(attack)) {
      // On a busy machine the test's client gives some up before the server has answered.
      if (outcome.status === 'rejected') continue;
      const answer = outcome.value;
      expect([200, 400, 503]).toContain(answer.status);
      if (answer.status === 503) expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    }
    const ids = (await world.list('box')).map(({ messageId }) => messageId);
    expect(ids).toEqual(expect.arrayContaining(honest));
    await world.expectAccepted(world.recipient.post('/acknowledgeMessage', { messageIds: ids }), world.recipient);
  },
  300_000,
);
