import { DeliveredMessages } from '../src/recovery/delivered-messages.js';

const room = '02ab-inbox';
const first = { room, messageId: 'first', cursor: '1' };
const second = { room, messageId: 'second', cursor: '2' };
const phone = { id: 'phone', namespace: '/' };
const laptop = { id: 'laptop', namespace: '/' };

it('allows one delivery of a message in each namespace', () => {
  const delivered = new DeliveredMessages();
  expect(delivered.recordDelivery('/', first)).toBe(true);
  expect(delivered.recordDelivery('/', first)).toBe(false);
  expect(delivered.recordDelivery('/prefix', first)).toBe(true);
});

it('takes an id that is stored again for another message', () => {
  const delivered = new DeliveredMessages();
  delivered.recordDelivery('/', first);
  expect(delivered.recordDelivery('/', { ...first, cursor: '3' })).toBe(true);
});

it('knows a message again whose event came without its row id, and never refuses such an event', () => {
  const delivered = new DeliveredMessages();
  expect(delivered.recordDelivery('/', { ...first, cursor: undefined })).toBe(true);
  expect(delivered.recordDelivery('/', first)).toBe(false);
  expect(delivered.recordDelivery('/', { ...first, cursor: undefined })).toBe(true);
});

it('knows which sockets were in the room when a message was delivered', () => {
  const delivered = new DeliveredMessages();
  delivered.recordJoin('phone', room);
  delivered.recordDelivery('/', first);
  delivered.recordJoin('laptop', room);
  expect(delivered.hasReceived(phone, first)).toBe(true);
  expect(delivered.hasReceived(laptop, first)).toBe(false);
  expect(delivered.hasReceived(phone, second)).toBe(false);
});

it('counts a socket that leaves and joins again as new in the room', () => {
  const delivered = new DeliveredMessages();
  delivered.recordJoin('phone', room);
  delivered.recordLeave('phone', room);
  delivered.recordDelivery('/', first);
  delivered.recordJoin('phone', room);
  expect(delivered.hasReceived(phone, first)).toBe(false);
});

it('delivers to an audience that is older than the delivery', () => {
  const delivered = new DeliveredMessages();
  delivered.recordJoin('phone', room);
  const scan = delivered.tick();
  delivered.recordJoin('laptop', room);
  delivered.recordDelivery('/', first, scan);
  expect(delivered.hasReceived(phone, first)).toBe(true);
  expect(delivered.hasReceived(laptop, first)).toBe(false);
});

it('replays a message to a socket once, and not when it was delivered to it', () => {
  const delivered = new DeliveredMessages();
  delivered.recordJoin('phone', room);
  delivered.recordDelivery('/', first);
  expect(delivered.recordReplay(phone, first)).toBe(false);
  expect(delivered.recordReplay(phone, second)).toBe(true);
  expect(delivered.recordReplay(phone, second)).toBe(false);
  expect(delivered.wasReplayed('phone', second)).toBe(true);
  expect(delivered.wasReplayed('laptop', second)).toBe(false);
});

it('forgets a socket that has closed', () => {
  const delivered = new DeliveredMessages();
  delivered.recordJoin('phone', room);
  delivered.recordReplay(phone, first);
  delivered.forgetSocket('phone');
  expect(delivered.getJoinTime('phone', room)).toBeUndefined();
  expect(delivered.wasReplayed('phone', first)).toBe(false);
});

it('forgets the oldest deliveries and replays above its limits', () => {
  const delivered = new DeliveredMessages({ maxMessages: 1, maxReplayed: 1 });
  delivered.recordDelivery('/', first);
  delivered.recordDelivery('/', second);
  expect(delivered.size).toBe(1);
  expect(delivered.hasDelivered('/', first)).toBe(false);
  expect(delivered.hasDelivered('/', second)).toBe(true);
  const third = { room, messageId: 'third', cursor: '3' };
  delivered.recordReplay(phone, third);
  delivered.recordReplay(laptop, third);
  expect(delivered.wasReplayed('phone', third)).toBe(false);
  expect(delivered.wasReplayed('laptop', third)).toBe(true);
});
