import { RawClient } from '@messagebox/test-support/raw-client';
import { createUniqueId, HttpTestBed } from '../bad-input/refusals.ts';

/** Lists in requests have bounds: what clients of today send, and not more. */
let world: HttpTestBed;
beforeAll(async () => {
  world = await HttpTestBed.start();
});
afterAll(() => world.close());

const ids = (count: number) => Array.from({ length: count }, (_, i) => `ack-${i}`);

test.each([1_001, 100_000])('an acknowledgement of %i ids is refused, and deletes nothing', async (count) => {
  const messageId = 'ack-0';
  await world.expectAccepted(world.sendMessage(world.message({ messageId })));
  const request = world.recipient.post('/acknowledgeMessage', { messageIds: ids(count) });
  const answer = await world.expectRefused(request, 'ERR_TOO_MANY_MESSAGE_IDS', world.recipient);
  expect(answer.text).toMatch(/1,?000/);
  expect((await world.list()).map((listed) => listed.messageId)).toContain(messageId);
});

test('an acknowledgement of a million ids is refused by its size, and deletes nothing', async () => {
  const messageId = 'ack-0-again';
  await world.expectAccepted(world.sendMessage(world.message({ messageId })));
  const request = world.recipient.post('/acknowledgeMessage', { messageIds: [messageId, ...ids(1_000_000)] });
  await world.expectRefused(request, 'ERR_BODY_TOO_LARGE', world.recipient);
  expect((await world.list()).map((listed) => listed.messageId)).toContain(messageId);
});

test('an acknowledgement of 1,000 ids of the greatest length, all escaped, is small enough', async () => {
  const longest = Array.from({ length: 1_000 }, (_, i) => `${'"'.repeat(251)}${String(i).padStart(4, '0')}`);
  await world.expectAccepted(world.sendMessage(world.message({ messageId: longest[0] as string })));
  const escaped = longest.map((id) => id.replaceAll('"', '\\u0022'));
  const body = Buffer.from(`{"messageIds":["${escaped.join('","')}"]}`);
  expect(body.length).toBeGreaterThan(1_500_000);
  await world.expectAccepted(world.recipient.post('/acknowledgeMessage', body), world.recipient);
  expect((await world.list()).map(({ messageId }) => messageId)).not.toContain(longest[0]);
});

test('an acknowledgement of 1,000 ids is taken', async () => {
  await world.expectAccepted(world.sendMessage(world.message({ messageId: 'ack-1' })));
  const request = world.recipient.post('/acknowledgeMessage', { messageIds: ids(1_000) });
  await world.expectAccepted(request, world.recipient);
  expect((await world.list()).map(({ messageId }) => messageId)).not.toContain('ack-1');
});

test('a send to 101 recipients is refused, and the error says how many may be addressed at once', async () => {
  const recipients = Array.from({ length: 101 }, () => new RawClient().identityKey);
  const message = { recipients, messageBox: 'inbox', messageId: recipients.map(createUniqueId), body: 'x' };
  const answer = await world.expectRefused(world.sendMessage({ message }), 'ERR_TOO_MANY_RECIPIENTS');
  expect(answer.text).toMatch(/\b100\b/);
});

test('a send to 100 recipients is taken', async () => {
  const recipients = Array.from({ length: 100 }, () => new RawClient().identityKey);
  const message = { recipients, messageBox: 'inbox', messageId: recipients.map(createUniqueId), body: 'x' };
  await world.expectAccepted(world.sendMessage({ message }));
});
