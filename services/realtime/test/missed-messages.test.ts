import { Metrics } from '@messagebox/shared';
import type { MessageHeader } from '@messagebox/store';
import { DeliveredMessages } from '../src/recovery/delivered-messages.js';
import { MissedMessages } from '../src/recovery/missed-messages.js';

const congested = new Set<string>();
let delivered: DeliveredMessages;
let emitted: unknown[];
let read: number[][];
let clock: number;
let missed: MissedMessages;

const toHeader = (id: number, recipient = 'alice', bodyBytes = 1): MessageHeader => ({
  id,
  recipient,
  messageBox: 'inbox',
  messageId: `m${id}`,
  sender: 's',
  bodyBytes,
});

beforeEach(() => {
  congested.clear();
  delivered = new DeliveredMessages();
  emitted = [];
  read = [];
  clock = 0;
  for (const name of ['alice', 'bob']) delivered.recordJoin(`socket of ${name}`, `${name}-inbox`);
  missed = new MissedMessages({
    store: {
      readBodies: async (ids) => {
        read.push([...ids]);
        return new Map(ids.map((id) => [id, `body ${id}`]));
      },
    },
    delivered,
    gate: {
      deliver: (namespace, room, { data }, { audience }) => {
        const { messageId, after } = data as { messageId: string; after: string };
        emitted.push(messageId);
        delivered.recordDelivery(namespace, { room, messageId, cursor: after }, audience);
      },
    },
    getMembers: (room) => new Map(/^(alice|bob)-/.test(room) ? [['/', [`socket of ${room.split('-')[0]}`]]] : []),
    isCongested: (identityKey) => congested.has(identityKey),
    maxBodyBytes: 1_000_000,
    metrics: new Metrics('realtime', { test: 'yes' }),
    now: () => clock,
    maxWaiting: 4,
  });
});

const add = (header: MessageHeader, graceMs = 0) => missed.add(header, delivered.tick(), graceMs);

it('delivers what is due, in the order of row ids', async () => {
  add(toHeader(9));
  add(toHeader(5), 100);
  add(toHeader(7, 'bob'));
  expect(await missed.deliverDue()).toBe(2);
  expect(emitted).toEqual(['m7', 'm9']);
  clock = 100;
  expect(await missed.deliverDue()).toBe(1);
  expect(emitted).toEqual(['m7', 'm9', 'm5']);
  expect(missed.size).toBe(0);
});

it('keeps what slow clients cannot take yet, in order, and delivers to others', async () => {
  congested.add('alice');
  for (const header of [toHeader(1), toHeader(2, 'bob'), toHeader(3)]) add(header);
  expect(await missed.deliverDue()).toBe(1);
  expect(missed.recipients).toEqual(new Set(['alice']));
  congested.clear();
  expect(await missed.deliverDue()).toBe(2);
  expect(emitted).toEqual(['m2', 'm1', 'm3']);
});

it('does not go on with a room in the same call when its client was slow in between', async () => {
  for (const header of [toHeader(1, 'alice', 1_000_000), toHeader(2, 'alice', 900_000), toHeader(3, 'bob')])
    add(header);
  let checks = 0;
  jest.spyOn(congested, 'has').mockImplementation((name) => {
    if (name === 'alice') checks += 1;
    return name === 'alice' && checks === 2;
  });
  await missed.deliverDue();
  expect(emitted).toEqual(['m1', 'm3']);
  expect(missed.size).toBe(1);
});

it('reads at most 1 MiB of bodies at a time', async () => {
  for (const id of [1, 2, 3]) add(toHeader(id, 'alice', 600_000));
  await missed.deliverDue();
  expect(read).toEqual([[1], [2], [3]]);
});

it('takes no more messages than its limit', () => {
  for (const id of [1, 2, 3, 4]) expect(add(toHeader(id))).toBe(true);
  expect(add(toHeader(5))).toBe(false);
  expect(add(toHeader(6, 'nobody here'))).toBe(true);
  expect(missed.size).toBe(4);
});

it('knows whether an older message of a sender waits in a room', () => {
  add(toHeader(5), 1_000);
  const toMessage = (id: number, sender = 's', room = 'alice-inbox') => ({
    room,
    messageId: 'x',
    sender,
    cursor: `${id}`,
  });
  expect(missed.hasOlder(toMessage(6))).toBe(true);
  expect(missed.hasOlder(toMessage(4))).toBe(false);
  expect(missed.hasOlder(toMessage(6, 'other'))).toBe(false);
  expect(missed.hasOlder(toMessage(6, 's', 'bob-inbox'))).toBe(false);
  delivered.recordDelivery('/', { room: 'alice-inbox', messageId: 'm5', cursor: '5' });
  expect(missed.hasOlder(toMessage(6))).toBe(false);
});

it('forgets messages whose event has arrived or whose socket has gone, without reading them', async () => {
  for (const header of [toHeader(1), toHeader(2, 'bob')]) add(header);
  delivered.recordDelivery('/', { room: 'alice-inbox', messageId: 'm1', cursor: '1' });
  delivered.recordLeave('socket of bob', 'bob-inbox');
  expect(await missed.deliverDue()).toBe(0);
  expect(missed.size).toBe(0);
  expect(read).toEqual([]);
});

it('leaves out a message without a box, which no room has', () => {
  expect(add({ ...toHeader(1), messageBox: undefined })).toBe(true);
  expect(missed.size).toBe(0);
});
