import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { ReplayHolds } from '../src/replay/replay-holds.js';

const phone = { id: 'phone' } as AuthSocket;
const laptop = { id: 'laptop' } as AuthSocket;
const [inbox, other] = ['02ab-inbox', '02ab-other'];
let sent: string[];
beforeEach(() => {
  sent = [];
});

function offer(holds: ReplayHolds, socket: AuthSocket, room: string, event: string): void {
  const send = () => void sent.push(event);
  if (!holds.offer(socket, room, { key: event, bytes: 1, send })) send();
}

test('holds the events of one room on one connection, and sends them in their order', () => {
  const holds = new ReplayHolds();
  holds.hold(phone, inbox);
  for (const event of ['1', '2']) offer(holds, phone, inbox, event);
  offer(holds, phone, other, 'other room');
  offer(holds, laptop, inbox, 'other connection');
  expect(sent).toEqual(['other room', 'other connection']);
  holds.release(phone, inbox);
  expect(sent.slice(2)).toEqual(['1', '2']);
  offer(holds, phone, inbox, '3');
  expect(sent.slice(4)).toEqual(['3']);
});

test('holds until the last replay of the room ends', () => {
  const holds = new ReplayHolds();
  holds.hold(phone, inbox);
  holds.hold(phone, inbox);
  offer(holds, phone, inbox, '1');
  holds.release(phone, inbox);
  expect(sent).toEqual([]);
  holds.release(phone, inbox);
  expect(sent).toEqual(['1']);
  holds.release(phone, inbox); // one too many
  expect(sent).toEqual(['1']);
});

test.each([
  ['events', { events: 2, bytes: 1_000, bytesOfAll: 1_000 }],
  ['bytes of one connection', { events: 1_000, bytes: 2, bytesOfAll: 1_000 }],
  ['bytes of all connections', { events: 1_000, bytes: 1_000, bytesOfAll: 2 }],
])('sends the events of a room at once, and holds no more there, when there are too many %s', (_what, limits) => {
  const holds = new ReplayHolds(limits);
  holds.hold(phone, inbox);
  for (const event of ['1', '2']) offer(holds, phone, inbox, event);
  expect(sent).toEqual([]);
  offer(holds, phone, inbox, '3');
  expect(sent).toEqual(['1', '2', '3']);
  offer(holds, phone, inbox, '4');
  expect(sent).toEqual(['1', '2', '3', '4']);
  // What was sent counts no more.
  holds.hold(phone, other);
  for (const event of ['5', '6']) offer(holds, phone, other, event);
  expect(sent).toHaveLength(4);
  holds.release(phone, other);
  holds.release(phone, inbox);
  holds.hold(phone, inbox);
  offer(holds, phone, inbox, '7');
  expect(sent).toEqual(['1', '2', '3', '4', '5', '6']);
});

test('drops an event whose message the replay has come to', () => {
  const holds = new ReplayHolds({ events: 2, bytes: 1_000, bytesOfAll: 1_000 });
  holds.hold(phone, inbox);
  for (const event of ['1', '2']) offer(holds, phone, inbox, event);
  expect(holds.take(phone, other, '1')).toBe(false);
  expect(holds.take(phone, inbox, '1')).toBe(true);
  expect(holds.take(phone, inbox, '1')).toBe(false);
  // It counts no more.
  offer(holds, phone, inbox, '3');
  expect(sent).toEqual([]);
  holds.release(phone, inbox);
  expect(sent).toEqual(['2', '3']);
});
