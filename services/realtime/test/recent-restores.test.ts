import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { REPEAT_WITHIN_MS, RecentRestores } from '../src/replay/recent-restores.js';

const STEP_MS = 2_000;
let time: number;
let socket: AuthSocket;
let restores: RecentRestores;
const repeat = jest.fn<Promise<void>, []>();
beforeEach(() => {
  time = 0;
  socket = { connected: true } as unknown as AuthSocket;
  restores = new RecentRestores(() => time);
  repeat.mockReset().mockResolvedValue(undefined);
});

async function renew(isComplete: boolean): Promise<void> {
  time += STEP_MS;
  restores.onRenewed(isComplete);
  await new Promise((resolve) => setImmediate(resolve));
}

/** Renews every 2 seconds, with nothing lost. */
async function pass(ms: number): Promise<void> {
  for (const end = time + ms; time < end; ) await renew(true);
}

test('repeats nothing while the room memory is complete', async () => {
  restores.add(socket, repeat);
  await pass(2 * REPEAT_WITHIN_MS);
  expect(repeat).not.toHaveBeenCalled();
});

test('repeats a recent restore a few times after a loss', async () => {
  restores.add(socket, repeat);
  await renew(false);
  expect(repeat).toHaveBeenCalledTimes(1);
  await pass(STEP_MS);
  expect(repeat).toHaveBeenCalledTimes(2);
  await pass(2 * REPEAT_WITHIN_MS);
  expect(repeat).toHaveBeenCalledTimes(4);
});

test('repeats a restore that came shortly after a loss', async () => {
  await renew(false);
  await pass(STEP_MS);
  restores.add(socket, repeat);
  await pass(STEP_MS);
  expect(repeat).toHaveBeenCalledTimes(1);
});

test.each([
  ['is long ago', () => pass(REPEAT_WITHIN_MS + STEP_MS)],
  ['is of a socket that has closed', async () => void Object.assign(socket, { connected: false })],
  ['is of a client that has left a room', async () => restores.delete(socket)],
])('does not repeat a restore that %s', async (_what, change) => {
  restores.add(socket, repeat);
  await change();
  await renew(false);
  await pass(2 * REPEAT_WITHIN_MS);
  expect(repeat).not.toHaveBeenCalled();
});

test('does not repeat a restore that is being repeated', async () => {
  repeat.mockReturnValue(new Promise(() => undefined));
  restores.add(socket, repeat);
  await renew(false);
  await pass(REPEAT_WITHIN_MS);
  expect(repeat).toHaveBeenCalledTimes(1);
});
