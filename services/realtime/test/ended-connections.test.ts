import { ROOM_MEMORY_LIMITS } from '@messagebox/shared';
import { EndedConnections } from '../src/replay/ended-connections.js';

const ended = (connection: string, rooms: string[], position: number) => ({ connection, rooms, position });

test('knows the rooms of all connections of an identity that have ended, and the lowest position', () => {
  const connections = new EndedConnections();
  connections.add('alice', ended('phone', ['a', 'b'], 10));
  connections.add('alice', ended('laptop', ['b', 'c'], 20));
  connections.add('bob', ended('other', ['d'], 30));
  expect(new Map(connections.list())).toEqual(
    new Map([
      ['alice', ended('laptop', ['a', 'b', 'c'], 10)],
      ['bob', ended('other', ['d'], 30)],
    ]),
  );
});

test('keeps the most recently joined rooms of an identity', () => {
  const connections = new EndedConnections();
  const rooms = Array.from({ length: ROOM_MEMORY_LIMITS.rooms + 1 }, (_, i) => `${i}`);
  connections.add('alice', ended('phone', rooms, 10));
  expect(connections.list()).toEqual([['alice', ended('phone', rooms.slice(1), 10)]]);
});

test.each([
  ['there are too many', { identities: 2, bytes: 10_000, ms: 60_000 }],
  ['they take too much', { identities: 100, bytes: 1_000, ms: 60_000 }],
])('forgets the identities whose connections have ended first when %s', (_when, limits) => {
  const connections = new EndedConnections(limits);
  const [one, two, three] = ['1', '2', '3'].map((name) => ended(name, [name.repeat(200)], 10));
  for (const each of [one, two, three]) if (each !== undefined) connections.add(each.connection, each);
  expect(new Map(connections.list())).toEqual(
    new Map([
      ['2', two],
      ['3', three],
    ]),
  );
});

test('forgets connections that have ended minutes ago', () => {
  let time = 1;
  const connections = new EndedConnections({ identities: 10, bytes: 10_000, ms: 60_000 }, () => time);
  connections.add('alice', ended('phone', ['a'], 10));
  time += 59_000;
  connections.add('bob', ended('other', ['d'], 30));
  expect(connections.list().map(([identityKey]) => identityKey)).toEqual(['alice', 'bob']);
  time += 2_000;
  expect(connections.list().map(([identityKey]) => identityKey)).toEqual(['bob']);
});
