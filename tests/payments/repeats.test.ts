import { uniqueId, World } from '../bad-input/refusals.ts';
import { described, freeMoney, pay, spendFree } from '../support/brc29.ts';

let world: World;
let bob = '';
beforeAll(async () => {
  world = await World.start();
  bob = world.recipient.client.identityKey;
});
afterAll(() => world.close());
const set = (body: object) => world.taken(world.recipient.post('/permissions/set', body), world.recipient);
async function payment(...payees: (readonly [string, number])[]) {
  const money = await freeMoney(world.server.url, 100_000);
  const paid = await Promise.all(payees.map(([payee, satoshis]) => pay(payee, satoshis, 'anyone')));
  const tx = spendFree(
    money,
    paid.map(({ output }) => output),
  ).toAtomicBEEF();
  return { tx, outputs: paid.map((one, i) => described(one, i)), description: 'for a message' };
}

test('paid, delivered, read, then blocked: the repeat of the request is a success', async () => {
  await set({ messageBox: 'box1', recipientFee: 25 });
  const request = { ...world.message({ messageBox: 'box1' }), payment: await payment([bob, 25]) };
  await world.taken(world.sendMessage(request));
  await world.taken(
    world.recipient.post('/acknowledgeMessage', { messageIds: [request.message['messageId']] }),
    world.recipient,
  );
  await set({ messageBox: 'box1', sender: world.sender.client.identityKey, recipientFee: -1 });
  await world.taken(world.sendMessage(request));
  expect(await world.list('box1')).toEqual([]);
});

test('two messages to Bob, one there already, both paid for: the new one brings the payment', async () => {
  const [first, second] = [uniqueId(), uniqueId()];
  await world.taken(world.sendMessage(world.message({ messageBox: 'box2', messageId: first })));
  const request = {
    ...world.message({ messageBox: 'box2', recipient: undefined, recipients: [bob, bob], messageId: [first, second] }),
    payment: await payment([bob, 40], [bob, 40]),
  };
  await world.taken(world.sendMessage(request));
  const stored = (await world.list('box2')).find(({ messageId }) => messageId === second);
  expect(stored?.body).toContain('"outputs"');
});
