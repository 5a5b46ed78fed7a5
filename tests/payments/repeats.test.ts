import {
  createBrc29Payment,
  describePaymentOutput,
  requestFreeOutput,
  spendFreeOutput,
} from '@messagebox/test-support/brc29';
import { createUniqueId, HttpTestBed } from '../bad-input/refusals.ts';

let world: HttpTestBed;
let bob = '';
beforeAll(async () => {
  world = await HttpTestBed.start();
  bob = world.recipient.client.identityKey;
});
afterAll(() => world.close());
const set = (body: object) => world.expectAccepted(world.recipient.post('/permissions/set', body), world.recipient);
async function payment(...payees: (readonly [string, number])[]) {
  const money = await requestFreeOutput(world.server.url, 100_000);
  const paid = await Promise.all(payees.map(([payee, satoshis]) => createBrc29Payment(payee, satoshis, 'anyone')));
  const tx = spendFreeOutput(
    money,
    paid.map(({ output }) => output),
  ).toAtomicBEEF();
  return { tx, outputs: paid.map((one, i) => describePaymentOutput(one, i)), description: 'for a message' };
}

test('paid, delivered, read, then blocked: the repeat of the request is a success', async () => {
  await set({ messageBox: 'box1', recipientFee: 25 });
  const request = { ...world.message({ messageBox: 'box1' }), payment: await payment([bob, 25]) };
  await world.expectAccepted(world.sendMessage(request));
  await world.expectAccepted(
    world.recipient.post('/acknowledgeMessage', { messageIds: [request.message['messageId']] }),
    world.recipient,
  );
  await set({ messageBox: 'box1', sender: world.sender.client.identityKey, recipientFee: -1 });
  await world.expectAccepted(world.sendMessage(request));
  expect(await world.list('box1')).toEqual([]);
});

test('two messages to Bob, one there already, both paid for: the new one brings the payment', async () => {
  const [first, second] = [createUniqueId(), createUniqueId()];
  await world.expectAccepted(world.sendMessage(world.message({ messageBox: 'box2', messageId: first })));
  const request = {
    ...world.message({ messageBox: 'box2', recipient: undefined, recipients: [bob, bob], messageId: [first, second] }),
    payment: await payment([bob, 40], [bob, 40]),
  };
  await world.expectAccepted(world.sendMessage(request));
  const stored = (await world.list('box2')).find(({ messageId }) => messageId === second);
  expect(stored?.body).toContain('"outputs"');
});
