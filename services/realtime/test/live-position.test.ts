import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { createLogger, type RoomMemory } from '@messagebox/shared';
import { ConnectionRooms } from '../src/replay/connection-rooms.js';
import { LivePosition, POSITION_AGE_MS } from '../src/replay/live-position.js';

const KEY = `02${'a1'.repeat(32)}`;
const ROOM = `${KEY}-inbox`;
const STEP_MS = 2_000;
const log = createLogger('test', 'info', { write: () => undefined });

let time: number;
let newest: number;
let lagMs: number;
let socket: { id: string; identityKey: string; connected: boolean; bufferedBytes: number; rooms: string[] };
const memory = {
  remember: jest.fn(),
  forget: jest.fn(),
  freeze: jest.fn(),
  end: jest.fn(),
  renew: jest.fn(),
  findLoss: jest.fn(),
  recall: jest.fn(),
  onReachable: jest.fn(),
} satisfies Record<keyof RoomMemory, jest.Mock>;
const store = { findNewestId: jest.fn(), findEarlierId: jest.fn() };
const restores = { onRenewed: jest.fn() };
let position: LivePosition;
let rooms: ConnectionRooms;

beforeEach(async () => {
  [time, newest, lagMs] = [0, 1_000, 0];
  for (const mock of [...Object.values(memory), ...Object.values(store)]) mock.mockReset().mockResolvedValue(undefined);
  memory.renew.mockResolvedValue(true);
  memory.onReachable.mockReturnValue(() => undefined);
  restores.onRenewed.mockReset();
  store.findNewestId.mockImplementation(async () => newest);
  store.findEarlierId.mockResolvedValue(700);
  socket = { id: 's', identityKey: KEY, connected: true, bufferedBytes: 0, rooms: [ROOM] };
  const sockets = [socket as unknown as AuthSocket];
  rooms = new ConnectionRooms(memory, sockets, log);
  await rooms.join(sockets[0] as AuthSocket, [ROOM]);
  const now = () => time;
  position = new LivePosition({ store, memory, rooms, restores, sockets, getRecoveryLagMs: () => lagMs, log, now });
  // The constructor has begun the first run.
  await new Promise((resolve) => setImmediate(resolve));
});
afterEach(() => position.close());

/** Renews every 2 seconds, with 10 new messages in each step. @returns the last position */
async function pass(ms: number): Promise<unknown> {
  for (const end = time + ms; time < end; ) {
    time += STEP_MS;
    newest += 10;
    await position.renew();
  }
  return memory.renew.mock.lastCall?.[0];
}

test('begins with a row id that is old enough by the database', () => {
  expect(store.findEarlierId).toHaveBeenCalledWith(1_000, POSITION_AGE_MS);
  expect(memory.renew.mock.lastCall).toEqual([700]);
});

test('renews the highest row id of some minutes ago', async () => {
  expect(await pass(POSITION_AGE_MS - STEP_MS)).toBe(700);
  expect(await pass(STEP_MS)).toBe(1_000);
  expect(await pass(60_000)).toBe(1_300);
});

test('does not pass what may not have been recovered yet', async () => {
  lagMs = 30_000;
  expect(await pass(POSITION_AGE_MS)).toBe(700);
  expect(await pass(30_000)).toBe(1_000);
});

test('never goes back when the newest messages are acknowledged', async () => {
  await pass(60_000);
  newest = 0;
  expect(await pass(POSITION_AGE_MS)).toBe(1_300);
});

test('freezes the position of a client that does not keep up, and renews it when it does', async () => {
  socket.bufferedBytes = 1;
  await pass(10_000);
  expect(memory.freeze).not.toHaveBeenCalled();
  await pass(10_000);
  expect(memory.freeze.mock.calls).toEqual([[KEY, 's']]);
  await pass(60_000);
  expect(memory.freeze).toHaveBeenCalledTimes(1);
  memory.remember.mockClear();
  socket.bufferedBytes = 0;
  await pass(STEP_MS);
  expect(memory.remember.mock.calls).toEqual([[KEY, 's', [ROOM], undefined]]);
});

test('remembers all rooms again when the room memory may have lost them', async () => {
  memory.remember.mockClear();
  memory.renew.mockRejectedValueOnce(new Error('Redis is away')).mockResolvedValueOnce(false);
  await expect(position.renew()).rejects.toThrow('Redis is away');
  expect(memory.remember).not.toHaveBeenCalled();
  await position.renew();
  expect(memory.remember.mock.calls).toEqual([[KEY, 's', [ROOM], undefined]]);
  expect(restores.onRenewed.mock.calls).toEqual([[true], [false]]);
  memory.remember.mockClear();
  await position.renew();
  expect(memory.remember).not.toHaveBeenCalled();
});

test('renews at once when the room memory can be reached again', async () => {
  memory.renew.mockClear();
  memory.onReachable.mock.lastCall?.[0]();
  await new Promise((resolve) => setImmediate(resolve));
  expect(memory.renew).toHaveBeenCalledTimes(1);
});

test('remembers the rooms of a frozen client with its position when the room memory may have lost them', async () => {
  socket.bufferedBytes = 1;
  await pass(20_000);
  memory.remember.mockClear();
  memory.renew.mockResolvedValueOnce(false);
  await pass(POSITION_AGE_MS);
  expect(memory.renew.mock.lastCall?.[0]).toBeGreaterThan(700);
  memory.renew.mockResolvedValueOnce(false);
  await position.renew();
  expect(memory.remember.mock.calls).toEqual([
    [KEY, 's', [ROOM], 700],
    [KEY, 's', [ROOM], 700],
  ]);
});

test('remembers the rooms of connections that have ended with the positions of their ends', async () => {
  rooms.end(socket as unknown as AuthSocket);
  socket.connected = false;
  socket.rooms = [];
  await pass(POSITION_AGE_MS);
  memory.remember.mockClear();
  memory.end.mockClear();
  memory.renew.mockResolvedValueOnce(false);
  await position.renew();
  expect(memory.remember.mock.calls).toEqual([[KEY, 's', [ROOM], 700]]);
  expect(memory.end.mock.calls).toEqual([[KEY, 's']]);
});

test('renews nothing while the store does not answer', async () => {
  memory.renew.mockClear();
  store.findNewestId.mockRejectedValueOnce(new Error('the store is away'));
  await expect(position.renew()).rejects.toThrow('the store is away');
  expect(memory.renew).not.toHaveBeenCalled();
});

test('ends the record of a socket that closed while it joined', async () => {
  socket.connected = false;
  await rooms.join(socket as unknown as AuthSocket, [ROOM]);
  expect(memory.end.mock.calls).toEqual([[KEY, 's']]);
});
